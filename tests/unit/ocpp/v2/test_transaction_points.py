"""Every set of start points, and every set of stop points: the transaction begins and ends once, and where it should."""

from itertools import chain, combinations

import pytest

from ocpp.charge_point import SignedReading

BAY, PLUGGED, AUTHORIZED, POWER, ENERGY, SIGNED = (
    "ParkingBayOccupancy",
    "EVConnected",
    "Authorized",
    "PowerPathClosed",
    "EnergyTransfer",
    "DataSigned",
)
START_POINTS = (BAY, PLUGGED, AUTHORIZED, POWER, ENERGY, SIGNED)
STOP_POINTS = (BAY, PLUGGED, AUTHORIZED, POWER, ENERGY)

# What comes to hold with each step until the EV draws, and the trigger that tells so.
CABLE_FIRST = (
    ("bay", {BAY}, "EVDetected"),
    ("plug", {PLUGGED}, "CablePluggedIn"),
    ("present", {AUTHORIZED, POWER, SIGNED}, "Authorized"),
    ("draw", {ENERGY}, "ChargingStateChanged"),
)
CARD_FIRST = (
    ("bay", {BAY}, "EVDetected"),
    ("present", {AUTHORIZED}, "Authorized"),
    ("plug", {PLUGGED, POWER, SIGNED}, "CablePluggedIn"),
    ("draw", {ENERGY}, "ChargingStateChanged"),
)

# What ceases to hold with each step until the bay is empty, the trigger, and why the transaction ends there.
BY_CARD = (
    ("present", {AUTHORIZED, POWER}, "StopAuthorized", "Local"),
    ("rest", {ENERGY}, "ChargingStateChanged", "Local"),
    ("unplug", {PLUGGED}, "EVCommunicationLost", "Local"),
    ("leave", {BAY}, "EVDeparted", "Local"),
)
BY_CSMS = (
    ("remote_stop", {AUTHORIZED, POWER}, "RemoteStop", "Remote"),
    ("rest", {ENERGY}, "ChargingStateChanged", "Remote"),
    ("unplug", {PLUGGED}, "EVCommunicationLost", "Remote"),
    ("leave", {BAY}, "EVDeparted", "Remote"),
)
BY_EV = (
    ("rest", {ENERGY}, "ChargingStateChanged", "StoppedByEV"),
    ("unplug", {PLUGGED, AUTHORIZED, POWER}, "EVCommunicationLost", "EVDisconnected"),
    ("leave", {BAY}, "EVDeparted", "Local"),
)
BY_PULLING = (
    ("unplug", {PLUGGED, AUTHORIZED, POWER, ENERGY}, "EVCommunicationLost", "EVDisconnected"),
    ("leave", {BAY}, "EVDeparted", "Local"),
)
ENDS = {"card": BY_CARD, "csms": BY_CSMS, "ev": BY_EV, "pulling": BY_PULLING}


def sets(points):
    return list(chain.from_iterable(combinations(points, size) for size in range(1, len(points) + 1)))


class Drivers:
    """One after the other at the same EVSE."""

    def __init__(self, station) -> None:
        self.station = station

    async def bay(self):
        self.station.charge_point.bay_changed(1, True)
        await self.station.settle()

    async def leave(self):
        self.station.charge_point.bay_changed(1, False)
        await self.station.settle()

    async def draw(self):
        await self.station.draw()

    async def rest(self):
        await self.station.draw(flowing=False)

    async def remote_stop(self):
        transaction = self.station.events[-1]["transactionInfo"]["transactionId"]
        answer = await self.station.csms.call(
            self.station.clock, "RequestStopTransaction", {"transactionId": transaction}
        )
        assert answer[2]["status"] == "Accepted"

    async def do(self, step: str) -> None:
        await getattr(self if hasattr(self, step) else self.station, step)()

    async def visit(self, start, stop, begin, end) -> list[dict]:
        """The events of a visit with these points."""
        for name, points in (("TxStartPoint", start), ("TxStopPoint", stop)):
            self.station.model.set_inside(self.station.model.entry(f"TxCtrlr/{name}"), ",".join(points))
        told = len(self.station.events)
        for step, *_ in (*begin, *end):
            await self.do(step)
        return self.station.events[told:]


@pytest.fixture
async def drivers(make_station):
    station = await make_station(
        variables={"SampledDataCtrlr/SignReadings": "true", "SampledDataCtrlr/TxUpdatedInterval": 0}
    )
    station.hardware.signed[1] = (SignedReading("start"), SignedReading("end"))
    return Drivers(station)


def expected_start(start, begin) -> str:
    for _, points, trigger in begin:
        met = points & set(start)
        if met:
            return "SignedDataReceived" if met == {SIGNED} else trigger
    raise AssertionError("never starts")


def expected_end(stop, end) -> tuple[str, str]:
    for _, points, trigger, reason in end:
        if points & set(stop):
            return trigger, reason
    raise AssertionError("never ends")


def check(events, start, stop, begin, end) -> None:
    kinds = [event["eventType"] for event in events]
    assert kinds[0] == "Started"
    assert kinds[-1] == "Ended"
    assert set(kinds[1:-1]) <= {"Updated"}
    assert [event["seqNo"] for event in events] == list(range(len(events)))
    assert len({event["transactionInfo"]["transactionId"] for event in events}) == 1
    assert events[0]["triggerReason"] == expected_start(start, begin)
    trigger, reason = expected_end(stop, end)
    last = events[-1]
    assert (last["triggerReason"], last["transactionInfo"]["stoppedReason"]) == (trigger, reason)
    assert last["transactionInfo"]["chargingState"] in ("EVConnected", "Idle")
    assert any("idToken" in event for event in events)


@pytest.mark.req("E01.FR.01", "E01.FR.02", "E01.FR.03", "E01.FR.04", "E01.FR.05", "E01.FR.06", "E01.FR.07")
@pytest.mark.req("E01.FR.10", "E01.FR.15", "E02.FR.07", "E02.FR.15", "E03.FR.06", "E03.FR.12")
@pytest.mark.parametrize("begin", [CABLE_FIRST, CARD_FIRST], ids=["cable first", "card first"])
@pytest.mark.parametrize("start", sets(START_POINTS), ids="+".join)
async def test_a_transaction_begins_where_the_first_of_its_start_points_holds(drivers, start, begin):
    for point in STOP_POINTS:
        check(await drivers.visit(start, (point,), begin, BY_CARD), start, (point,), begin, BY_CARD)


@pytest.mark.req("E06.FR.01", "E06.FR.02", "E06.FR.03", "E06.FR.06", "E06.FR.07", "E06.FR.08", "E06.FR.14")
@pytest.mark.req("E06.FR.15", "E07.FR.06", "E07.FR.11", "E09.FR.04")
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("stop", sets(STOP_POINTS), ids="+".join)
async def test_a_transaction_ends_where_the_first_of_its_stop_points_ceases_to_hold(drivers, stop, end):
    for point in START_POINTS:
        events = await drivers.visit((point,), stop, CABLE_FIRST, ENDS[end])
        check(events, (point,), stop, CABLE_FIRST, ENDS[end])


@pytest.mark.req("E06.FR.05")
async def test_data_signed_is_no_stop_point(drivers):
    wish = {"component": {"name": "TxCtrlr"}, "variable": {"name": "TxStopPoint"}, "attributeValue": "DataSigned"}
    station = drivers.station
    answer = (await station.csms.call(station.clock, "SetVariables", {"setVariableData": [wish]}))[2]
    assert answer["setVariableResult"][0]["attributeStatus"] == "Rejected"
