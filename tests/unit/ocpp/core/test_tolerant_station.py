"""A whole station and a CSMS that answers carelessly: it is accepted, bills are kept, and the clock stays right."""

import pytest
from support.station import StationUnderTest

from ocpp.rpc.permission import BootState
from ocpp.storage.transactions import TransactionRepository
from ocpp.versions import OcppVersion

V16, V201, V21 = OcppVersion
EVERY = pytest.mark.parametrize("version", list(OcppVersion), ids=str)


@pytest.fixture
async def make(tmp_path):
    made = []

    async def make(version, **scripts):
        station = StationUnderTest(tmp_path, version)
        for action, answers in scripts.items():
            station.csms.script(action, *answers)
        made.append(station)
        return await station.start()

    yield make
    for station in made:
        await station.stop()


def state(station) -> BootState:
    return station.charge_point.strategy.endpoint.boot_state


def boot(time, **more):
    return {"status": "Accepted", "currentTime": time, "interval": 60, **more}


@EVERY
@pytest.mark.parametrize(
    "time",
    [
        "2026-11-30T20:26:54.262064",
        "2026-11-30T20:26:54",
        "2026-11-30T20:26",
        "2026-11-30 20:26:54",
        "2026-11-30T22:26:54+02",
        "2026-11-30T22:26:54.1234567+0200",
    ],
)
async def test_a_boot_with_a_time_in_a_form_of_its_own_is_accepted_and_sets_the_clock(make, version, time):
    station = await make(version, BootNotification=[boot(time)])
    assert state(station) is BootState.ACCEPTED
    assert station.clock.now().strftime("%Y-%m-%dT%H:%M") == "2026-11-30T20:26"


@EVERY
@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "1970-01-01T00:00:00Z",
        "2019-06-01T00:00:00Z",
        "2200-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T23:59:59.9999999",
        "yesterday",
        None,
    ],
)
async def test_an_implausible_time_is_not_taken_and_the_station_works_on(make, version, time):
    station = await make(version, BootNotification=[boot(time)])
    assert state(station) is BootState.ACCEPTED
    assert station.clock.now().year == 2026
    await station.charge()
    station.csms.now = lambda: time or "9999-12-31T23:59:60Z"
    await station.clock.advance(300)
    assert station.csms.counts["Heartbeat"] >= 3
    assert station.clock.now().year == 2026
    await station.unplug()
    ended = station.csms.of("StopTransaction") if version is V16 else station.events[-1:]
    assert ended


@EVERY
@pytest.mark.parametrize("interval", [None, "60", 60.0, "x", -5, 10**30, 10**400, 1e308, 0])
async def test_a_boot_with_an_odd_interval_is_accepted_and_followed_by_heartbeats(make, version, interval):
    answer = boot("2026-01-01T00:00:00Z")
    answer["interval"] = interval
    station = await make(version, BootNotification=[answer])
    assert state(station) is BootState.ACCEPTED
    await station.clock.advance(8 * 86400)
    assert station.csms.counts["Heartbeat"] >= 1


@EVERY
@pytest.mark.parametrize("status", ["accepted", "ACCEPTED", " Accepted"])
async def test_accepted_in_other_case_is_accepted(make, version, status):
    station = await make(version, BootNotification=[{"status": status, "currentTime": "2026-01-01T00:00:00Z"}])
    assert state(station) is BootState.ACCEPTED


@EVERY
async def test_a_boot_without_a_status_is_asked_again_and_nothing_else_is_lost(make, version):
    station = await make(version, BootNotification=[{"currentTime": "2026-01-01T00:00:00Z", "interval": 5}])
    assert state(station) is BootState.UNKNOWN
    await station.clock.advance(61)
    assert state(station) is BootState.ACCEPTED


@EVERY
async def test_boot_and_heartbeat_go_on_after_an_error_that_nobody_foresaw(make, version, caplog):
    station = await make(version)
    boot_loop = station.charge_point.strategy.boot

    async def broken():
        raise ZeroDivisionError

    whole, boot_loop._beat = boot_loop._beat, broken
    await station.clock.advance(301)
    assert "boot or heartbeat failed unexpectedly" in caplog.text
    boot_loop._beat = whole
    before = station.csms.counts["Heartbeat"]
    await station.clock.advance(400)
    assert station.csms.counts["Heartbeat"] > before


# -- bills ------------------------------------------------------------------------------------------------------------

DAMAGED_STARTS = [
    ({"transactionId": 4711, "idTagInfo": {"status": "Accepted", "expiryDate": None}}, 4711),
    ({"transactionId": 4711, "idTagInfo": {"status": "Accepted", "parentIdTag": None, "extra": 1}}, 4711),
    ({"transactionId": "4711", "idTagInfo": {"status": "accepted"}}, 4711),
    ({"transactionId": 4711}, 4711),
    (b'[3,"ID",{"transactionId":4711,"idTagInfo":{"status":"Acc', 4711),
    (b'[3,"ID",{"transactionId":4711,"idTagInfo":{"status":"Accepted"}}', 4711),
    (b'[3,"ID",null]', -1),
    (b'[3,"ID"]', -1),
    (b'[3,"ID",[]]', -1),
    ({"idTagInfo": {"status": "Accepted"}}, -1),
    ({"transactionId": 10**30, "idTagInfo": {"status": "Accepted"}}, -1),
]


@pytest.mark.req("1.6-J-errata-3.3", "1.6-errata-3.18")
@pytest.mark.parametrize(("answer", "number"), DAMAGED_STARTS)
async def test_a_start_that_is_answered_in_a_damaged_way_is_booked_once_and_keeps_its_number(make, answer, number):
    station = await make(V16, StartTransaction=[answer])
    await station.charge()
    await station.clock.advance(600)
    assert station.csms.counts["StartTransaction"] == 1
    await station.unplug()
    assert [stop["transactionId"] for stop in station.csms.of("StopTransaction")] == [number]
    assert station.charge_point.queued_messages == 0


async def test_a_refusal_in_a_damaged_start_still_stops_the_energy(make):
    answer = b'[3,"ID",{"idTagInfo":{"status":"invalid","expiryDate":null},"transactionId":'
    station = await make(V16, StartTransaction=[answer])
    await station.charge()
    await station.clock.advance(5)
    assert station.csms.of("StopTransaction")[0]["reason"] == "DeAuthorized"


ODD_EVENTS = [
    {"totalCost": None},
    {"idTokenInfo": None},
    {"idTokenInfo": {"status": "Accepted", "groupIdToken": None, "cacheExpiryDateTime": "2027-01-01T00:00:00"}},
    {"idTokenInfo": {"status": "NoSuchStatus"}},
    {"totalCost": "1.5", "chargingPriority": "99", "updatedPersonalMessage": {"content": "x"}},
    {"unknown": {"a": 1}},
    b'[3,"ID",null]',
    b'[3,"ID"]',
    b'[3,"ID",[]]',
    b'[3,"ID","ok"]',
    b'[3,"ID",{"idTokenInfo":{"status":',
]


@pytest.mark.parametrize("version", [V201, V21], ids=str)
@pytest.mark.parametrize("answer", ODD_EVENTS)
async def test_every_event_is_told_once_whatever_its_answers_look_like(make, version, answer):
    station = await make(version, TransactionEvent=[answer] * 50)
    await station.charge()
    await station.clock.advance(600)
    await station.unplug()
    numbers = [event["seqNo"] for event in station.events]
    assert numbers == list(range(len(numbers)))
    assert station.events[-1]["eventType"] == "Ended"
    assert station.charge_point.queued_messages == 0


@EVERY
@pytest.mark.parametrize(
    "answer", [b'[3,"ID",null]', b'[3,"ID"]', b'[3,"ID",{"a":', b'[4,"ID"]', b'[4,"ID",null,null,null]']
)
async def test_a_damaged_answer_to_authorize_costs_no_time(make, version, answer):
    station = await make(version, Authorize=[answer])
    await station.plug()
    before = station.clock.monotonic()
    await station.present()
    await station.settle()
    assert station.clock.monotonic() == before
    station.csms.script("DataTransfer", {"status": "Accepted"})
    assert await station.charge_point.transfer_data("org.example") == ("Accepted", None)


async def test_an_expiry_that_stands_for_none_expires_nothing(make):
    info = {"status": "Accepted", "expiryDate": "0001-01-01T00:00:00"}
    station = await make(V16, StartTransaction=[{"transactionId": 1, "idTagInfo": info}])
    await station.charge()
    await station.clock.advance(5)
    assert station.csms.counts["StopTransaction"] == 0
    assert TransactionRepository(station.database).active()


async def test_what_was_bent_can_be_seen(make):
    station = await make(V16, StatusNotification=[b'[3,"ID",null]'] * 20)
    assert any("StatusNotificationResponse" in kind for kind in station.charge_point.tolerated)
