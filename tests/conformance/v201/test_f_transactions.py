"""Remote control (block F): transactions that the CSMS starts and stops."""

import pytest
from support.v201 import charging

ASKED = {"AuthCtrlr/AuthorizeRemoteStart": True}
TRUSTED = {"AuthCtrlr/AuthorizeRemoteStart": False}


@pytest.mark.tc("TC_F_01_CS")
@pytest.mark.req("F01.FR.03", "F01.FR.04", "F01.FR.05", "F01.FR.13", "F01.FR.17", "F01.FR.19", "F02.FR.01", "F01.FR.18")
@pytest.mark.parametrize("start", ["EVConnected", "PowerPathClosed", "ParkingBayOccupancy"])
@pytest.mark.parametrize("rules", [ASKED, TRUSTED], ids=["asked", "trusted"])
def test_tc_f_01_the_cable_first(visit, start, rules):
    driver = visit(start, bay=True, variables=rules)
    driver.park()
    driver.connect()
    driver.authorize_remotely(asks=rules is ASKED)
    driver.charge()


@pytest.mark.tc("TC_F_02_CS")
@pytest.mark.req("F01.FR.01", "F02.FR.01", "F02.FR.05", "F02.FR.09", "F02.FR.11", "F02.FR.12", "F02.FR.13")
@pytest.mark.parametrize("start", ["Authorized", "PowerPathClosed", "ParkingBayOccupancy", "EVConnected"])
def test_tc_f_02_the_request_first_and_the_token_is_asked_about(visit, start):
    driver = visit(start, bay=True, variables=ASKED)
    driver.park()
    driver.authorize_remotely(asks=True)
    driver.charge()


@pytest.mark.tc("TC_F_03_CS")
@pytest.mark.req("F01.FR.02", "F02.FR.01", "F02.FR.05", "F02.FR.10", "F02.FR.11", "F02.FR.12", "F02.FR.13")
@pytest.mark.parametrize("start", ["Authorized", "PowerPathClosed", "ParkingBayOccupancy", "EVConnected"])
def test_tc_f_03_the_request_first_and_the_token_is_trusted(csms, visit, start):
    driver = visit(start, bay=True, variables=TRUSTED)
    driver.park()
    driver.authorize_remotely()
    driver.charge()
    assert not csms.all("Authorize")


@pytest.mark.tc("TC_F_04_CS")
@pytest.mark.req("F02.FR.01", "F02.FR.07", "E03.FR.01", "E03.FR.05")
def test_tc_f_04_nobody_plugs_in(csms, visit):
    driver = visit("Authorized", "Authorized", variables={"TxCtrlr/EVConnectionTimeOut": 1, **TRUSTED})
    driver.authorize_remotely()
    driver.event("EVConnectTimeout", ends=True)
    again = type(driver)(csms, driver.station, driver.start, driver.stop)
    again.authorize_remotely(8)


@pytest.mark.req("F02.FR.08")
def test_nobody_plugs_in_where_the_bay_is_a_stop_point(csms, visit):
    rules = {"TxCtrlr/EVConnectionTimeOut": 1, **TRUSTED}
    driver = visit("Authorized", "ParkingBayOccupancy", bay=True, variables=rules)
    driver.park()
    driver.authorize_remotely()
    driver.event("EVConnectTimeout")
    csms.nothing("TransactionEvent")
    driver.drive_away()
    assert driver.ended


@pytest.mark.tc("TC_F_08_CS")
@pytest.mark.req("F03.FR.02", "F03.FR.03", "F03.FR.07", "F03.FR.09")
@pytest.mark.parametrize("stop", ["PowerPathClosed", "Authorized", "EnergyTransfer", "EVConnected"])
def test_tc_f_08_a_transaction_is_stopped(visit, stop):
    driver = visit(stop=stop)
    driver.charge()
    driver.end_authorization_remotely()


@pytest.mark.req("F04.FR.02", "F04.FR.03")
def test_a_transaction_that_is_stopped_ends_when_the_cable_is_out(visit):
    driver = visit(stop="EVConnected")
    driver.charge()
    driver.end_authorization_remotely()
    driver.finish()
    connector = driver.station.status()["evses"][0]["connectors"][0]
    assert not connector["locked"]
    driver.disconnect()
    assert driver.events[-1]["transactionInfo"]["stoppedReason"] == "Remote"


@pytest.mark.tc("TC_F_09_CS")
@pytest.mark.req("F03.FR.08")
def test_tc_f_09_an_unknown_transaction_is_not_stopped(csms, station):
    transaction = charging(csms, station)
    answer = csms.call("RequestStopTransaction", {"transactionId": f"not {transaction}"[:36]})
    assert answer["status"] == "Rejected"
    csms.nothing("TransactionEvent")
