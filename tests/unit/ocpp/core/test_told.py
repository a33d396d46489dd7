"""States are told until the CSMS knows them: a state is known when its notification was answered, not when it was sent."""

import pytest

from ocpp.charge_point import Fault
from ocpp.core.told import UNANSWERED_RETRY_S
from ocpp.rpc.permission import BootState
from ocpp.versions import OcppVersion

NEVER = 10**6
PATIENT = {
    "OCPPCommCtrlr/OfflineThreshold": NEVER,
    "OCPPCommCtrlr/HeartbeatInterval": NEVER,
    "TxCtrlr/EVConnectionTimeOut": 0,
}
"""After a reconnect only what the CSMS does not know is told."""

VERSIONS = pytest.mark.parametrize("version", [OcppVersion.V16, OcppVersion.V201, OcppVersion.V21], ids=str)
TAKEN = {OcppVersion.V16: "Preparing"}


def told(station, since=0):
    key = "status" if station.version is OcppVersion.V16 else "connectorStatus"
    return [each[key] for each in station.csms.of("StatusNotification")[since:] if each["connectorId"]]


def count(station):
    return len(station.csms.of("StatusNotification"))


async def quick_reconnect(station):
    station.network_up = True
    await station.clock.advance(70)
    await station.settle()


@VERSIONS
@pytest.mark.req("B04.FR.02")
async def test_a_status_in_flight_when_the_link_breaks_is_told_again(make_station, version):
    station = await make_station(version, variables=PATIENT)
    before = count(station)
    station.csms.script("StatusNotification", None)
    await station.plug()
    await station.disconnect()
    await quick_reconnect(station)
    occupied = TAKEN.get(version, "Occupied")
    assert told(station, before) == [occupied, occupied]


@VERSIONS
@pytest.mark.req("B04.FR.02")
async def test_a_status_that_waits_behind_an_unanswered_call_is_told_after_the_reconnect(make_station, version):
    station = await make_station(version, variables=PATIENT)
    before = count(station)
    station.csms.script("Authorize", None)
    await station.present()
    await station.plug()
    assert told(station, before) == [], "it waits for the answer to Authorize"
    await station.disconnect()
    await quick_reconnect(station)
    assert told(station, before)[0] == TAKEN.get(version, "Occupied")


@VERSIONS
async def test_a_status_without_an_answer_is_told_again_over_the_same_connection(make_station, version):
    station = await make_station(version, variables=PATIENT)
    before = count(station)
    station.csms.script("StatusNotification", None)
    await station.plug()
    await station.clock.advance(30 + UNANSWERED_RETRY_S)
    await station.settle()
    occupied = TAKEN.get(version, "Occupied")
    assert told(station, before) == [occupied, occupied]
    await station.clock.advance(10 * UNANSWERED_RETRY_S)
    assert told(station, before) == [occupied, occupied], "what is known is told no more"


@VERSIONS
async def test_a_status_left_unanswered_is_told_after_the_next_acceptance(make_station, version):
    station = await make_station(version, variables=PATIENT)
    before = count(station)
    station.csms.script("StatusNotification", None)
    await station.plug()
    await station.clock.advance(31)
    await station.disconnect()
    station.network_up = True
    await station.clock.advance(20)
    await station.settle()
    occupied = TAKEN.get(version, "Occupied")
    assert told(station, before) == [occupied, occupied]


@VERSIONS
async def test_a_status_that_changed_and_changed_back_while_nobody_answered_is_told(make_station, version):
    """The CSMS may have heard of the first change: what it knew before does not count any more."""
    station = await make_station(version, variables=PATIENT)
    before = count(station)
    station.csms.script("StatusNotification", None)
    await station.plug()
    await station.disconnect()
    await station.unplug()
    await quick_reconnect(station)
    assert told(station, before) == [TAKEN.get(version, "Occupied"), "Available"]


@VERSIONS
async def test_an_error_answer_is_not_argued_with_until_the_next_connection(make_station, version):
    station = await make_station(version, variables=PATIENT)
    before = count(station)
    station.csms.script("StatusNotification", "InternalError")
    await station.plug()
    await station.clock.advance(3 * UNANSWERED_RETRY_S)
    assert len(told(station, before)) == 1
    await station.disconnect()
    await quick_reconnect(station)
    assert len(told(station, before)) == 2


@VERSIONS
@pytest.mark.parametrize("answer", [None, "InternalError"])
async def test_what_nobody_took_is_not_said_at_every_occasion(make_station, version, answer):
    station = await make_station(version, variables=PATIENT)
    before = count(station)
    station.csms.script("StatusNotification", *[answer] * 50)
    await station.plug()
    await station.clock.advance(31)
    for _ in range(5):
        await station.draw()
        await station.draw(flowing=False)
    assert len(told(station, before)) == 1


@VERSIONS
async def test_what_is_known_is_not_told_again(make_station, version):
    station = await make_station(version, variables=PATIENT)
    await station.plug()
    before = count(station)
    for _ in range(3):
        await station.disconnect()
        await quick_reconnect(station)
    assert told(station, before) == []


async def test_connector_0_is_told_until_it_is_known(make_station):
    station = await make_station(OcppVersion.V16, variables=PATIENT)
    station.csms.script("StatusNotification", None)
    before = count(station)
    station.charge_point.fault_raised(0, 0, Fault("EmergencyStop"))
    await station.settle()
    await station.disconnect()
    await quick_reconnect(station)
    stations = [each["status"] for each in station.csms.of("StatusNotification")[before:] if each["connectorId"] == 0]
    assert stations == ["Faulted", "Faulted"]


@VERSIONS
@pytest.mark.req("B01.FR.05", "1.6-4.2")
async def test_a_csms_that_the_station_is_introduced_to_is_told_everything(make_station, version):
    station = await make_station(version, variables=PATIENT)
    before = count(station)
    await station.disconnect()
    station.charge_point.strategy.endpoint.boot_state = BootState.UNKNOWN  # as with another network profile
    await quick_reconnect(station)
    assert station.csms.counts["BootNotification"] == 2
    assert told(station, before) == ["Available"]


FLAPS = 6
"""The waits between them grow: they last some ten minutes."""


@pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21], ids=str)
@pytest.mark.req("B04.FR.01")
async def test_connections_that_are_closed_at_once_do_not_end_the_time_offline(make_station, version):
    station = await make_station(version, variables={**PATIENT, "OCPPCommCtrlr/OfflineThreshold": "100"})
    before = count(station)
    opened, csms = station.charge_point.connectivity._open_link, station.csms
    flaps = []

    async def flapping(*arguments):
        link = await opened(*arguments)
        if len(flaps) < FLAPS:
            flaps.append(station.clock.monotonic())
            link.abort()
        return link

    station.charge_point.connectivity._open_link = flapping
    csms.link.abort()
    for _ in range(120):
        await station.clock.advance(20)
    assert len(flaps) == FLAPS
    assert flaps[-1] - flaps[0] > 100
    assert told(station, before) == ["Available"], "offline for longer than the threshold: all are told"


async def test_a_short_time_offline_after_a_connection_without_a_word_is_a_short_one(make_station):
    station = await make_station(variables={**PATIENT, "OCPPCommCtrlr/OfflineThreshold": "200"})
    before = count(station)
    for _ in range(4):
        await station.disconnect()
        await quick_reconnect(station)
        await station.clock.advance(60)
    assert told(station, before) == []


# -- with QueueAllMessages ----------------------------------------------------------------------------------------

ALL = {**PATIENT, "OCPPCommCtrlr/QueueAllMessages": "true"}


@pytest.mark.req("B04.FR.02")
async def test_with_everything_queued_a_status_in_flight_is_told_once_more(make_station):
    station = await make_station(variables=ALL)
    before = count(station)
    station.csms.script("StatusNotification", None)
    await station.plug()
    await station.disconnect()
    await quick_reconnect(station)
    assert told(station, before) == ["Occupied", "Occupied"]
    await station.disconnect()
    await quick_reconnect(station)
    assert told(station, before) == ["Occupied", "Occupied"]


async def test_with_everything_queued_what_was_in_flight_survives_a_restart(make_station):
    first = await make_station(variables=ALL)
    first.csms.script("StatusNotification", None)
    await first.plug()
    await first.disconnect()
    await first.stop()
    second = await make_station(variables=ALL, seed=2)
    assert "Occupied" in told(second)


async def test_with_everything_queued_the_first_statuses_are_told_once(make_station):
    station = await make_station(variables=ALL)
    assert told(station) == ["Available"]


async def test_with_everything_queued_the_last_status_is_the_last_one_told(make_station):
    station = await make_station(variables=ALL)
    before = count(station)
    await station.disconnect()
    for _ in range(2):
        await station.plug()
        await station.unplug()
    await station.plug()
    await quick_reconnect(station)
    assert told(station, before) == ["Occupied", "Available", "Occupied", "Available", "Occupied"]


async def test_with_everything_queued_a_status_that_was_given_up_is_told(make_station):
    station = await make_station(variables={**ALL, "OCPPCommCtrlr/MessageAttempts[TransactionEvent]": 1})
    before = count(station)
    await station.disconnect()
    await station.plug()
    station.csms.script("StatusNotification", "InternalError")
    await quick_reconnect(station)
    assert told(station, before) == ["Occupied", "Occupied"]


# -- other notifications ------------------------------------------------------------------------------------------


def problems(station):
    return [
        each["eventData"][0]["actualValue"]
        for each in station.csms.of("NotifyEvent")
        if each["eventData"][0]["component"]["name"] == "ChargingStation"
    ]


@pytest.mark.req("N07.FR.04")
@pytest.mark.parametrize("queue_all", ["true", "false"])
async def test_an_event_in_flight_when_the_link_breaks_is_told_again(make_station, queue_all):
    station = await make_station(variables={**PATIENT, "OCPPCommCtrlr/QueueAllMessages": queue_all})
    station.csms.script("NotifyEvent", None)
    station.charge_point.fault_raised(0, 0, Fault("EmergencyStop"))
    await station.settle()
    assert problems(station) == ["true"]
    await station.disconnect()
    await quick_reconnect(station)
    assert problems(station) == ["true", "true"]


@pytest.mark.parametrize("queue_all", ["true", "false"])
async def test_an_event_without_an_answer_is_told_after_the_next_acceptance(make_station, queue_all):
    station = await make_station(variables={**PATIENT, "OCPPCommCtrlr/QueueAllMessages": queue_all})
    station.csms.script("NotifyEvent", None)
    station.charge_point.fault_raised(0, 0, Fault("EmergencyStop"))
    await station.clock.advance(40)
    await station.disconnect()
    await quick_reconnect(station)
    assert problems(station) == ["true", "true"]


@pytest.mark.req("N07.FR.04")
async def test_an_event_that_waits_behind_another_call_survives_a_restart(make_station):
    first = await make_station(variables=PATIENT)
    first.csms.script("Authorize", None)
    await first.present()
    first.charge_point.fault_raised(0, 0, Fault("EmergencyStop"))
    await first.disconnect()
    await first.stop()
    second = await make_station(variables=PATIENT, seed=2)
    assert "true" in problems(second)


async def test_events_of_a_csms_that_answers_none_are_bounded(make_station, monkeypatch, caplog):
    from ocpp.v2 import monitoring

    monkeypatch.setattr(monitoring, "MAX_UNANSWERED", 1)
    station = await make_station(variables=PATIENT)
    station.csms.script("NotifyEvent", None, None)
    station.charge_point.fault_raised(0, 0, Fault("EmergencyStop"))
    station.charge_point.fault_cleared(0, 0, Fault("EmergencyStop"))
    await station.clock.advance(100)
    assert "an event is lost" in caplog.text
    await station.disconnect()
    await quick_reconnect(station)
    assert problems(station) == ["true", "false", "true"]
