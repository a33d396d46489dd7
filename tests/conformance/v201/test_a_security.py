"""Security (block A): passwords, TLS, certificates of the station, security profiles."""

import ssl
import stat
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from support.conformance import ConformanceCsms
from support.secure_csms import BASIC, PASSWORD, asking, over_tls, start_with_tls
from support.tls import DAY, NOW, Authority, pem, server_context
from support.v201 import change, connector_statuses, network, value

from ocpp.security import certificates

NEW_PASSWORD = "fedcba9876543210*-_=:+|@."
PRIORITY = "OCPPCommCtrlr/NetworkConfigurationPriority"


@pytest.fixture(scope="module")
def root():
    return Authority("CSMS root")


# -- passwords --------------------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_A_01_CS")
@pytest.mark.req("A00.FR.202", "A00.FR.203", "A00.FR.204", "A00.FR.205", "B01.FR.01", "B01.FR.05", "A00.FR.004")
def test_tc_a_01_basic_authentication(setup, csms):
    csms.password = PASSWORD
    setup.start(network=BASIC)
    assert csms.credentials == [("CS001", PASSWORD)]


@pytest.mark.tc("TC_A_09_CS")
@pytest.mark.req("A01.FR.01", "A01.FR.10", "A01.FR.11", "A01.FR.12", "A00.FR.304")
def test_tc_a_09_a_new_password(setup, csms):
    station = setup.start(network=BASIC)
    assert stat.S_IMODE((setup.folder / "state").stat().st_mode) == 0o700
    assert change(csms, "SecurityCtrlr/BasicAuthPassword", NEW_PASSWORD) in ("Accepted", "RebootRequired")
    csms.wait_connection(2)
    assert csms.credentials[-1] == ("CS001", NEW_PASSWORD)
    for log in ("state/messages.jsonl", "station.log"):
        assert NEW_PASSWORD not in (setup.folder / log).read_text()
    station.post("/api/sim/power_cut")
    setup.restart()
    assert csms.credentials[-1] == ("CS001", NEW_PASSWORD)


@pytest.mark.tc("TC_A_10_CS")
@pytest.mark.req("A01.FR.01")
@pytest.mark.parametrize("bad", ["tooshort1234567", "x" * 41])
def test_tc_a_10_a_bad_password(setup, csms, bad):
    setup.start(network=BASIC)
    assert change(csms, "SecurityCtrlr/BasicAuthPassword", bad) == "Rejected"
    csms.disconnect()
    csms.wait_connection(2)
    assert csms.credentials[-1] == ("CS001", PASSWORD)


# -- TLS --------------------------------------------------------------------------------------------------------------


def with_suite(folder, root, suite):
    context = server_context(folder, root)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)
    return context


@pytest.mark.tc("TC_A_04_CS")
@pytest.mark.req("A00.FR.309", "A00.FR.312", "A00.FR.313", "A00.FR.319", "A00.FR.301", "A00.FR.302", "A00.FR.303")
@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"])
def test_tc_a_04_tls_with_the_suites_required(setup, root, suite):
    start_with_tls(setup, root, context=with_suite(setup.folder, root, suite), wait=False)
    setup.csms.expect("BootNotification")
    assert connector_statuses(setup.csms, 1) == {1: "Available"}
    assert setup.csms.tls == [("TLSv1.2", suite)]
    assert setup.csms.credentials == [("CS001", PASSWORD)]
    assert setup.csms.client_certificates == [None]


def reconnects_to(setup, station, context):
    """The CSMS comes back with another TLS context while the station cannot reach it."""
    network(station, False)
    setup.csms.wait_disconnected()
    over_tls(setup, context)
    network(station, True)


INVALID = {
    "expired": {"start": NOW - 9 * DAY, "end": NOW - DAY},
    "not yet valid": {"start": NOW + DAY, "end": NOW + 9 * DAY},
    "of another root": {},
    "for another host": {"host": "elsewhere.example"},
}


@pytest.mark.tc("TC_A_05_CS")
@pytest.mark.req("A00.FR.309", "A00.FR.310", "A00.FR.311", "A00.FR.412", "A00.FR.413", "A00.FR.414")
@pytest.mark.parametrize("defect", INVALID)
def test_tc_a_05_an_invalid_certificate_of_the_csms(setup, root, defect):
    issuer = Authority("stranger") if defect == "of another root" else root
    station = start_with_tls(setup, root)
    reconnects_to(setup, station, server_context(setup.folder, issuer, **INVALID[defect]))
    station.wait(lambda: "certificate" in station.status()["connection"]["last_error"], "the refusal")
    assert setup.csms.credentials == []
    reconnects_to(setup, station, server_context(setup.folder, root))
    setup.csms.expect("SecurityEventNotification", type="InvalidCsmsCertificate")


@pytest.mark.tc("TC_A_06_CS")
@pytest.mark.req("A00.FR.314", "A00.FR.316", "A00.FR.416", "A00.FR.417", "A00.FR.419")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tc_a_06_an_old_tls_version(setup, root):
    old = server_context(setup.folder, root)
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    station = start_with_tls(setup, root, context=old, wait=False)
    station.wait(lambda: "TLS versions" in station.status()["connection"]["last_error"], "the refusal")
    assert setup.csms.credentials == []
    csms = over_tls(setup, server_context(setup.folder, root))
    csms.expect("BootNotification")
    csms.expect_all(
        ("StatusNotification", {"connectorStatus": "Available"}),
        ("SecurityEventNotification", {"type": "StartupOfTheDevice"}),
        ("SecurityEventNotification", {"type": "InvalidTLSVersion"}),
    )


@pytest.mark.tc("TC_A_07_CS")
@pytest.mark.req("A00.FR.401", "A00.FR.402", "A00.FR.415", "A00.FR.416", "A00.FR.422")
@pytest.mark.req("A00.FR.502", "A00.FR.503", "A00.FR.507", "A00.FR.508", "A00.FR.511")
@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"])
def test_tc_a_07_the_certificate_of_the_station(setup, root, suite):
    context = asking(with_suite(setup.folder, root, suite), root)
    start_with_tls(setup, root, profile=3, own=root, context=context)
    shown = x509.load_der_x509_certificate(setup.csms.client_certificates[0])
    assert certificates.common_name(shown) == "CS001"
    assert shown.serial_number
    assert shown.public_key().key_size >= 224
    assert setup.csms.tls == [("TLSv1.2", suite)]
    assert setup.csms.credentials == [None]


# -- the station's certificate ----------------------------------------------------------------------------------------


def install(csms, root, kind="CSMSRootCertificate"):
    wish = {"certificateType": kind, "certificate": pem(root.certificate).decode()}
    assert csms.call("InstallCertificate", wish)["status"] == "Accepted"


@pytest.fixture
def certified(setup, root):
    """A station with security profile 3; gives the CSMS."""
    context = asking(server_context(setup.folder, root), root)
    fast = {"SecurityCtrlr/CertSigningWaitMinimum": 1, "SecurityCtrlr/CertSigningRepeatTimes": 2}
    start_with_tls(setup, root, profile=3, own=root, context=context, variables=fast)
    return setup.csms


def trigger_signing(csms, kind="ChargingStationCertificate"):
    wish = {"requestedMessage": f"Sign{kind}"}
    assert csms.call("TriggerMessage", wish)["status"] == "Accepted"


def request_of(csms, kind="ChargingStationCertificate"):
    """The signing request that comes next."""
    request = csms.expect("SignCertificate", certificateType=kind)["csr"]
    key = x509.load_pem_x509_csr(request.encode()).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.key_size >= 224
    return request


def send_certificate(csms, *chain, kind="ChargingStationCertificate"):
    answer = {"certificateChain": pem(*chain).decode(), "certificateType": kind}
    return csms.call("CertificateSigned", answer)["status"]


@pytest.mark.tc("TC_A_11_CS")
@pytest.mark.req("A02.FR.02", "A02.FR.03", "A02.FR.06", "A02.FR.08", "A02.FR.13")
def test_tc_a_11_a_new_certificate(certified, root):
    trigger_signing(certified)
    certificate = root.answer(request_of(certified))
    assert send_certificate(certified, certificate) == "Accepted"
    certified.wait_connection(2)
    assert x509.load_der_x509_certificate(certified.client_certificates[-1]) == certificate


@pytest.mark.tc("TC_A_12_CS")
@pytest.mark.req("A02.FR.02", "A02.FR.03", "A02.FR.06", "A02.FR.13")
def test_tc_a_12_a_new_certificate_for_evs(setup, csms):
    secc = {"SeccId": "NLS123456", "CountryName": "NL", "OrganizationName": "pilotwire"}
    setup.start(evse="iso15118 = true", variables={f"ISO15118Ctrlr/{name}": text for name, text in secc.items()})
    v2g_root = Authority("V2G root")
    sub = Authority("CPO sub", v2g_root)
    install(csms, v2g_root, "V2GRootCertificate")
    trigger_signing(csms, "V2GCertificate")
    request = request_of(csms, "V2GCertificate")
    assert certificates.common_name(x509.load_pem_x509_csr(request.encode())) == secc["SeccId"]
    assert x509.load_pem_x509_csr(request.encode()).public_key().key_size >= 256
    assert send_certificate(csms, sub.answer(request), sub.certificate, kind="V2GCertificate") == "Accepted"


@pytest.mark.tc("TC_A_14_CS")
@pytest.mark.req("A02.FR.07", "A03.FR.07", "A02.FR.20")
def test_tc_a_14_an_invalid_certificate(certified):
    trigger_signing(certified)
    certificate = Authority("stranger").answer(request_of(certified))
    assert send_certificate(certified, certificate) == "Rejected"
    certified.expect("SecurityEventNotification", type="InvalidChargingStationCertificate")
    certified.nothing("SignCertificate", within=1.3)
    assert certified.connections == 1


@pytest.mark.req("A02.FR.21")
def test_plug_and_charge_is_off_until_the_next_start_when_the_request_for_evs_is_rejected(setup, csms):
    station = setup.start(evse="iso15118 = true", variables={"ISO15118Ctrlr/PnCEnabled": True})
    csms.answer("SignCertificate", {"status": "Rejected"})
    trigger_signing(csms, "V2GCertificate")
    request_of(csms, "V2GCertificate")
    station.wait(lambda: value(csms, "ISO15118Ctrlr/PnCEnabled") == "false", "plug and charge is off")
    station.post("/api/sim/power_cut")
    setup.restart()
    assert value(csms, "ISO15118Ctrlr/PnCEnabled") == "true"


@pytest.mark.tc("TC_A_15_CS")
def test_tc_a_15_the_request_is_rejected(certified):
    certified.answer("SignCertificate", {"status": "Rejected"})
    trigger_signing(certified)
    request_of(certified)
    certified.nothing("SignCertificate", within=1.3)


@pytest.mark.tc("TC_A_23_CS")
@pytest.mark.req("A02.FR.17", "A02.FR.18", "A02.FR.19")
def test_tc_a_23_the_certificate_does_not_come(certified, root):
    trigger_signing(certified)
    requests, times = [], []
    for _ in range(3):
        requests.append(request_of(certified))
        times.append(time.monotonic())
    assert times[1] - times[0] >= 0.95
    assert times[2] - times[1] >= 1.95
    answers = [send_certificate(certified, root.answer(request)) for request in requests]
    assert set(answers) <= {"Accepted", "Rejected"}
    assert "Accepted" in answers


# -- security profiles ------------------------------------------------------------------------------------------------


def profile_of(csms, security_profile, *, port=None):
    scheme = "wss" if security_profile > 1 else "ws"
    data = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": f"{scheme}://localhost:{port or csms.port}/ocpp",
        "messageTimeout": 30,
        "securityProfile": security_profile,
        "ocppInterface": "Wired0",
    }
    return csms.call("SetNetworkProfile", {"configurationSlot": 2, "connectionData": data})["status"]


def raise_profile(setup, csms, security_profile, context):
    """Steps 1 to 10: to the CSMS that comes back with the higher profile."""
    assert profile_of(csms, security_profile) == "Accepted"
    assert change(csms, PRIORITY, "2,1") in ("Accepted", "RebootRequired")
    assert csms.call("Reset", {"type": "OnIdle"})["status"] == "Accepted"
    csms.wait_disconnected()
    over_tls(setup, context)
    setup.restart()
    assert value(setup.csms, "SecurityCtrlr/SecurityProfile") == str(security_profile)
    assert value(setup.csms, PRIORITY) == "2"


@pytest.mark.tc("TC_A_19_CS")
@pytest.mark.req("A05.FR.04", "A05.FR.05", "A05.FR.06", "A00.FR.001", "A00.FR.004", "A00.FR.301", "A00.FR.302")
def test_tc_a_19_from_profile_1_to_2_and_not_back(setup, csms, root):
    station = setup.start(network=BASIC, host="localhost")
    install(csms, root)
    raise_profile(setup, csms, 2, server_context(setup.folder, root))
    assert setup.csms.credentials == [("CS001", PASSWORD)]
    setup.csms.stop()
    setup.csms = ConformanceCsms(setup.version, port=setup.csms.port)
    attempts = station.status()["connection"]["attempts"]
    station.wait(lambda: station.status()["connection"]["attempts"] >= attempts + 2, "two attempts")
    assert setup.csms.credentials == []
    csms = over_tls(setup, server_context(setup.folder, root))
    csms.wait_connection(1)


@pytest.mark.tc("TC_A_19_CS")
@pytest.mark.req("A05.FR.04", "A05.FR.05", "A05.FR.06")
def test_tc_a_19_from_profile_2_to_3(setup, root):
    start_with_tls(setup, root)
    trigger_signing(setup.csms)
    certificate = root.answer(request_of(setup.csms))
    assert send_certificate(setup.csms, certificate) == "Accepted"
    raise_profile(setup, setup.csms, 3, asking(server_context(setup.folder, root), root))
    assert x509.load_der_x509_certificate(setup.csms.client_certificates[0]) == certificate


@pytest.mark.tc("TC_A_20_CS")
@pytest.mark.req("A05.FR.02")
def test_tc_a_20_without_a_root(setup, csms):
    setup.start(network=BASIC)
    assert profile_of(csms, 2) == "Accepted"
    assert change(csms, PRIORITY, "2,1") == "Rejected"
    assert value(csms, "SecurityCtrlr/SecurityProfile") == "1"


@pytest.mark.tc("TC_A_21_CS")
@pytest.mark.req("A05.FR.03")
def test_tc_a_21_without_a_certificate(setup, root):
    start_with_tls(setup, root)
    assert profile_of(setup.csms, 3) == "Accepted"
    assert change(setup.csms, PRIORITY, "2,1") == "Rejected"
    assert value(setup.csms, "SecurityCtrlr/SecurityProfile") == "2"


@pytest.mark.tc("TC_A_22_CS")
@pytest.mark.req("B09.FR.04")
def test_tc_a_22_not_to_a_lower_profile(setup, root):
    start_with_tls(setup, root)
    assert profile_of(setup.csms, 1) == "Rejected"
