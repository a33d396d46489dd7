"""Plug and charge (use case C07)."""

import pytest
from support.tls import Authority, pem
from support.v201 import change, connect, get, network

EMAID = "DEPWRC0000001X"
OCSP = "http://ocsp.example/"
TOKEN = {"idToken": EMAID, "type": "eMAID"}


@pytest.fixture(scope="module")
def root():
    return Authority("MO root")


@pytest.fixture(scope="module")
def sub(root):
    return Authority("MO sub", root, ocsp=OCSP)


@pytest.fixture(scope="module")
def chain(sub):
    return pem(sub.issue(EMAID, ocsp=OCSP), sub.certificate).decode()


@pytest.fixture
def station(setup):
    return setup.start(evse="iso15118 = true")


@pytest.fixture
def with_root(csms, station, root):
    wish = {"certificateType": "MORootCertificate", "certificate": pem(root.certificate).decode()}
    assert csms.call("InstallCertificate", wish) == {"status": "Accepted"}


def present(station, chain: str) -> None:
    station.post("/api/sim/evses/1/iso15118", {"contract": {"emaid": EMAID, "chain": chain}})


def wait_authorized(station, wanted: bool) -> None:
    def told():
        return station.status()["evses"][0]["iso15118"]["authorized"] is wanted

    station.wait(told, f"the EV hears that it may charge: {wanted}")


@pytest.mark.tc("TC_C_50_CS")
@pytest.mark.req("C07.FR.01", "C07.FR.02")
@pytest.mark.usefixtures("with_root")
def test_tc_c_50_a_contract_validated_by_the_station(csms, station, chain):
    connect(csms, station)
    present(station, chain)
    request = csms.expect("Authorize", idToken=TOKEN)
    assert "certificate" not in request
    hashes = request["iso15118CertificateHashData"]
    assert [each["responderURL"] for each in hashes] == [OCSP, OCSP]
    assert {each["hashAlgorithm"] for each in hashes} == {"SHA256"}
    csms.expect("TransactionEvent", triggerReason="Authorized", idToken=TOKEN)
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    wait_authorized(station, True)


@pytest.mark.tc("TC_C_51_CS")
@pytest.mark.req("C07.FR.01", "C07.FR.02")
@pytest.mark.usefixtures("with_root")
def test_tc_c_51_a_contract_the_csms_refuses(csms, station, chain):
    connect(csms, station)
    csms.answer("Authorize", {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "ContractCancelled"})
    present(station, chain)
    request = csms.expect("Authorize", idToken=TOKEN)
    assert request["iso15118CertificateHashData"]
    wait_authorized(station, False)
    csms.nothing("TransactionEvent")


@pytest.mark.tc("TC_C_52_CS")
@pytest.mark.req("C07.FR.06")
def test_tc_c_52_a_contract_validated_by_the_csms(csms, station, chain):
    assert change(csms, "ISO15118Ctrlr/CentralContractValidationAllowed", True) == "Accepted"
    connect(csms, station)
    csms.answer("Authorize", {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "Accepted"})
    present(station, chain)
    assert csms.expect("Authorize", idToken=TOKEN)["certificate"] == chain
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    wait_authorized(station, True)


@pytest.mark.tc("TC_C_53_CS")
def test_tc_c_53_a_contract_the_csms_cannot_validate(csms, station, chain):
    assert change(csms, "ISO15118Ctrlr/CentralContractValidationAllowed", True) == "Accepted"
    connect(csms, station)
    csms.answer("Authorize", {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "CertChainError"})
    present(station, chain)
    assert csms.expect("Authorize", idToken=TOKEN)["certificate"] == chain
    wait_authorized(station, False)
    csms.nothing("TransactionEvent")


def test_an_unknown_root_without_leave_to_ask(csms, station, chain):
    assert get(csms, "ISO15118Ctrlr/CentralContractValidationAllowed")["attributeValue"] == "false"
    connect(csms, station)
    present(station, chain)
    wait_authorized(station, False)
    csms.nothing("Authorize", "TransactionEvent")


@pytest.mark.tc("TC_C_54_CS", "TC_C_55_CS")
@pytest.mark.req("C07.FR.07", "C07.FR.08", "C07.FR.09", "C07.FR.10", "C07.FR.11", "C07.FR.12")
@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("known", ["cached", "listed", "unknown"])
@pytest.mark.usefixtures("with_root")
def test_tc_c_54_and_55_a_contract_without_the_csms(setup, csms, station, chain, allowed, known):
    assert change(csms, "ISO15118Ctrlr/ContractValidationOffline", allowed) == "Accepted"
    assert change(csms, "AuthCtrlr/OfflineTxForUnknownIdEnabled", known == "unknown") == "Accepted"
    know(csms, station, chain, known)
    network(station, False)
    csms.wait_disconnected()
    station.plug()
    present(station, chain)
    wait_authorized(station, allowed)
    network(station, True)
    occupied = ("StatusNotification", {"connectorStatus": "Occupied"})
    if allowed:
        event = {"triggerReason": "Authorized", "offline": True, "idToken": TOKEN}
        csms.expect_all(occupied, ("TransactionEvent", event))
    else:
        csms.expect_all(occupied)
        csms.nothing("Authorize", "TransactionEvent")


def know(csms, station, chain: str, how: str) -> None:
    """Let the station know the contract from earlier."""
    if how == "cached":
        connect(csms, station)
        present(station, chain)
        csms.expect("TransactionEvent", triggerReason="Authorized")
        station.unplug()
        csms.expect("TransactionEvent", eventType="Ended")
        csms.expect("StatusNotification", connectorStatus="Available")
    elif how == "listed":
        entry = {"idToken": TOKEN, "idTokenInfo": {"status": "Accepted"}}
        wish = {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": [entry]}
        assert csms.call("SendLocalList", wish) == {"status": "Accepted"}


def test_a_contract_that_has_expired_is_refused_at_once(csms, station, sub):
    from support.tls import DAY, NOW

    old = sub.issue(EMAID, start=NOW - 9 * DAY, end=NOW - DAY)
    connect(csms, station)
    present(station, pem(old, sub.certificate).decode())
    wait_authorized(station, False)
    csms.nothing("Authorize")
