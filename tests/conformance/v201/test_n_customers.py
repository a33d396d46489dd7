"""Customer information (block N, use cases N09 and N10)."""

import pytest
from support.tls import Authority, pem
from support.v201 import CARD, TOKEN, authorize, change, connect

from ocpp.security.certificates import hash_data

EMAID = "DEPWRC0000001X"


@pytest.fixture
def station(setup):
    station = setup.start(evse="iso15118 = true")
    for name in ("LocalAuthListCtrlr/Enabled", "AuthCtrlr/LocalPreAuthorize", "AuthCacheCtrlr/Enabled"):
        assert change(setup.csms, name, True) == "Accepted"
    return station


def ask(csms, *, report: bool = True, clear: bool = False, **who) -> str:
    return csms.call("CustomerInformation", {"requestId": 9, "report": report, "clear": clear, **who})["status"]


def told(csms) -> str:
    """The whole text that follows."""
    text, seq_no = "", 0
    while True:
        part = csms.expect("NotifyCustomerInformation", requestId=9, seqNo=seq_no)
        text += part["data"]
        if not part.get("tbc"):
            return text
        seq_no += 1


def cache(csms, station) -> None:
    connect(csms, station)
    authorize(csms, station)
    csms.expect("TransactionEvent", triggerReason="Authorized")
    station.card()
    station.unplug()
    csms.expect("TransactionEvent", eventType="Ended")


def put_on_list(csms) -> None:
    entry = {"idToken": TOKEN, "idTokenInfo": {"status": "Accepted"}}
    wish = {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": [entry]}
    assert csms.call("SendLocalList", wish) == {"status": "Accepted"}


@pytest.mark.tc("TC_N_27_CS")
@pytest.mark.req("N09.FR.02", "N09.FR.05")
def test_tc_n_27_what_is_known_is_told(csms, station):
    cache(csms, station)
    put_on_list(csms)
    assert ask(csms, idToken=TOKEN) == "Accepted"
    text = told(csms)
    for part in ("authorization cache", "local authorization list", "transaction", CARD):
        assert part in text


@pytest.mark.tc("TC_N_28_CS", "TC_N_31_CS")
@pytest.mark.req("N09.FR.06", "N10.FR.04")
@pytest.mark.parametrize("clear", [False, True])
def test_tc_n_28_and_31_nothing_is_known(csms, station, clear):
    assert ask(csms, clear=clear, idToken=TOKEN) == "Accepted"
    assert told(csms) == ""


@pytest.mark.tc("TC_N_29_CS", "TC_N_33_CS")
@pytest.mark.req("N09.FR.07", "N09.FR.09", "N10.FR.07")
def test_tc_n_29_and_33_wishes_that_make_no_sense(csms, station):
    assert ask(csms) == "Invalid"
    assert ask(csms, clear=True) == "Invalid"
    assert ask(csms, idToken=TOKEN, customerIdentifier=CARD) == "Invalid"
    assert ask(csms, report=False, clear=False, idToken=TOKEN) == "Rejected"
    csms.nothing("NotifyCustomerInformation")


@pytest.mark.tc("TC_N_30_CS")
@pytest.mark.req("N10.FR.01", "N10.FR.03")
def test_tc_n_30_told_and_forgotten_but_for_the_list(csms, station):
    cache(csms, station)
    put_on_list(csms)
    assert ask(csms, clear=True, idToken=TOKEN) == "Accepted"
    assert "authorization cache" in told(csms)
    assert ask(csms, idToken=TOKEN) == "Accepted"
    text = told(csms)
    assert "authorization cache" not in text
    assert "transaction" not in text
    assert "local authorization list" in text


@pytest.mark.tc("TC_N_32_CS")
@pytest.mark.req("N10.FR.06")
def test_tc_n_32_forgotten_without_a_report(csms, station):
    cache(csms, station)
    assert ask(csms, report=False, clear=True, idToken=TOKEN) == "Accepted"
    assert told(csms) == ""
    assert ask(csms, idToken=TOKEN) == "Accepted"
    assert told(csms) == ""


@pytest.mark.tc("TC_N_62_CS")
@pytest.mark.req("N10.FR.03")
def test_tc_n_62_by_customer_identifier(csms, station):
    cache(csms, station)
    assert ask(csms, clear=True, customerIdentifier=CARD) == "Accepted"
    assert told(csms) != ""
    assert ask(csms, customerIdentifier=CARD) == "Accepted"
    assert told(csms) == ""


@pytest.mark.tc("TC_N_63_CS")
@pytest.mark.req("N10.FR.03")
def test_tc_n_63_by_contract_certificate(csms, station):
    root = Authority("MO root")
    leaf = root.issue(EMAID)
    wish = {"certificateType": "MORootCertificate", "certificate": pem(root.certificate).decode()}
    assert csms.call("InstallCertificate", wish) == {"status": "Accepted"}
    connect(csms, station)
    station.post("/api/sim/evses/1/iso15118", {"contract": {"emaid": EMAID, "chain": pem(leaf).decode()}})
    csms.expect("TransactionEvent", triggerReason="Authorized")
    station.unplug()
    csms.expect("TransactionEvent", eventType="Ended")
    data = hash_data(leaf, root.certificate)
    certificate = {
        "hashAlgorithm": data.algorithm,
        "issuerNameHash": data.issuer_name_hash,
        "issuerKeyHash": data.issuer_key_hash,
        "serialNumber": data.serial_number,
    }
    assert ask(csms, clear=True, customerCertificate=certificate) == "Accepted"
    assert EMAID in told(csms)
    assert ask(csms, customerCertificate=certificate) == "Accepted"
    assert told(csms) == ""
