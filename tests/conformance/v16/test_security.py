"""The security white paper on the running station (TC_073 to TC_088)."""

import base64
import gzip
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from support.conformance import ConformanceCsms
from support.file_server import file_server
from support.secure_csms import BASIC, PASSWORD, asking, over_tls, start_with_tls
from support.tls import DAY, NOW, Authority, pem, server_context
from support.v16 import change, network

from ocpp.security import certificates
from ocpp.versions import OcppVersion


@pytest.fixture(scope="module")
def root():
    return Authority("CSMS root")


@pytest.fixture(scope="module")
def manufacturer():
    return Authority("manufacturer")


@pytest.fixture
def server():
    with file_server() as server:
        yield server


def install(csms, certificate, kind="CentralSystemRootCertificate"):
    return csms.call("InstallCertificate", {"certificateType": kind, "certificate": pem(certificate).decode()})[
        "status"
    ]


def installed(csms, kind="CentralSystemRootCertificate"):
    return csms.call("GetInstalledCertificateIds", {"certificateType": kind})


# -- passwords --------------------------------------------------------------------------------------------------------


@pytest.mark.tc("1.6-TC_073")
@pytest.mark.req("1.6-A01.FR.01", "1.6-A01.FR.10", "1.6-A01.FR.11", "1.6-A01.FR.12")
def test_tc_073_a_new_password_is_used_and_kept(setup, csms):
    station = setup.start(network=BASIC)
    new = "fedcba9876543210ff"
    assert change(csms, "AuthorizationKey", new) == "Accepted"
    csms.wait_connection(2)
    assert csms.credentials[-1] == ("CS001", new)
    station.post("/api/sim/power_cut")
    setup.restart()
    assert csms.credentials[-1] == ("CS001", new)
    assert new not in (setup.folder / "state/messages.jsonl").read_text()
    assert new not in station.log.read_text()
    assert (setup.folder / "state").stat().st_mode & 0o077 == 0
    (key,) = csms.call("GetConfiguration", {"key": ["AuthorizationKey"]})["configurationKey"]
    assert "value" not in key


@pytest.mark.tc("1.6-TC_085")
@pytest.mark.req("1.6-A00.FR.202", "1.6-A00.FR.203", "1.6-A00.FR.204", "1.6-A00.FR.205", "1.6-A00.FR.301")
@pytest.mark.req("1.6-A00.FR.302", "1.6-A00.FR.303", "1.6-A00.FR.304", "1.6-A00.FR.004")
def test_tc_085_basic_authentication(setup, csms):
    csms.password = PASSWORD
    setup.start(network=BASIC)
    assert csms.credentials == [("CS001", PASSWORD)]


@pytest.mark.tc("1.6-TC_085")
def test_tc_085_a_wrong_password_is_told_and_noted(setup, csms):
    csms.password = "another-password"
    station = setup.start(network=BASIC, wait=False)
    csms.wait(lambda: len(csms.credentials) >= 2, "two attempts")
    assert "401" in station.status()["connection"]["last_error"]
    csms.password = None
    csms.expect("BootNotification")


# -- certificates -----------------------------------------------------------------------------------------------------


def signed_by(csms, root, **validity):
    """Trigger a signing request and answer it."""
    wish = {"requestedMessage": "SignChargePointCertificate"}
    assert csms.call("ExtendedTriggerMessage", wish) == {"status": "Accepted"}
    request = csms.expect("SignCertificate")["csr"]
    certificate = root.answer(request, **validity)
    return csms.call("CertificateSigned", {"certificateChain": pem(certificate).decode()})["status"], certificate


@pytest.mark.tc("1.6-TC_074")
@pytest.mark.req("1.6-A02.FR.02", "1.6-A02.FR.03", "1.6-A02.FR.06", "1.6-A02.FR.08", "1.6-A02.FR.13", "1.6-F06")
def test_tc_074_a_new_certificate_is_requested_and_used(setup, root):
    context = asking(server_context(setup.folder, root), root)
    start_with_tls(setup, root, profile=3, own=root, context=context)
    csms = setup.csms
    assert change(csms, "CpoName", "Operator") == "Accepted"
    status, certificate = signed_by(csms, root)
    assert status == "Accepted"
    csms.wait_connection(2)
    assert x509.load_der_x509_certificate(csms.client_certificates[-1]) == certificate
    assert "Operator" in certificate.subject.rfc4514_string()


@pytest.mark.tc("1.6-TC_075_1", "1.6-TC_075_2")
@pytest.mark.req("1.6-M05.FR.01", "1.6-M05.FR.02", "1.6-M03.FR.03", "1.6-M03.FR.04")
@pytest.mark.parametrize("kind", ["ManufacturerRootCertificate", "CentralSystemRootCertificate"])
def test_tc_075_a_root_is_installed(setup, csms, station, root, kind):
    assert install(csms, root.certificate, kind) == "Accepted"
    station.post("/api/sim/power_cut")
    setup.restart()
    answer = installed(csms, kind)
    assert answer["status"] == "Accepted"
    (data,) = answer["certificateHashData"]
    assert int(data["serialNumber"], 16) == root.certificate.serial_number


@pytest.mark.tc("1.6-TC_076")
@pytest.mark.req("1.6-M04.FR.02", "1.6-M04.FR.04", "1.6-M03.FR.02")
def test_tc_076_a_certificate_is_deleted(csms, station, root):
    install(csms, root.certificate)
    (data,) = installed(csms)["certificateHashData"]
    assert csms.call("DeleteCertificate", {"certificateHashData": data}) == {"status": "Accepted"}
    assert installed(csms) == {"status": "NotFound"}
    assert csms.call("DeleteCertificate", {"certificateHashData": data}) == {"status": "NotFound"}


@pytest.mark.tc("1.6-TC_076")
@pytest.mark.req("1.6-M04.FR.06")
def test_tc_076_the_root_in_use_stays(setup, root):
    start_with_tls(setup, root)
    (data,) = installed(setup.csms)["certificateHashData"]
    assert setup.csms.call("DeleteCertificate", {"certificateHashData": data}) == {"status": "Failed"}


@pytest.mark.tc("1.6-TC_077")
@pytest.mark.req("1.6-A02.FR.07", "1.6-A04.FR.01")
def test_tc_077_an_invalid_certificate_is_an_event(csms, station, root):
    install(csms, root.certificate)
    status, _ = signed_by(csms, root, start=NOW - 9 * DAY, end=NOW - DAY)
    assert status == "Rejected"
    csms.expect("SecurityEventNotification", type="InvalidChargePointCertificate")


@pytest.mark.tc("1.6-TC_078")
@pytest.mark.req("1.6-A00.FR.309", "1.6-A00.FR.310", "1.6-A00.FR.413", "1.6-A00.FR.414", "1.6-A04.FR.02")
def test_tc_078_a_csms_that_cannot_prove_itself_is_an_event(setup, root):
    station = start_with_tls(setup, root)
    network(station, False)
    setup.csms.wait_disconnected()
    over_tls(setup, server_context(setup.folder, Authority("stranger")))
    network(station, True)
    station.wait(lambda: "is not known" in station.status()["connection"]["last_error"], "the refusal")
    over_tls(setup, server_context(setup.folder, root))
    setup.csms.expect("SecurityEventNotification", type="InvalidCentralSystemCertificate")


# -- logs -------------------------------------------------------------------------------------------------------------


@pytest.mark.tc("1.6-TC_079")
@pytest.mark.req("1.6-N01.FR.01", "1.6-N01.FR.02", "1.6-N01.FR.03", "1.6-N01.FR.05", "1.6-N01.FR.07", "1.6-N01.FR.08")
@pytest.mark.req("1.6-N01.FR.09", "1.6-A04.FR.04")
@pytest.mark.parametrize("kind", ["SecurityLog", "DiagnosticsLog"])
def test_tc_079_a_log_is_uploaded(csms, station, server, kind):
    wish = {"logType": kind, "requestId": 7, "log": {"remoteLocation": server.url}}
    answer = csms.call("GetLog", wish)
    assert answer["status"] == "Accepted"
    csms.expect("LogStatusNotification", status="Uploading", requestId=7)
    csms.expect("LogStatusNotification", status="Uploaded", requestId=7)
    lines = gzip.decompress(server.files["/logs/" + answer["filename"]]).decode().splitlines()
    if kind == "SecurityLog":
        assert json.loads(lines[0])["type"] == "StartupOfTheDevice"


@pytest.mark.req("1.6-N01.FR.04", "1.6-N01.FR.10", "1.6-N01.FR.11", "1.6-N01.FR.12")
def test_a_log_that_cannot_be_uploaded_is_told_and_a_new_wish_replaces_it(csms, station, server):
    server.answers = [403]
    wish = {"logType": "DiagnosticsLog", "requestId": 7, "retries": 0, "log": {"remoteLocation": server.url}}
    csms.call("GetLog", wish)
    csms.expect("LogStatusNotification", status="PermissionDenied", requestId=7)
    server.gate.clear()
    csms.call("GetLog", {**wish, "requestId": 8})
    csms.expect("LogStatusNotification", status="Uploading", requestId=8)
    assert csms.call("GetLog", {**wish, "requestId": 9})["status"] == "AcceptedCanceled"
    server.gate.set()
    csms.expect("LogStatusNotification", status="Uploaded", requestId=9)
    csms.call("ExtendedTriggerMessage", {"requestedMessage": "LogStatusNotification"})
    assert csms.expect("LogStatusNotification") == {"status": "Idle"}


# -- signed firmware --------------------------------------------------------------------------------------------------


def signed_firmware(authority, location, content):
    key = ec.generate_private_key(ec.SECP256R1())
    signature = key.sign(content, ec.ECDSA(hashes.SHA256()))
    return {
        "location": location,
        "retrieveDateTime": "2026-01-01T00:00:00Z",
        "signingCertificate": pem(authority.issue("firmware", key)).decode(),
        "signature": base64.b64encode(signature).decode(),
    }


@pytest.fixture
def with_manufacturer(setup, manufacturer):
    (setup.folder / "manufacturer.pem").write_bytes(manufacturer.pem)
    return setup.start(
        evses=2,
        simulation="firmware_install_s = 0.1",
        sections='[certificates]\nmanufacturer_root = ["manufacturer.pem"]',
    )


@pytest.mark.tc("1.6-TC_080")
@pytest.mark.req("1.6-L01.FR.01", "1.6-L01.FR.04", "1.6-L01.FR.05", "1.6-L01.FR.10", "1.6-L01.FR.15", "1.6-L01.FR.23")
def test_tc_080_signed_firmware_is_installed(setup, csms, with_manufacturer, manufacturer, server):
    content = b"new firmware" * 100
    firmware = signed_firmware(manufacturer, server.offer("/new.bin", content), content)
    answer = csms.call("SignedUpdateFirmware", {"requestId": 5, "firmware": firmware})
    assert answer == {"status": "Accepted"}
    for status in ("Downloading", "Downloaded", "SignatureVerified"):
        csms.expect("SignedFirmwareStatusNotification", status=status, requestId=5)
    for connector in (1, 2):
        csms.expect("StatusNotification", connectorId=connector, status="Unavailable")
    for status in ("Installing", "InstallRebooting"):
        csms.expect("SignedFirmwareStatusNotification", status=status, requestId=5)
    setup.restart(wait=False)
    csms.expect("BootNotification")
    csms.expect_all(
        ("SignedFirmwareStatusNotification", {"status": "Installed", "requestId": 5}),
        ("SecurityEventNotification", {"type": "FirmwareUpdated"}),
        ("StatusNotification", {"connectorId": 1, "status": "Available"}),
    )


@pytest.mark.tc("1.6-TC_081")
@pytest.mark.req("1.6-L01.FR.03", "1.6-L01.FR.04")
def test_tc_081_an_invalid_signature_ends_the_update(csms, with_manufacturer, manufacturer, server):
    firmware = signed_firmware(manufacturer, server.offer("/new.bin", b"tampered"), b"original")
    csms.call("SignedUpdateFirmware", {"requestId": 5, "firmware": firmware})
    for status in ("Downloading", "Downloaded", "InvalidSignature"):
        csms.expect("SignedFirmwareStatusNotification", status=status)
    csms.expect("SecurityEventNotification", type="InvalidFirmwareSignature")


@pytest.mark.req("1.6-L01.FR.02", "1.6-L01.FR.24")
def test_a_foreign_signing_certificate_is_refused(csms, with_manufacturer, server):
    firmware = signed_firmware(Authority("stranger"), server.url, b"x")
    answer = csms.call("SignedUpdateFirmware", {"requestId": 5, "firmware": firmware})
    assert answer == {"status": "InvalidCertificate"}
    csms.expect("SecurityEventNotification", type="InvalidFirmwareSigningCertificate")


# -- security profiles ------------------------------------------------------------------------------------------------


@pytest.mark.tc("1.6-TC_083")
@pytest.mark.req("1.6-A05.FR.05", "1.6-A05.FR.06", "1.6-A05.FR.07")
def test_tc_083_the_security_profile_is_raised(setup, root):
    setup.start(network=BASIC, host="localhost")
    assert change(setup.csms, "SecurityProfile", 2) == "Rejected"
    assert install(setup.csms, root.certificate) == "Accepted"
    assert change(setup.csms, "SecurityProfile", 2) == "Accepted"
    csms = over_tls(setup, server_context(setup.folder, root))
    csms.wait_connection(1)
    assert csms.credentials == [("CS001", PASSWORD)]
    (key,) = csms.call("GetConfiguration", {"key": ["SecurityProfile"]})["configurationKey"]
    assert key["value"] == "2"


@pytest.mark.tc("1.6-TC_083")
@pytest.mark.req("1.6-A05.FR.08")
def test_tc_083_when_that_fails_the_profile_before_comes_back(setup, csms, root):
    station = setup.start(
        network=BASIC, host="localhost", variables={"OCPPCommCtrlr/NetworkProfileConnectionAttempts": 1}
    )
    assert install(csms, root.certificate) == "Accepted"
    assert change(csms, "SecurityProfile", 2) == "Accepted"
    csms.wait_connection(2)
    (key,) = csms.call("GetConfiguration", {"key": ["SecurityProfile"]})["configurationKey"]
    assert key["value"] == "1"
    assert station.status()["connection"]["url"].startswith("ws://")


@pytest.mark.tc("1.6-TC_084")
@pytest.mark.req("1.6-A05.FR.01", "1.6-A00.FR.005")
def test_tc_084_the_security_profile_is_not_lowered(setup, root):
    start_with_tls(setup, root)
    assert change(setup.csms, "SecurityProfile", 1) == "Rejected"
    assert setup.csms.connections == 1


@pytest.mark.tc("1.6-TC_086")
@pytest.mark.req("1.6-A00.FR.307", "1.6-A00.FR.311")
def test_tc_086_tls_with_the_certificate_of_the_csms(setup, root):
    start_with_tls(setup, root)
    assert setup.csms.credentials == [("CS001", PASSWORD)]
    assert setup.csms.client_certificates == [None]


@pytest.mark.tc("1.6-TC_087")
@pytest.mark.req("1.6-A00.FR.401", "1.6-A00.FR.402", "1.6-A00.FR.427", "1.6-A00.FR.429")
def test_tc_087_tls_with_the_certificate_of_the_charge_point(setup, root):
    start_with_tls(setup, root, profile=3, own=root, context=asking(server_context(setup.folder, root), root))
    shown = x509.load_der_x509_certificate(setup.csms.client_certificates[0])
    assert certificates.common_name(shown) == "CS001"
    assert setup.csms.credentials == [None]


@pytest.mark.tc("1.6-TC_088")
def test_tc_088_a_csms_that_picks_no_version_is_left(setup):
    setup.csms.stop()
    setup.csms = ConformanceCsms(OcppVersion.V201, port=setup.csms.port)
    station = setup.start(wait=False)
    station.wait(lambda: station.status()["connection"]["last_error"], "the refusal")
    assert setup.csms.calls == []
