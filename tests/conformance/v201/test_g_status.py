"""Availability (block G): what is told of connectors, and of locks that fail."""

import pytest
from support.v201 import CARD, authorize, connect, listed, token_info, unplug


def occupied(csms) -> None:
    told = csms.expect("StatusNotification", connectorStatus="Occupied")
    assert (told["evseId"], told["connectorId"]) == (1, 1)


@pytest.mark.tc("TC_G_01_CS")
@pytest.mark.req("G01.FR.01", "G01.FR.03")
def test_tc_g_01_available_to_occupied(csms, station):
    station.plug()
    occupied(csms)


@pytest.mark.tc("TC_G_02_CS")
@pytest.mark.req("G01.FR.01", "G01.FR.04")
def test_tc_g_02_occupied_to_available(csms, station):
    connect(csms, station)
    unplug(csms, station)


@pytest.mark.req("G01.FR.08")
def test_the_other_connector_of_an_evse_keeps_its_status(setup, csms):
    station = setup.start(connector="\n[[evse.connector]]")
    station.plug()
    occupied(csms)
    csms.nothing("StatusNotification")
    there = {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 2}}
    assert csms.call("TriggerMessage", there)["status"] == "Accepted"
    assert csms.expect("StatusNotification")["connectorStatus"] == "Available"


@pytest.mark.tc("TC_G_20_CS")
@pytest.mark.req("G05.FR.01", "G05.FR.02")
def test_tc_g_20_a_lock_that_fails(csms, station):
    connect(csms, station)
    station.post("/api/sim/evses/1/connectors/1/fault", {"kind": "LockJammed", "active": True})
    authorize(csms, station)
    event = csms.expect("NotifyEvent")["eventData"][0]
    assert (event["trigger"], event["actualValue"]) == ("Delta", "true")
    assert event["component"]["name"] == "ConnectorPlugRetentionLock"
    assert event["component"]["evse"] == {"id": 1, "connectorId": 1}
    assert event["variable"]["name"] == "Problem"
    csms.nothing("nothing at all")
    assert not [each for each in csms.all("TransactionEvent") if charges(each)]
    assert station.transaction()["state"] != "Charging"


def charges(event: dict) -> bool:
    return event["transactionInfo"].get("chargingState") == "Charging"


def test_after_a_lock_has_failed_the_next_driver_is_served(csms, station):
    listed(csms, {CARD: token_info()})
    connect(csms, station)
    jammed = {"kind": "LockJammed", "active": True}
    station.post("/api/sim/evses/1/connectors/1/fault", jammed)
    station.card()
    csms.expect("StatusNotification", connectorStatus="Faulted")
    station.unplug()
    csms.expect("StatusNotification", connectorStatus="Available")
    station.post("/api/sim/evses/1/connectors/1/fault", {**jammed, "active": False})
    connect(csms, station)
    station.card()
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
