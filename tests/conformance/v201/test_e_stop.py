"""Transactions (block E): the points at which they end."""

import pytest
from support.v201 import CARD, cached, knows, network, token_info

EV_SIDE = {"TxCtrlr/StopTxOnEVSideDisconnect": False}
KEPT = {"OCPPCommCtrlr/UnlockOnEVSideDisconnect": False}


@pytest.mark.tc("TC_E_06_CS")
@pytest.mark.req("E07.FR.04", "E06.FR.15")
@pytest.mark.parametrize("stop", ["PowerPathClosed", "EnergyTransfer", "EVConnected", "ParkingBayOccupancy"])
def test_tc_e_06_ended_by_the_card(visit, stop):
    driver = visit(stop=stop, bay=True)
    driver.park()
    driver.charge()
    driver.leave()
    assert driver.ended


@pytest.mark.req("E06.FR.15")
@pytest.mark.parametrize(
    "stop",
    [
        pytest.param("PowerPathClosed", marks=[pytest.mark.tc("TC_E_07_CS"), pytest.mark.req("E06.FR.06")]),
        pytest.param("Authorized", marks=[pytest.mark.tc("TC_E_15_CS"), pytest.mark.req("E06.FR.03")]),
    ],
)
def test_tc_e_07_15_the_card_ends_the_transaction_at_once(visit, stop):
    driver = visit(stop=stop)
    driver.charge()
    driver.end_authorization()
    assert driver.ended
    assert driver.events[-1]["transactionInfo"]["chargingState"] == "EVConnected"


@pytest.mark.tc("TC_E_08_CS")
@pytest.mark.req("E06.FR.07", "E06.FR.15")
def test_tc_e_08_energy_transfer_ended_by_the_card(visit):
    driver = visit(stop="EnergyTransfer")
    driver.charge()
    driver.end_authorization()
    driver.finish()
    assert driver.ended


@pytest.mark.tc("TC_E_14_CS")
@pytest.mark.req("E06.FR.02", "E06.FR.15")
def test_tc_e_14_disconnected_after_the_card(visit):
    driver = visit(stop="EVConnected")
    driver.charge()
    driver.end_authorization()
    driver.finish()
    driver.disconnect()
    assert driver.ended
    assert driver.events[-1]["transactionInfo"]["stoppedReason"] in ("Local", "EVDisconnected")


@pytest.mark.tc("TC_E_16_CS")
@pytest.mark.req("E06.FR.04", "E06.FR.15", "C15.FR.04", "E05.FR.10")
def test_tc_e_16_started_offline_and_refused_later(csms, visit):
    driver = visit(stop="Authorized", variables={"AuthCtrlr/OfflineTxForUnknownIdEnabled": True})
    cached(csms, driver.station)
    driver.go_offline()
    driver.station.card()
    driver.station.plug()
    driver.station.wait_state("Charging")
    knows(csms, {CARD: token_info("Invalid")})
    network(driver.station, True)
    while (event := csms.expect("TransactionEvent"))["eventType"] != "Ended":
        assert event["offline"] is True
    assert event["triggerReason"] == "Deauthorized"
    assert event["transactionInfo"]["stoppedReason"] == "DeAuthorized"


@pytest.mark.tc("TC_E_17_CS")
@pytest.mark.req("E06.FR.15", "E09.FR.01", "E09.FR.03")
def test_tc_e_17_disconnected_at_the_ev(csms, visit):
    driver = visit(stop="Authorized", variables=KEPT)
    driver.charge()
    driver.station.unplug()
    told = driver.event("EVCommunicationLost", ends=True)["transactionInfo"]
    assert (told["chargingState"], told["stoppedReason"]) == ("Idle", "EVDisconnected")
    assert locked(driver.station)
    driver.station.card()
    driver.station.wait(lambda: not locked(driver.station), "the cable is free")
    assert driver.station.status()["evses"][0]["connectors"][0]["status"] == "Available"


def locked(station) -> bool:
    return bool(station.status()["evses"][0]["connectors"][0]["locked"])


@pytest.mark.tc("TC_E_19_CS")
@pytest.mark.req("E06.FR.01", "E06.FR.15")
def test_tc_e_19_parking_bay_left(visit):
    driver = visit(stop="ParkingBayOccupancy", bay=True)
    driver.park()
    driver.charge()
    driver.leave()
    assert driver.events[-1]["transactionInfo"]["stoppedReason"] == "Local"


@pytest.mark.req("E06.FR.15")
@pytest.mark.parametrize(
    ("stop", "evse"),
    [
        pytest.param("EVConnected", "", marks=[pytest.mark.tc("TC_E_20_CS"), pytest.mark.req("E06.FR.02")]),
        pytest.param("PowerPathClosed", "", marks=[pytest.mark.tc("TC_E_37_CS"), pytest.mark.req("E06.FR.06")]),
        pytest.param(
            "EVConnected",
            "iso15118 = true",
            marks=[pytest.mark.tc("TC_E_54_CS"), pytest.mark.req("E06.FR.02")],
        ),
    ],
)
def test_tc_e_20_37_54_disconnected_at_the_ev_while_it_pauses(visit, stop, evse):
    driver = visit(stop=stop, evse=evse, variables=EV_SIDE)
    driver.charge()
    driver.suspend()
    driver.station.unplug()
    told = driver.event("EVCommunicationLost", ends=True)["transactionInfo"]
    assert (told["chargingState"], told["stoppedReason"]) == ("Idle", "EVDisconnected")


@pytest.mark.req("E06.FR.15", "F03.FR.09")
@pytest.mark.parametrize(
    "stop",
    [
        pytest.param("Authorized", marks=[pytest.mark.tc("TC_E_21_CS"), pytest.mark.req("E06.FR.03")]),
        pytest.param("PowerPathClosed", marks=[pytest.mark.tc("TC_E_35_CS"), pytest.mark.req("E06.FR.06")]),
    ],
)
def test_tc_e_21_35_ended_by_the_csms(visit, stop):
    driver = visit(stop=stop)
    driver.charge()
    driver.end_authorization_remotely()
    assert driver.ended


@pytest.mark.tc("TC_E_22_CS")
@pytest.mark.req("E06.FR.07", "E06.FR.15", "E06.FR.08")
def test_tc_e_22_energy_transfer_ended_by_the_ev(visit):
    driver = visit(stop="EnergyTransfer")
    driver.charge()
    driver.suspend()
    assert driver.ended


@pytest.mark.tc("TC_E_46_CS")
@pytest.mark.req("E15.FR.04", "E15.FR.05")
@pytest.mark.parametrize("stop", ["Authorized", "PowerPathClosed", "EnergyTransfer", "EVConnected"])
def test_tc_e_46_the_ev_ends_its_session(visit, stop):
    driver = visit("EVConnected", stop, evse="iso15118 = true")
    driver.connect()
    driver.charge()
    driver.station.post("/api/sim/evses/1/iso15118", {"session_stop": "Terminate"})
    ends = stop != "EVConnected"
    told = driver.event("StopAuthorized", ends=ends)["transactionInfo"]
    assert told["chargingState"] == "EVConnected"
    assert told.get("stoppedReason") == ("StoppedByEV" if ends else None)
