"""Transactions (block E): the state of transactions, and what happens while the connection is lost."""

import pytest
from support.v201 import CARD, cached, charging, id_token, knows, listed, network, token_info
from support.visit import Visit

OTHER = "04FFEEDDCCBBAA"
SAMPLED = {"SampledDataCtrlr/TxUpdatedInterval": 1, "OCPPCommCtrlr/OfflineThreshold": 60}


def state_of(csms, transaction: str | None) -> dict:
    return csms.call("GetTransactionStatus", {"transactionId": transaction} if transaction is not None else {})


@pytest.mark.tc("TC_E_28_CS")
@pytest.mark.req("E14.FR.01")
def test_tc_e_28_an_unknown_transaction(csms, station):
    assert state_of(csms, "3f5b1cde") == {"ongoingIndicator": False, "messagesInQueue": False}


@pytest.mark.tc("TC_E_30_CS")
@pytest.mark.req("E14.FR.02", "E14.FR.05")
def test_tc_e_30_an_ongoing_transaction(csms, station):
    transaction = charging(csms, station)
    assert state_of(csms, transaction) == {"ongoingIndicator": True, "messagesInQueue": False}


@pytest.mark.tc("TC_E_32_CS")
@pytest.mark.req("E14.FR.03", "E14.FR.05")
def test_tc_e_32_a_transaction_that_has_ended(csms, visit):
    driver = visit()
    driver.charge()
    driver.leave()
    assert state_of(csms, driver.transaction) == {"ongoingIndicator": False, "messagesInQueue": False}


@pytest.mark.tc("TC_E_34_CS")
@pytest.mark.req("E14.FR.06", "E14.FR.08")
def test_tc_e_34_nothing_waits(csms, station):
    assert state_of(csms, None) == {"messagesInQueue": False}


def sampled_offline(csms, visit) -> Visit:
    """A transaction goes on while the connection is lost; the CSMS takes nothing in until it is asked to."""
    driver = visit(variables=SAMPLED)
    driver.charge()
    driver.go_offline()
    before = driver.station.transaction()["seq_no"]
    driver.station.wait(lambda: driver.station.transaction()["seq_no"] >= before + 2, "two samples offline")
    csms.silent = {"TransactionEvent"}
    network(driver.station, True)
    csms.wait_connection(2)
    return driver


def told_offline(csms, driver: Visit, count: int = 2) -> None:
    """Every message that waited is an update with meter values, marked offline, in order."""
    for _ in range(count):
        event = csms.expect("TransactionEvent")
        assert (event["eventType"], event["offline"]) == ("Updated", True)
        assert event["meterValue"]
        driver.take(event)


@pytest.mark.req("E11.FR.01", "E11.FR.02")
@pytest.mark.parametrize(
    "named",
    [
        pytest.param(True, marks=[pytest.mark.tc("TC_E_29_CS"), pytest.mark.req("E14.FR.02", "E14.FR.04")]),
        pytest.param(False, marks=[pytest.mark.tc("TC_E_33_CS"), pytest.mark.req("E14.FR.06", "E14.FR.07")]),
    ],
    ids=["with id", "without"],
)
def test_tc_e_29_33_messages_wait(csms, visit, named):
    driver = sampled_offline(csms, visit)
    expected = {"messagesInQueue": True, **({"ongoingIndicator": True} if named else {})}
    assert state_of(csms, driver.transaction if named else None) == expected
    told_offline(csms, driver, 1)


@pytest.mark.tc("TC_E_40_CS")
@pytest.mark.req("E11.FR.01", "E11.FR.02", "E11.FR.03")
def test_tc_e_40_the_connection_is_lost_during_a_transaction(csms, visit):
    driver = visit(variables=SAMPLED)
    driver.charge()
    driver.go_offline()
    before = driver.station.transaction()["seq_no"]
    driver.station.wait(lambda: driver.station.transaction()["seq_no"] >= before + 2, "two samples offline")
    network(driver.station, True)
    told_offline(csms, driver)


@pytest.mark.tc("TC_E_31_CS")
@pytest.mark.req("E14.FR.03", "E14.FR.04")
@pytest.mark.parametrize("stop", ["PowerPathClosed", "EVConnected"])
def test_tc_e_31_ended_offline_and_messages_wait(csms, visit, stop):
    driver = visit(stop=stop, variables={**SAMPLED, "SampledDataCtrlr/TxUpdatedInterval": 0})
    driver.charge()
    driver.go_offline()
    driver.station.card()
    driver.station.wait(lambda: not locked(driver.station), "the cable is free")
    driver.station.unplug()
    driver.station.wait_state(None)
    csms.silent = {"TransactionEvent"}
    network(driver.station, True)
    csms.wait_connection(2)
    assert state_of(csms, driver.transaction) == {"ongoingIndicator": False, "messagesInQueue": True}
    csms.silent = set()
    csms.disconnect()
    csms.mark()
    whole = driver.stop == "PowerPathClosed"
    driver.event("StopAuthorized", ends=whole, offline=True, idToken=id_token())
    if not whole:
        driver.event("ChargingStateChanged", offline=True, transactionInfo={"chargingState": "EVConnected"})
        driver.event("EVCommunicationLost", ends=True, offline=True, transactionInfo={"chargingState": "Idle"})


def locked(station) -> bool:
    return bool(station.status()["evses"][0]["connectors"][0]["locked"])


@pytest.mark.tc("TC_E_43_CS")
@pytest.mark.req("E12.FR.01", "E12.FR.02")
def test_tc_e_43_a_transaction_while_the_connection_is_lost(csms, visit):
    driver = visit(variables={"AuthCtrlr/OfflineTxForUnknownIdEnabled": True})
    driver.go_offline()
    driver.station.plug()
    driver.station.card()
    driver.station.wait_state("Charging")
    driver.station.card()
    driver.station.wait_state(None)
    driver.station.unplug()
    network(driver.station, True)
    driver.event("Authorized", offline=True, idToken=id_token())
    driver.event("ChargingStateChanged", offline=True, transactionInfo={"chargingState": "Charging"})
    driver.event("StopAuthorized", ends=True, offline=True, idToken=id_token())


@pytest.mark.tc("TC_E_44_CS")
@pytest.mark.req("E08.FR.01", "E08.FR.04", "E08.FR.05", "E08.FR.06", "E08.FR.07", "E08.FR.08")
def test_tc_e_44_ended_offline_by_the_same_card(csms, visit):
    driver = visit()
    driver.charge()
    driver.go_offline()
    driver.station.card()
    driver.station.wait_state(None)
    driver.station.unplug()
    network(driver.station, True)
    driver.event("StopAuthorized", ends=True, offline=True, idToken=id_token())


@pytest.mark.tc("TC_E_45_CS")
@pytest.mark.req("E08.FR.02", "E08.FR.04", "E08.FR.05", "E08.FR.06", "E08.FR.07", "E08.FR.08")
@pytest.mark.parametrize("where", ["cache", "list"])
def test_tc_e_45_ended_offline_by_another_card_of_the_group(csms, visit, where):
    driver = visit()
    if where == "cache":
        cached(csms, driver.station, OTHER, group="FLEET")
    else:
        listed(csms, {OTHER: token_info(group="FLEET")})
    knows(csms, {CARD: token_info(group="FLEET"), OTHER: token_info(group="FLEET")})
    driver.charge()
    driver.go_offline()
    driver.station.card(OTHER)
    driver.station.wait_state(None)
    driver.station.unplug()
    network(driver.station, True)
    driver.event("StopAuthorized", ends=True, offline=True, idToken=id_token(OTHER))
