"""Transactions (block E): the points at which they start."""

import pytest
from support.v201 import TOKEN
from support.visit import Visit

SIGNED = "signed_meter = true"
SOON = {
    "TxCtrlr/EVConnectionTimeOut": 2,
    "AuthCacheCtrlr/Enabled": False,
    "AuthCtrlr/LocalPreAuthorize": False,
}


@pytest.mark.tc("TC_E_01_CS")
@pytest.mark.req("E01.FR.05", "E01.FR.07", "E01.FR.10", "E01.FR.15", "E01.FR.16")
def test_tc_e_01_power_path_closed(visit):
    driver = visit("PowerPathClosed")
    driver.authorize()
    driver.connect()
    assert driver.events[0]["idToken"] == TOKEN
    driver.charge()


@pytest.mark.tc("TC_E_02_CS")
@pytest.mark.req("E01.FR.06", "E01.FR.10")
def test_tc_e_02_energy_transfer(csms, visit):
    driver = visit("EnergyTransfer")
    driver.authorize()
    driver.connect()
    csms.expect("TransactionEvent", **_first("ChargingStateChanged", transactionInfo={"chargingState": "Charging"}))


def _first(trigger: str, **fields) -> dict:
    """The start of a transaction at the EVSE of the driver who is known already."""
    place = {"evse": {"id": 1, "connectorId": 1}}
    return {"eventType": "Started", "triggerReason": trigger, "idToken": TOKEN, **place, **fields}


@pytest.mark.tc("TC_E_03_CS")
@pytest.mark.req("E02.FR.01", "E02.FR.05", "E02.FR.06", "E02.FR.07", "E02.FR.13", "E02.FR.15", "E02.FR.16", "E02.FR.17")
@pytest.mark.parametrize("start", ["EVConnected", "PowerPathClosed"])
def test_tc_e_03_the_cable_first(visit, start):
    driver = visit(start)
    driver.connect()
    driver.authorize()
    driver.charge()


@pytest.mark.tc("TC_E_04_CS")
@pytest.mark.req("E03.FR.01", "E03.FR.06", "E03.FR.12", "E01.FR.16")
@pytest.mark.parametrize("start", ["Authorized", "PowerPathClosed", "ParkingBayOccupancy"])
def test_tc_e_04_the_card_first(visit, start):
    driver = visit(start, bay=True)
    driver.park()
    driver.authorize()
    driver.charge()


@pytest.mark.tc("TC_E_05_CS")
@pytest.mark.req("E03.FR.01", "E03.FR.05", "E03.FR.06", "E03.FR.12")
def test_tc_e_05_nobody_plugs_in(csms, visit):
    driver = visit("Authorized", "Authorized", variables=SOON)
    driver.authorize()
    driver.event("EVConnectTimeout", ends=True, transactionInfo={"stoppedReason": "Timeout"})
    again = Visit(csms, driver.station, "Authorized", "Authorized")
    again.authorize()
    again.charge()


@pytest.mark.tc("TC_E_05_CS")
@pytest.mark.req("E03.FR.15")
def test_tc_e_05_nobody_plugs_in_and_the_bay_is_occupied(visit):
    driver = visit("Authorized", "ParkingBayOccupancy", bay=True, variables=SOON)
    driver.park()
    driver.authorize()
    driver.event("EVConnectTimeout")
    driver.authorize()
    driver.charge()


@pytest.mark.tc("TC_E_09_CS")
@pytest.mark.req("E01.FR.02", "E01.FR.07", "E01.FR.10", "E01.FR.15", "E01.FR.16")
def test_tc_e_09_ev_connected(visit):
    driver = visit("EVConnected", bay=True)
    driver.park()
    driver.connect()
    assert driver.events[0]["eventType"] == "Started"
    driver.authorize()
    driver.charge()


@pytest.mark.tc("TC_E_10_CS")
@pytest.mark.req("E01.FR.03", "E01.FR.07", "E01.FR.10", "E01.FR.15", "E01.FR.16")
def test_tc_e_10_authorized_by_a_card(visit):
    driver = visit("Authorized")
    driver.authorize()
    assert driver.events[0]["eventType"] == "Started"
    driver.connect()
    driver.charge()


@pytest.mark.tc("TC_E_11_CS")
@pytest.mark.req("E01.FR.04", "E01.FR.10", "E01.FR.15", "E01.FR.16")
def test_tc_e_11_data_signed(visit):
    driver = visit("DataSigned", variables={"SampledDataCtrlr/SignReadings": True}, simulation=SIGNED)
    driver.authorize()
    driver.connect()
    driver.charge()
    assert driver.events[0]["idToken"] == TOKEN
    begin = driver.events[0]["meterValue"][0]["sampledValue"][0]
    assert begin["context"] == "Transaction.Begin"
    signed = begin["signedMeterValue"]
    assert set(signed) == {"signedMeterData", "signingMethod", "encodingMethod", "publicKey"}
    assert signed["signedMeterData"]
    assert signed["encodingMethod"]


@pytest.mark.tc("TC_E_12_CS")
@pytest.mark.req("E01.FR.01", "E01.FR.15")
def test_tc_e_12_parking_bay_occupancy(visit):
    driver = visit("ParkingBayOccupancy", bay=True)
    driver.park()
    assert driver.events[0]["eventType"] == "Started"
    driver.authorize()
    driver.connect()
    driver.charge()


@pytest.mark.tc("TC_E_13_CS")
@pytest.mark.req("E01.FR.03", "F01.FR.03", "F02.FR.01")
def test_tc_e_13_authorized_by_the_csms(visit):
    driver = visit("Authorized", variables={"AuthCtrlr/AuthorizeRemoteStart": False})
    driver.authorize_remotely()
    assert driver.events[0]["eventType"] == "Started"
    driver.connect()
    driver.charge()


@pytest.mark.tc("TC_E_38_CS")
@pytest.mark.req("E01.FR.19")
def test_tc_e_38_an_ev_that_is_not_ready(visit):
    driver = visit()
    driver.authorize()
    driver.connect(requests_energy=False)
    driver.event("ChargingStateChanged", transactionInfo={"chargingState": "SuspendedEV"})


@pytest.mark.tc("TC_E_39_CS")
@pytest.mark.req("E03.FR.05")
def test_tc_e_39_plugged_in_too_late(csms, visit):
    driver = visit("Authorized", "Authorized", variables={"TxCtrlr/EVConnectionTimeOut": 1})
    driver.authorize()
    driver.event("EVConnectTimeout", ends=True, transactionInfo={"stoppedReason": "Timeout"})
    driver.station.plug()
    csms.expect("StatusNotification", evseId=1, connectorStatus="Occupied")
    csms.nothing("TransactionEvent")


@pytest.mark.tc("TC_E_39_CS")
@pytest.mark.req("E03.FR.15")
def test_tc_e_39_plugged_in_too_late_in_a_bay(csms, visit):
    late = {"TxCtrlr/EVConnectionTimeOut": 1}
    driver = visit("ParkingBayOccupancy", "ParkingBayOccupancy", bay=True, variables=late)
    driver.park()
    driver.authorize()
    driver.event("EVConnectTimeout")
    driver.station.plug()
    csms.expect_all(
        ("StatusNotification", {"evseId": 1, "connectorStatus": "Occupied"}),
        ("TransactionEvent", {"triggerReason": "CablePluggedIn", "transactionInfo": {"chargingState": "EVConnected"}}),
    )
    csms.nothing("TransactionEvent")


@pytest.mark.tc("TC_E_52_CS")
@pytest.mark.req("C01.FR.05")
def test_tc_e_52_without_remote_authorization(csms, visit):
    driver = visit(variables={"AuthCtrlr/DisableRemoteAuthorization": True})
    driver.station.card()
    csms.nothing("Authorize")
    driver.connect()
    csms.nothing("TransactionEvent")
    assert driver.station.transaction() is None
