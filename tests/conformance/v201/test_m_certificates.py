"""Certificate management (block M)."""

import base64

import pytest
from support.processes import PATIENCE_S
from support.secure_csms import PASSWORD, over_tls
from support.tls import DAY, NOW, Authority, pem, server_context
from support.v201 import change, connect

OCSP = "http://ocsp.example/"
EXI = base64.b64encode(b"request of the EV").decode()
EXI_ANSWER = base64.b64encode(b"answer of the pool").decode()
ROOTS = ["CSMSRootCertificate", "ManufacturerRootCertificate", "V2GRootCertificate", "MORootCertificate"]


@pytest.fixture(scope="module")
def roots():
    return {kind: Authority(kind) for kind in ROOTS}


@pytest.fixture
def station(setup):
    return setup.start(evse="iso15118 = true")


def install(csms, authority, kind: str) -> str:
    wish = {"certificateType": kind, "certificate": pem(authority.certificate).decode()}
    return csms.call("InstallCertificate", wish)["status"]


def installed(csms, *kinds: str) -> dict:
    return csms.call("GetInstalledCertificateIds", {"certificateType": list(kinds)} if kinds else {})


def serials(answer: dict) -> list[tuple[str, int]]:
    chain = answer.get("certificateHashDataChain", [])
    return [(each["certificateType"], int(each["certificateHashData"]["serialNumber"], 16)) for each in chain]


# -- installing and listing -------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_M_01_CS", "TC_M_02_CS", "TC_M_03_CS", "TC_M_04_CS")
@pytest.mark.tc("TC_M_12_CS", "TC_M_13_CS", "TC_M_14_CS", "TC_M_16_CS")
@pytest.mark.req("M05.FR.01", "M05.FR.02", "M03.FR.01", "M03.FR.03", "M03.FR.04")
@pytest.mark.parametrize("kind", ROOTS)
def test_tc_m_01_to_04_and_12_to_16_a_root_is_installed_and_listed(csms, station, roots, kind):
    assert install(csms, roots[kind], kind) == "Accepted"
    answer = installed(csms, kind)
    assert answer["status"] == "Accepted"
    assert serials(answer) == [(kind, roots[kind].certificate.serial_number)]


@pytest.mark.tc("TC_M_17_CS", "TC_M_18_CS")
@pytest.mark.req("M03.FR.03", "M03.FR.04")
def test_tc_m_17_and_18_several_kinds_and_all(csms, station, roots):
    for kind in ROOTS:
        assert install(csms, roots[kind], kind) == "Accepted"
    two = installed(csms, ROOTS[0], ROOTS[1])
    assert {kind for kind, _ in serials(two)} == set(ROOTS[:2])
    assert {kind for kind, _ in serials(installed(csms))} == set(ROOTS)


@pytest.mark.tc("TC_M_19_CS")
@pytest.mark.req("M03.FR.01", "M03.FR.02")
def test_tc_m_19_nothing_is_installed(csms, station):
    assert installed(csms, "CSMSRootCertificate") == {"status": "NotFound"}


@pytest.mark.tc("TC_M_07_CS")
@pytest.mark.req("M05.FR.01", "M05.FR.07")
def test_tc_m_07_an_invalid_root_is_rejected(csms, station):
    old = Authority("old", start=NOW - 9 * DAY, end=NOW - DAY)
    assert install(csms, old, "CSMSRootCertificate") == "Rejected"
    assert installed(csms, "CSMSRootCertificate") == {"status": "NotFound"}


@pytest.mark.tc("TC_M_09_CS")
@pytest.mark.req("M05.FR.10", "M05.FR.11")
def test_tc_m_09_a_new_csms_root_has_to_be_signed_by_the_old(setup, csms, roots):
    setup.start(variables={"SecurityCtrlr/AdditionalRootCertificateCheck": True})
    old = roots["CSMSRootCertificate"]
    assert install(csms, old, "CSMSRootCertificate") == "Accepted"
    assert install(csms, Authority("stranger"), "CSMSRootCertificate") == "Rejected"
    assert serials(installed(csms, "CSMSRootCertificate")) == [("CSMSRootCertificate", old.certificate.serial_number)]


# -- deleting ---------------------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_M_20_CS", "TC_M_22_CS")
@pytest.mark.req("M04.FR.01", "M04.FR.02", "M04.FR.04")
def test_tc_m_20_and_22_a_certificate_is_deleted_once(csms, station, roots):
    install(csms, roots["CSMSRootCertificate"], "CSMSRootCertificate")
    (entry,) = installed(csms, "CSMSRootCertificate")["certificateHashDataChain"]
    wish = {"certificateHashData": entry["certificateHashData"]}
    assert csms.call("DeleteCertificate", wish) == {"status": "Accepted"}
    assert installed(csms, "CSMSRootCertificate") == {"status": "NotFound"}
    assert csms.call("DeleteCertificate", wish)["status"] == "NotFound"


def renew(csms, root, kind: str, trigger: str, **more):
    """The station gets a certificate of that kind; gives it."""
    assert csms.call("TriggerMessage", {"requestedMessage": trigger}) == {"status": "Accepted"}
    request = csms.expect("SignCertificate", certificateType=kind)
    certificate = root.answer(request["csr"], **more)
    wish = {"certificateChain": pem(certificate).decode(), "certificateType": kind}
    assert csms.call("CertificateSigned", wish) == {"status": "Accepted"}
    return certificate


@pytest.mark.tc("TC_M_23_CS")
@pytest.mark.req("M04.FR.01", "M04.FR.06")
def test_tc_m_23_the_stations_own_certificate_stays(csms, station, roots):
    from ocpp.security.certificates import hash_data

    root = roots["CSMSRootCertificate"]
    install(csms, root, "CSMSRootCertificate")
    own = renew(csms, root, "ChargingStationCertificate", "SignChargingStationCertificate")
    data = hash_data(own, root.certificate)
    wish = {
        "hashAlgorithm": data.algorithm,
        "issuerNameHash": data.issuer_name_hash,
        "issuerKeyHash": data.issuer_key_hash,
        "serialNumber": data.serial_number,
    }
    assert csms.call("DeleteCertificate", {"certificateHashData": wish})["status"] == "Failed"


@pytest.mark.req("M04.FR.08")
def test_with_an_authority_its_children_go(csms, station, v2g):
    deliver, _, _ = v2g
    assert deliver() == "Accepted"
    (entry,) = installed(csms, "V2GCertificateChain")["certificateHashDataChain"]
    (child,) = entry["childCertificateHashData"]
    assert csms.call("DeleteCertificate", {"certificateHashData": child}) == {"status": "Accepted"}
    assert installed(csms, "V2GCertificateChain") == {"status": "NotFound"}


# -- another root of the CSMS -----------------------------------------------------------------------------------------


@pytest.mark.req("M05.FR.10", "M05.FR.12")
@pytest.mark.parametrize(
    ("proved_by", "listed"),
    [
        pytest.param("new", ["new"], marks=[pytest.mark.tc("TC_M_30_CS"), pytest.mark.req("M05.FR.13")]),
        pytest.param("old", ["new", "old"], marks=[pytest.mark.tc("TC_M_31_CS"), pytest.mark.req("M05.FR.14")]),
    ],
)
def test_tc_m_30_and_31_the_csms_gets_a_new_root(setup, proved_by, listed):
    old = Authority("old root")
    authorities = {"old": old, "new": Authority("new root", old)}
    over_tls(setup, server_context(setup.folder, old))
    (setup.folder / "root.pem").write_bytes(old.pem)
    setup.start(
        network=f'security_profile = 2\npassword = "{PASSWORD}"',
        scheme="wss",
        host="localhost",
        sections='[certificates]\ncsms_root = ["root.pem"]',
        variables={"SecurityCtrlr/AdditionalRootCertificateCheck": True},
    )
    assert install(setup.csms, authorities["new"], "CSMSRootCertificate") == "Accepted"
    assert setup.csms.call("Reset", {"type": "OnIdle"})["status"] == "Accepted"
    setup.station.process.wait(PATIENCE_S)
    csms = over_tls(setup, server_context(setup.folder, authorities[proved_by]))
    setup.restart(wait=False)
    csms.expect("BootNotification", reason="RemoteReset")
    answer = installed(csms, "CSMSRootCertificate")
    assert answer["status"] == "Accepted"
    expected = {("CSMSRootCertificate", authorities[name].certificate.serial_number) for name in listed}
    assert set(serials(answer)) == expected


# -- the chain towards EVs --------------------------------------------------------------------------------------------


@pytest.fixture
def v2g(csms, station, roots):
    """RenewV2GChargingStationCertificate, with an intermediate authority."""
    root = roots["V2GRootCertificate"]
    sub = Authority("V2G sub", root, ocsp=OCSP)
    install(csms, root, "V2GRootCertificate")
    assert change(csms, "ISO15118Ctrlr/SeccId", "DE-PWR-1") == "Accepted"
    assert change(csms, "ISO15118Ctrlr/OrganizationName", "Pilot") == "Accepted"
    assert change(csms, "ISO15118Ctrlr/CountryName", "DE") == "Accepted"
    csms.always("GetCertificateStatus", {"status": "Failed"})
    assert csms.call("TriggerMessage", {"requestedMessage": "SignV2GCertificate"}) == {"status": "Accepted"}
    request = csms.expect("SignCertificate", certificateType="V2GCertificate")
    leaf = sub.answer(request["csr"], ocsp=OCSP)

    def deliver() -> str:
        chain = pem(leaf, sub.certificate).decode()
        wish = {"certificateChain": chain, "certificateType": "V2GCertificate"}
        return csms.call("CertificateSigned", wish)["status"]

    return deliver, leaf, sub


@pytest.mark.tc("TC_M_15_CS")
@pytest.mark.req("M03.FR.05", "A02.FR.13", "A00.FR.509")
def test_tc_m_15_the_v2g_chain_is_listed(csms, station, v2g):
    deliver, leaf, sub = v2g
    assert leaf.subject.rfc4514_string() == "C=DE,O=Pilot,CN=DE-PWR-1"
    assert deliver() == "Accepted"
    (entry,) = installed(csms, "V2GCertificateChain")["certificateHashDataChain"]
    assert int(entry["certificateHashData"]["serialNumber"], 16) == leaf.serial_number
    (child,) = entry["childCertificateHashData"]
    assert int(child["serialNumber"], 16) == sub.certificate.serial_number


@pytest.mark.tc("TC_M_24_CS")
@pytest.mark.req("M06.FR.06", "M06.FR.07", "M06.FR.09")
def test_tc_m_24_the_status_of_the_v2g_chain_is_asked_once(setup, csms, station, v2g):
    deliver, leaf, sub = v2g
    csms.always("GetCertificateStatus", {"status": "Accepted", "ocspResult": "MAo="})
    deliver()
    asked = [csms.expect("GetCertificateStatus")["ocspRequestData"] for _ in range(2)]
    assert {int(each["serialNumber"], 16) for each in asked} == {leaf.serial_number, sub.certificate.serial_number}
    assert {each["responderURL"] for each in asked} == {OCSP}
    station.post("/api/sim/power_cut")
    setup.restart()
    csms.nothing("GetCertificateStatus")


@pytest.mark.tc("TC_M_25_CS")
@pytest.mark.req("M06.FR.06", "M06.FR.10")
def test_tc_m_25_a_status_that_is_not_to_be_had_is_asked_again(setup, csms, station, v2g):
    deliver, _, _ = v2g
    deliver()
    csms.expect("GetCertificateStatus")
    csms.expect("GetCertificateStatus")
    station.post("/api/sim/power_cut")
    setup.restart()
    csms.expect("GetCertificateStatus")


# -- certificates for EVs ---------------------------------------------------------------------------------------------


def wait_certificate(station, accepted: bool) -> dict:
    def told():
        certificate = station.status()["evses"][0]["iso15118"]["certificate"]
        return certificate if certificate["accepted"] is accepted else None

    return station.wait(told, "the answer to the EV")


@pytest.mark.tc("TC_M_26_CS", "TC_M_28_CS")
@pytest.mark.req("M01.FR.01", "M02.FR.01")
@pytest.mark.parametrize("action", ["Install", "Update"])
def test_tc_m_26_and_28_an_ev_gets_a_certificate(csms, station, roots, action):
    connect(csms, station)
    csms.answer("Get15118EVCertificate", {"status": "Accepted", "exiResponse": EXI_ANSWER})
    station.post("/api/sim/evses/1/iso15118", {"certificate": {"action": action, "exi": EXI}})
    asked = csms.expect("Get15118EVCertificate", action=action)
    assert asked["exiRequest"] == EXI
    assert asked["iso15118SchemaVersion"] == "urn:iso:15118:2:2013:MsgDef"
    assert wait_certificate(station, True)["exi"] == EXI_ANSWER
    install(csms, roots["MORootCertificate"], "MORootCertificate")
    chain = pem(roots["MORootCertificate"].issue("DEPWRC0000001X")).decode()
    station.post("/api/sim/evses/1/iso15118", {"contract": {"emaid": "DEPWRC0000001X", "chain": chain}})
    csms.expect("Authorize", idToken={"type": "eMAID"})


@pytest.mark.tc("TC_M_27_CS", "TC_M_29_CS")
@pytest.mark.req("M01.FR.01", "M02.FR.01")
@pytest.mark.parametrize("action", ["Install", "Update"])
def test_tc_m_27_and_29_an_ev_gets_none(csms, station, action):
    connect(csms, station)
    csms.answer("Get15118EVCertificate", {"status": "Failed", "exiResponse": ""})
    station.post("/api/sim/evses/1/iso15118", {"certificate": {"action": action, "exi": EXI}})
    csms.expect("Get15118EVCertificate", action=action)
    assert wait_certificate(station, False)["exi"] == ""
    csms.nothing("Authorize")


def test_offline_an_ev_gets_none(csms, station):
    station.post("/api/sim/network", {"up": False})
    csms.wait_disconnected()
    station.post("/api/sim/evses/1/iso15118", {"certificate": {"action": "Install", "exi": EXI}})
    wait_certificate(station, False)
