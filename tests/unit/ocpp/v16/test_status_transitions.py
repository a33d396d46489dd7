"""The transitions between connector statuses (1.6 section 4.9), by their names in its table."""

import pytest
from support.station import CARD

from ocpp.charge_point import Fault

FREE = {"AuthCtrlr/Enabled": "false"}
"""A charge point without means of authorization (A3 to A5, H3 to H5)."""

PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "startSchedule": "2026-01-01T00:00:00Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0}],
    },
}
RESERVATION = {"connectorId": 1, "expiryDate": "2027-01-01T00:00:00Z", "idTag": CARD, "reservationId": 1}


async def call(station, action, **payload):
    return (await station.csms.call(station.clock, action, payload))[2]["status"]


async def plug(station):
    await station.plug()


async def unplug(station):
    await station.unplug()


async def card(station):
    await station.present()


async def draw(station):
    await station.draw()


async def rest(station):
    await station.draw(flowing=False)
    await station.clock.advance(15)


async def hold(station):
    assert await call(station, "SetChargingProfile", connectorId=1, csChargingProfiles=PROFILE) == "Accepted"
    station.charge_point.ev_state_changed(1, requests_energy=True, energy_flows=False)
    await station.settle()


async def let_go(station):
    assert await call(station, "ClearChargingProfile", id=1) == "Accepted"


async def reserve(station):
    assert await call(station, "ReserveNow", **RESERVATION) == "Accepted"


async def cancel(station):
    assert await call(station, "CancelReservation", reservationId=1) == "Accepted"


async def inoperative(station):
    await call(station, "ChangeAvailability", connectorId=1, type="Inoperative")


async def operative(station):
    await call(station, "ChangeAvailability", connectorId=1, type="Operative")


async def fault(station):
    station.charge_point.fault_raised(1, 1, Fault("OtherError"))
    await station.settle()


async def mend(station):
    station.charge_point.fault_cleared(1, 1, Fault("OtherError"))
    await station.settle()


async def wait(station):
    await station.clock.advance(200)


CHARGING = (plug, card, draw)
SUSPENDED_EV = (*CHARGING, rest)
SUSPENDED_EVSE = (*CHARGING, hold)
FINISHING = (*CHARGING, card, rest)

TRANSITIONS = {
    "A2": ((), (plug,), "Available", "Preparing"),
    "A7": ((), (reserve,), "Available", "Reserved"),
    "A8": ((), (inoperative,), "Available", "Unavailable"),
    "A9": ((), (fault,), "Available", "Faulted"),
    "B1": ((plug,), (unplug,), "Preparing", "Available"),
    "B1 by time": ((card,), (wait,), "Preparing", "Available"),
    "B3": ((plug,), (card, draw), "Preparing", "Charging"),
    "B4": ((plug,), (card, wait), "Preparing", "SuspendedEV"),
    "B5": ((hold, plug), (card,), "Preparing", "SuspendedEVSE"),
    "B9": ((plug,), (fault,), "Preparing", "Faulted"),
    "C1": (CHARGING, (unplug,), "Charging", "Available"),
    "C4": (CHARGING, (rest,), "Charging", "SuspendedEV"),
    "C5": (CHARGING, (hold,), "Charging", "SuspendedEVSE"),
    "C6": (CHARGING, (card, rest), "Charging", "Finishing"),
    "C8": ((*CHARGING, inoperative), (unplug,), "Charging", "Unavailable"),
    "C9": (CHARGING, (fault,), "Charging", "Faulted"),
    "D1": (SUSPENDED_EV, (unplug,), "SuspendedEV", "Available"),
    "D3": (SUSPENDED_EV, (draw,), "SuspendedEV", "Charging"),
    "D5": (SUSPENDED_EV, (hold,), "SuspendedEV", "SuspendedEVSE"),
    "D6": (SUSPENDED_EV, (card,), "SuspendedEV", "Finishing"),
    "D8": ((*SUSPENDED_EV, inoperative), (unplug,), "SuspendedEV", "Unavailable"),
    "D9": (SUSPENDED_EV, (fault,), "SuspendedEV", "Faulted"),
    "E1": (SUSPENDED_EVSE, (unplug,), "SuspendedEVSE", "Available"),
    "E3": (SUSPENDED_EVSE, (let_go, draw), "SuspendedEVSE", "Charging"),
    "E4": (SUSPENDED_EVSE, (let_go, rest), "SuspendedEVSE", "SuspendedEV"),
    "E6": (SUSPENDED_EVSE, (card,), "SuspendedEVSE", "Finishing"),
    "E8": ((*SUSPENDED_EVSE, inoperative), (unplug,), "SuspendedEVSE", "Unavailable"),
    "E9": (SUSPENDED_EVSE, (fault,), "SuspendedEVSE", "Faulted"),
    "F1": (FINISHING, (unplug,), "Finishing", "Available"),
    "F2": (FINISHING, (card,), "Finishing", "Preparing"),
    "F8": ((*CHARGING, inoperative, card, rest), (unplug,), "Unavailable", "Unavailable"),
    "F9": (FINISHING, (fault,), "Finishing", "Faulted"),
    "G1": ((reserve,), (cancel,), "Reserved", "Available"),
    "G2": ((reserve,), (card,), "Reserved", "Preparing"),
    "G8": ((reserve,), (inoperative,), "Reserved", "Unavailable"),
    "G9": ((reserve,), (fault,), "Reserved", "Faulted"),
    "H1": ((inoperative,), (operative,), "Unavailable", "Available"),
    "H2": ((inoperative, plug), (operative,), "Unavailable", "Preparing"),
    "H9": ((inoperative,), (fault,), "Unavailable", "Faulted"),
    "I1": ((fault,), (mend,), "Faulted", "Available"),
    "I2": ((plug, fault), (mend,), "Faulted", "Preparing"),
    "I3": ((*CHARGING, fault), (mend, draw), "Faulted", "Charging"),
    "I4": ((*SUSPENDED_EV, fault), (mend, wait), "Faulted", "SuspendedEV"),
    "I5": ((*SUSPENDED_EVSE, fault), (mend,), "Faulted", "SuspendedEVSE"),
    "I6": ((*FINISHING, fault), (mend,), "Faulted", "Finishing"),
    "I1, since a fault ends a reservation (section 5.13)": ((reserve, fault), (mend,), "Faulted", "Available"),
    "I8": ((inoperative, fault), (mend,), "Faulted", "Unavailable"),
}


def told(station, connector: int = 1) -> str:
    return [each["status"] for each in station.csms.of("StatusNotification") if each["connectorId"] == connector][-1]


@pytest.mark.req("1.6-4.9")
@pytest.mark.parametrize("name", TRANSITIONS)
async def test_every_transition_of_a_connector(make_station, name):
    before, event, source, target = TRANSITIONS[name]
    station = await make_station()
    for step in before:
        await step(station)
    assert told(station) == source
    for step in event:
        await step(station)
    assert told(station) == target


@pytest.mark.req("1.6-4.9")
@pytest.mark.parametrize(
    ("steps", "target"),
    [((draw,), "Charging"), ((wait,), "SuspendedEV"), ((hold,), "SuspendedEVSE")],
    ids=["A3", "A4", "A5"],
)
async def test_transitions_without_means_of_authorization(make_station, steps, target):
    station = await make_station(variables=FREE)
    await station.plug()
    for step in steps:
        await step(station)
    assert told(station) == target


@pytest.mark.req("1.6-4.9")
async def test_connector_0_is_available_unavailable_or_faulted(station):
    assert told(station, 0) == "Available"
    await call(station, "ChangeAvailability", connectorId=0, type="Inoperative")
    assert (told(station, 0), told(station, 1)) == ("Unavailable", "Unavailable")
    station.charge_point.fault_raised(0, 0, Fault("InternalError"))
    await station.settle()
    assert (told(station, 0), told(station, 1)) == ("Faulted", "Faulted")
    station.charge_point.fault_cleared(0, 0, Fault("InternalError"))
    await station.settle()
    assert (told(station, 0), told(station, 1)) == ("Unavailable", "Unavailable")
    await call(station, "ChangeAvailability", connectorId=0, type="Operative")
    assert (told(station, 0), told(station, 1)) == ("Available", "Available")
