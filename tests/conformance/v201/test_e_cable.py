"""Transactions (block E): cables pulled out at the EV."""

import pytest

KEPT = {"OCPPCommCtrlr/UnlockOnEVSideDisconnect": False}
GOES_ON = {**KEPT, "TxCtrlr/StopTxOnEVSideDisconnect": False}


def locked(station) -> bool:
    return bool(station.status()["evses"][0]["connectors"][0]["locked"])


def pulled(driver, *, ends: bool) -> dict:
    """The cable is pulled out of an EV that pauses; gives what is told of the transaction, and of the connector."""
    driver.charge()
    driver.suspend()
    driver.station.unplug()
    told = driver.event("EVCommunicationLost", ends=ends)["transactionInfo"]
    assert told["chargingState"] == "Idle"
    return told


@pytest.mark.tc("TC_E_24_CS")
@pytest.mark.req("E09.FR.01", "E09.FR.02", "E09.FR.04")
def test_tc_e_24_the_cable_is_released(csms, visit):
    driver = visit(variables={"OCPPCommCtrlr/UnlockOnEVSideDisconnect": True})
    pulled(driver, ends=True)
    csms.expect("StatusNotification", evseId=1, connectorId=1, connectorStatus="Available")
    assert not locked(driver.station)


@pytest.mark.tc("TC_E_25_CS")
@pytest.mark.req("E09.FR.01", "E09.FR.03", "E09.FR.04")
def test_tc_e_25_the_cable_is_kept_for_its_owner(csms, visit):
    driver = visit(variables=KEPT)
    pulled(driver, ends=True)
    csms.nothing("StatusNotification")
    assert locked(driver.station)
    driver.station.card()
    csms.expect("StatusNotification", evseId=1, connectorId=1, connectorStatus="Available")
    assert not locked(driver.station)
    csms.nothing("TransactionEvent")


@pytest.mark.tc("TC_E_26_CS")
@pytest.mark.req("E10.FR.01", "E10.FR.03")
@pytest.mark.parametrize("stop", ["Authorized", "ParkingBayOccupancy", "Authorized,ParkingBayOccupancy"])
def test_tc_e_26_plugged_in_again(csms, visit, stop):
    driver = visit(stop=stop, bay=True, variables=GOES_ON)
    driver.park()
    pulled(driver, ends=False)
    csms.nothing("StatusNotification")
    assert locked(driver.station)
    driver.station.plug()
    driver.event("CablePluggedIn", transactionInfo={"chargingState": "EVConnected"})
    driver.event("ChargingStateChanged", transactionInfo={"chargingState": "Charging"})


@pytest.mark.tc("TC_E_27_CS")
@pytest.mark.req("E10.FR.02", "E10.FR.03")
@pytest.mark.parametrize("stop", ["Authorized", "ParkingBayOccupancy"])
def test_tc_e_27_a_fixed_cable_not_plugged_in_again(csms, visit, stop):
    late = {**GOES_ON, "TxCtrlr/EVConnectionTimeOut": 1}
    driver = visit(stop=stop, bay=True, variables=late, connector="lock = false")
    driver.park()
    pulled(driver, ends=False)
    csms.expect("StatusNotification", evseId=1, connectorId=1, connectorStatus="Available")
    told = driver.event("EVConnectTimeout", ends=stop == "Authorized")["transactionInfo"]
    assert told.get("stoppedReason") == ("Timeout" if driver.ended else None)
