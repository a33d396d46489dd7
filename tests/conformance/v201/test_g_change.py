"""Availability (block G): station, EVSEs and connectors go out of service and come back."""

import pytest
from support.v201 import booted, charging, stop, unplug
from support.visit import Visit

STATION, EVSE, CONNECTOR = {}, {"evse": {"id": 1}}, {"evse": {"id": 1, "connectorId": 1}}
KEEP = "keep_on_restart = true"

pytestmark = pytest.mark.req("G03.FR.01", "G03.FR.02", "G04.FR.02", "G04.FR.03")


def change(csms, state: str, what: dict) -> str:
    return csms.call("ChangeAvailability", {"operationalStatus": state, **what})["status"]


def told(csms, what: dict, status: str) -> None:
    """The status of every connector concerned comes, after the answer, and nobody else's."""
    evses = [what["evse"]["id"]] if what else [1, 2]
    place = [{"evseId": evse, "connectorId": 1, "connectorStatus": status} for evse in evses]
    csms.expect_all(*[("StatusNotification", fields) for fields in place])
    csms.nothing("StatusNotification", within=0.1)
    frames = [frame for frame in csms.frames if frame[0] == 3 or frame[2] == "StatusNotification"]
    assert frames[-len(evses) - 1][0] == 3


def out_of_service(csms, what: dict) -> None:
    """Unavailable."""
    assert change(csms, "Inoperative", what) == "Accepted"
    told(csms, what, "Unavailable")


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(EVSE, marks=[pytest.mark.tc("TC_G_03_CS"), pytest.mark.req("G03.FR.04", "G03.FR.06")], id="EVSE"),
        pytest.param(
            STATION,
            marks=[pytest.mark.tc("TC_G_05_CS"), pytest.mark.req("G04.FR.01", "G04.FR.05", "G04.FR.07")],
            id="station",
        ),
        pytest.param(CONNECTOR, marks=[pytest.mark.tc("TC_G_07_CS"), pytest.mark.req("G03.FR.04")], id="connector"),
    ],
)
@pytest.mark.usefixtures("station")
def test_tc_g_03_05_07_out_of_service(csms, what):
    out_of_service(csms, what)


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(EVSE, marks=[pytest.mark.tc("TC_G_04_CS"), pytest.mark.req("G03.FR.04", "G03.FR.07")], id="EVSE"),
        pytest.param(
            STATION,
            marks=[pytest.mark.tc("TC_G_06_CS"), pytest.mark.req("G04.FR.01", "G04.FR.05", "G04.FR.08")],
            id="station",
        ),
        pytest.param(CONNECTOR, marks=[pytest.mark.tc("TC_G_08_CS"), pytest.mark.req("G03.FR.04")], id="connector"),
    ],
)
@pytest.mark.usefixtures("station")
def test_tc_g_04_06_08_back_in_service(csms, what):
    out_of_service(csms, what)
    assert change(csms, "Operative", what) == "Accepted"
    told(csms, what, "Available")


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(EVSE, marks=[pytest.mark.tc("TC_G_09_CS"), pytest.mark.req("G03.FR.03")], id="EVSE"),
        pytest.param(STATION, marks=[pytest.mark.tc("TC_G_12_CS"), pytest.mark.req("G04.FR.04")], id="station"),
        pytest.param(CONNECTOR, marks=[pytest.mark.tc("TC_G_15_CS"), pytest.mark.req("G03.FR.03")], id="connector"),
    ],
)
@pytest.mark.usefixtures("station")
def test_tc_g_09_12_15_in_service_already(csms, what):
    assert change(csms, "Operative", what) == "Accepted"
    told(csms, what, "Available")


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(EVSE, marks=[pytest.mark.tc("TC_G_10_CS"), pytest.mark.req("G03.FR.03")], id="EVSE"),
        pytest.param(STATION, marks=[pytest.mark.tc("TC_G_13_CS"), pytest.mark.req("G04.FR.04")], id="station"),
        pytest.param(CONNECTOR, marks=[pytest.mark.tc("TC_G_16_CS"), pytest.mark.req("G03.FR.03")], id="connector"),
    ],
)
@pytest.mark.usefixtures("station")
def test_tc_g_10_13_16_out_of_service_already(csms, what):
    out_of_service(csms, what)
    assert change(csms, "Inoperative", what) == "Accepted"
    told(csms, what, "Unavailable")


# -- while somebody charges -------------------------------------------------------------------------------------------


def leaves_out_of_service(csms, driver: Visit) -> None:
    """Whoever charges there goes; from the end of the transaction, or without cable, the connector is Unavailable."""
    gone = False

    def unplugs() -> None:
        driver.station.unplug()
        if not driver.ended:
            driver.event("EVCommunicationLost", ends="EVConnected" in driver.stop)

    for step in (driver.end_authorization, driver.finish, unplugs, driver.drive_away):
        step()
        if not gone and (driver.ended or step is unplugs):
            gone = True
            csms.expect("StatusNotification", connectorStatus="Unavailable", evseId=1, connectorId=1)
    assert gone
    assert driver.ended
    csms.nothing("StatusNotification", within=0.1)
    statuses = [each["connectorStatus"] for each in csms.all("StatusNotification") if each["evseId"] == 1]
    assert statuses == ["Available", "Occupied", "Unavailable"]


@pytest.mark.parametrize("stop_point", ["PowerPathClosed", "EnergyTransfer", "EVConnected", "ParkingBayOccupancy"])
@pytest.mark.parametrize(
    "what",
    [
        pytest.param(EVSE, marks=[pytest.mark.tc("TC_G_11_CS"), pytest.mark.req("G03.FR.05", "G01.FR.05")], id="EVSE"),
        pytest.param(
            STATION,
            marks=[pytest.mark.tc("TC_G_14_CS"), pytest.mark.req("G04.FR.05", "G04.FR.06", "G01.FR.05")],
            id="station",
        ),
        pytest.param(
            CONNECTOR, marks=[pytest.mark.tc("TC_G_17_CS"), pytest.mark.req("G03.FR.05", "G01.FR.05")], id="connector"
        ),
    ],
)
def test_tc_g_11_14_17_while_somebody_charges(csms, visit, what, stop_point):
    driver = visit(stop=stop_point, bay=True)
    driver.park()
    driver.charge()
    assert change(csms, "Inoperative", what) == "Scheduled"
    if what is STATION:
        told(csms, {"evse": {"id": 2}}, "Unavailable")
    csms.nothing("StatusNotification", "TransactionEvent", within=0.1)
    leaves_out_of_service(csms, driver)


@pytest.mark.req("G03.FR.05")
def test_a_change_that_waits_is_taken_back(setup, csms, station):
    transaction = charging(csms, station)
    assert change(csms, "Inoperative", EVSE) == "Scheduled"
    assert change(csms, "Operative", EVSE) == "Accepted"
    stop(csms, station, transaction)
    unplug(csms, station)
    assert csms.call("Reset", {"type": "OnIdle"})["status"] == "Accepted"
    assert booted(setup, "RemoteReset") == {1: "Available", 2: "Available"}


# -- over a restart ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(EVSE, marks=[pytest.mark.tc("TC_G_18_CS"), pytest.mark.req("G03.FR.08", "G01.FR.02")], id="EVSE"),
        pytest.param(CONNECTOR, marks=[pytest.mark.tc("TC_G_19_CS"), pytest.mark.req("G03.FR.08")], id="connector"),
        pytest.param(STATION, marks=[pytest.mark.tc("TC_G_21_CS"), pytest.mark.req("G04.FR.09")], id="station"),
    ],
)
@pytest.mark.usefixtures("station")
def test_tc_g_18_19_21_out_of_service_over_a_restart(setup, csms, what):
    out_of_service(csms, what)
    assert change(csms, "Inoperative", what) == "Accepted"
    told(csms, what, "Unavailable")
    assert csms.call("Reset", {"type": "Immediate"})["status"] == "Accepted"
    expected = {1: "Unavailable", 2: "Unavailable" if what is STATION else "Available"}
    assert booted(setup, "RemoteReset") == expected
