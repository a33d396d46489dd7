"""Provisioning (block B): resets of the station and of an EVSE."""

import pytest
from support.v201 import TOKEN, booted, charging, value

KEEP = "keep_on_restart = true"


@pytest.fixture
def lasting(setup):
    """A station whose cables stay in while it restarts."""
    return setup.start(evses=2, simulation=KEEP)


def reset(csms, kind, **more):
    return csms.call("Reset", {"type": kind, **more})["status"]


@pytest.mark.tc("TC_B_20_CS")
@pytest.mark.req("B11.FR.01", "B11.FR.03", "B11.FR.04", "B01.FR.03")
@pytest.mark.parametrize("kind", ["OnIdle", "Immediate"])
def test_tc_b_20_without_transaction(setup, csms, station, kind):
    assert reset(csms, kind) == "Accepted"
    assert booted(setup, "RemoteReset") == {1: "Available", 2: "Available"}


def stop_locally(csms, station, transaction, evse=1):
    """StopAuthorized; the cable stays in."""
    station.card("04A2B3C4D5E6F7", evse)
    csms.expect("TransactionEvent", eventType="Ended", transactionInfo={"transactionId": transaction})


@pytest.mark.tc("TC_B_21_CS")
@pytest.mark.req("B12.FR.01", "B12.FR.03")
def test_tc_b_21_on_idle_with_transaction(setup, csms, lasting):
    transaction = charging(csms, lasting)
    assert reset(csms, "OnIdle") == "Scheduled"
    csms.nothing("TransactionEvent")
    stop_locally(csms, lasting, transaction)
    assert booted(setup, "ScheduledReset") == {1: "Occupied", 2: "Available"}


@pytest.mark.tc("TC_B_22_CS")
@pytest.mark.req("B12.FR.02", "B12.FR.04", "B01.FR.03")
def test_tc_b_22_immediate_with_transaction(setup, csms, lasting):
    transaction = charging(csms, lasting)
    assert reset(csms, "Immediate") == "Accepted"
    ended = csms.expect("TransactionEvent", eventType="Ended", triggerReason="ResetCommand")
    info = ended["transactionInfo"]
    assert (info["transactionId"], info["chargingState"]) == (transaction, "EVConnected")
    assert info["stoppedReason"] == "ImmediateReset"
    assert "idToken" not in ended
    assert booted(setup, "RemoteReset") == {1: "Occupied", 2: "Available"}


@pytest.mark.tc("TC_B_23_CS")
@pytest.mark.req("B11.FR.01", "B11.FR.02", "B11.FR.03", "B11.FR.04", "B01.FR.03")
def test_tc_b_23_unavailable_persists(setup, csms, station):
    wish = {"operationalStatus": "Inoperative", "evse": {"id": 1, "connectorId": 1}}
    assert csms.call("ChangeAvailability", wish)["status"] == "Accepted"
    csms.expect("StatusNotification", evseId=1, connectorId=1, connectorStatus="Unavailable")
    assert reset(csms, "OnIdle") == "Accepted"
    assert booted(setup, "RemoteReset") == {1: "Unavailable", 2: "Available"}


@pytest.mark.tc("TC_B_24_CS")
@pytest.mark.req("B11.FR.01", "B11.FR.03", "B11.FR.04", "B11.FR.05", "B01.FR.03", "B01.FR.13")
def test_tc_b_24_reserved_persists(setup, csms, station):
    wish = {"id": 5, "expiryDateTime": "2099-01-01T00:00:00Z", "evseId": 1, "idToken": TOKEN}
    assert csms.call("ReserveNow", wish)["status"] == "Accepted"
    csms.expect("StatusNotification", evseId=1, connectorId=1, connectorStatus="Reserved")
    assert reset(csms, "Immediate") == "Accepted"
    assert booted(setup, "RemoteReset") == {1: "Reserved", 2: "Available"}


@pytest.mark.tc("TC_B_41_CS")
@pytest.mark.req("B12.FR.01", "B12.FR.03")
def test_tc_b_41_on_idle_with_several_transactions(setup, csms, lasting):
    first = charging(csms, lasting, 1)
    second = charging(csms, lasting, 2, card="04FFEEDDCCBBAA")
    assert reset(csms, "OnIdle") == "Scheduled"
    stop_locally(csms, lasting, first)
    lasting.unplug(1)
    csms.expect("StatusNotification", evseId=1, connectorStatus="Available")
    csms.nothing("TransactionEvent", "BootNotification")
    lasting.card("04FFEEDDCCBBAA", 2)
    csms.expect("TransactionEvent", eventType="Ended", transactionInfo={"transactionId": second})
    assert booted(setup, "ScheduledReset") == {1: "Available", 2: "Occupied"}


def evse_restarts(csms, status):
    csms.expect("StatusNotification", evseId=1, connectorStatus="Unavailable")
    csms.expect("StatusNotification", evseId=1, connectorStatus=status)
    assert csms.connections == 1


@pytest.mark.tc("TC_B_25_CS")
@pytest.mark.req("B11.FR.01", "B11.FR.08", "B11.FR.10")
@pytest.mark.parametrize("kind", ["OnIdle", "Immediate"])
def test_tc_b_25_an_evse_without_transaction(csms, station, kind):
    assert value(csms, "EVSE@1/AllowReset") == "true"
    assert reset(csms, kind, evseId=1) == "Accepted"
    evse_restarts(csms, "Available")


@pytest.mark.tc("TC_B_26_CS")
@pytest.mark.req("B12.FR.01", "B12.FR.07")
def test_tc_b_26_an_evse_on_idle_with_transaction(csms, station):
    transaction = charging(csms, station)
    other = charging(csms, station, 2, card="04FFEEDDCCBBAA")
    assert reset(csms, "OnIdle", evseId=1) == "Scheduled"
    csms.nothing("TransactionEvent", "StatusNotification")
    stop_locally(csms, station, transaction)
    evse_restarts(csms, "Occupied")
    assert station.transaction(2)["id"] == other


@pytest.mark.tc("TC_B_27_CS")
@pytest.mark.req("B12.FR.02", "B12.FR.08")
def test_tc_b_27_an_evse_immediately_with_transaction(csms, station):
    transaction = charging(csms, station)
    other = charging(csms, station, 2, card="04FFEEDDCCBBAA")
    assert reset(csms, "Immediate", evseId=1) == "Accepted"
    ended = csms.expect("TransactionEvent", eventType="Ended", triggerReason="ResetCommand")
    info = ended["transactionInfo"]
    assert (info["transactionId"], info["chargingState"]) == (transaction, "EVConnected")
    assert info["stoppedReason"] == "ImmediateReset"
    evse_restarts(csms, "Occupied")
    assert station.transaction(2)["id"] == other


@pytest.mark.tc("TC_B_28_CS")
@pytest.mark.req("B11.FR.01", "B11.FR.09", "B12.FR.01", "B12.FR.09")
def test_tc_b_28_an_evse_that_cannot_be_reset(setup, csms):
    setup.start(evses=2, variables={"EVSE@1/AllowReset": False})
    assert reset(csms, "OnIdle", evseId=1) == "Rejected"


@pytest.mark.tc("TC_B_29_CS")
@pytest.mark.req("B12.FR.01", "B12.FR.09")
def test_tc_b_29_an_evse_that_cannot_be_reset_with_transaction(setup, csms):
    station = setup.start(evses=2, variables={"EVSE@1/AllowReset": False})
    charging(csms, station)
    assert reset(csms, "OnIdle", evseId=1) == "Rejected"
    csms.nothing("TransactionEvent", "StatusNotification")
