"""A CSMS that drops the connection at a message it does not know: everything else is told, and nothing is lost."""

import pytest
from support.station import StationUnderTest

from ocpp.rpc.suspects import FIRST_WAIT_S
from ocpp.versions import OcppVersion

V16, V201, V21 = OcppVersion
EVERY = pytest.mark.parametrize("version", list(OcppVersion), ids=str)


@pytest.fixture
async def make(tmp_path):
    made = []

    async def make(version, **options):
        options.setdefault("variables", {"AuthCtrlr/OfflineTxForUnknownIdEnabled": "true"})
        station = StationUnderTest(tmp_path, version, **options)
        made.append(station)
        return station

    yield make
    for station in made:
        await station.stop()


def deaths(station, action) -> int:
    return station.csms.counts[action]


@EVERY
@pytest.mark.parametrize("action", ["SecurityEventNotification", "StatusNotification", "Heartbeat"])
async def test_a_message_at_which_connections_die_goes_last_and_ever_more_seldom(make, version, action, caplog):
    station = await make(version)
    station.csms.kills = lambda name, payload: name == action
    await station.start()
    await station.clock.advance(300)
    assert deaths(station, action) <= 7
    for _ in range(3):
        await station.plug()
        await station.unplug()
        await station.clock.advance(300)
    early = deaths(station, action)
    assert 2 <= early <= 12
    assert f"died with {action} in flight" in caplog.text
    await station.charge()
    await station.clock.advance(3600)
    await station.unplug()
    await station.clock.advance(3600)
    assert deaths(station, action) - early <= 14
    assert station.charge_point.queued_messages == 0
    assert station.charge_point.connection.state == "connected"
    if version is V16:
        assert (station.csms.counts["StartTransaction"], station.csms.counts["StopTransaction"]) == (1, 1)
    else:
        numbers = [event["seqNo"] for event in station.events]
        assert numbers == list(range(len(numbers)))
        assert station.events[-1]["eventType"] == "Ended"


@EVERY
async def test_once_the_csms_takes_the_message_it_is_told_and_told_in_time_again(make, version):
    station = await make(version)
    station.csms.kills = lambda name, payload: name == "SecurityEventNotification"
    await station.start()
    await station.clock.advance(600)
    station.csms.kills = lambda name, payload: False
    before = deaths(station, "SecurityEventNotification")
    await station.clock.advance(3600)
    assert deaths(station, "SecurityEventNotification") == before + 1
    station.charge_point.tamper_detected("the door")
    await station.settle()
    assert deaths(station, "SecurityEventNotification") == before + 2


async def test_a_driver_is_not_kept_waiting_for_a_question_that_ends_connections(make):
    station = await make(V201)
    station.csms.kills = lambda name, payload: name == "Authorize"
    await station.start()
    for card in ("A1", "B2"):
        await station.present(card)
        await station.clock.advance(25)
    assert deaths(station, "Authorize") == 2
    await station.plug()
    await station.present("C3")
    assert deaths(station, "Authorize") == 2
    assert station.charge_point.connection.state == "connected"


@pytest.mark.parametrize("deadly", [0, 1, 2])
@pytest.mark.parametrize("version", [V201, V21], ids=str)
async def test_an_event_at_which_connections_die_holds_up_its_own_transaction_only(make, version, deadly, caplog):
    station = await make(version, evses=2)
    await station.start()
    await station.disconnect()
    for evse in (1, 2):
        await station.charge(evse)
    for evse in (1, 2):
        await station.unplug(evse)
    first = station.charge_point.queued_messages
    assert first >= 6
    killed = {}

    def kills(name, payload):
        if name != "TransactionEvent":
            return False
        transaction = payload["transactionInfo"]["transactionId"]
        killed.setdefault("transaction", transaction)
        return transaction == killed["transaction"] and payload["seqNo"] == deadly

    station.csms.kills = kills
    await station.reconnect()
    of_others = [
        event for event in station.events if event["transactionInfo"]["transactionId"] != killed["transaction"]
    ]
    assert of_others[-1]["eventType"] == "Ended"
    assert [event["seqNo"] for event in of_others] == list(range(len(of_others)))
    assert station.charge_point.queued_messages > 0
    assert "died with TransactionEvent of transaction" in caplog.text
    station.csms.kills = lambda name, payload: False
    await station.clock.advance(2 * 86400)
    own = [
        event["seqNo"] for event in station.events if event["transactionInfo"]["transactionId"] == killed["transaction"]
    ]
    assert station.charge_point.queued_messages == 0
    assert sorted(set(own)) == list(range(max(own) + 1))
    assert [number for number in own if number != deadly] == [n for n in range(max(own) + 1) if n != deadly]
    assert own.index(deadly) == deadly
    last = len(own) - 1 - own[::-1].index(deadly)
    assert all(number <= deadly for number in own[:last])


async def test_a_start_at_which_connections_die_keeps_its_stop_behind_it(make):
    station = await make(V16, evses=2)
    await station.start()
    await station.disconnect()
    for evse in (1, 2):
        await station.charge(evse)
        await station.unplug(evse)
    station.csms.kills = lambda name, payload: name == "StartTransaction" and payload["connectorId"] == 1
    await station.reconnect()
    assert [stop["transactionId"] for stop in station.csms.of("StopTransaction")] == [2]
    station.csms.kills = lambda name, payload: False
    await station.clock.advance(2 * 86400)
    assert [stop["transactionId"] for stop in station.csms.of("StopTransaction")] == [2, 3]
    assert station.charge_point.queued_messages == 0


async def test_a_power_cut_loses_nothing_of_what_is_held_back(make, tmp_path):
    station = await make(V201)
    await station.start()
    await station.disconnect()
    await station.charge()
    await station.unplug()
    station.csms.kills = lambda name, payload: name == "TransactionEvent" and payload["seqNo"] == 1
    await station.reconnect()
    waiting = station.charge_point.queued_messages
    assert waiting > 1
    await station.stop()
    again = await make(V201, clock=station.clock)
    await again.start()
    assert again.events[0]["seqNo"] == 1
    assert [event["seqNo"] for event in again.events] == list(range(1, waiting + 1))
    station.database = again.database  # which is open still


@EVERY
async def test_a_link_that_breaks_now_and_then_delays_nothing_for_long(make, version):
    station = await make(version)
    await station.start()
    for _ in range(4):
        station.csms.kills = lambda name, payload: name != "BootNotification"
        await station.plug()
        station.csms.kills = lambda name, payload: False
        await station.unplug()
        await station.clock.advance(60 + 2 * FIRST_WAIT_S)
    before = deaths(station, "StatusNotification")
    await station.plug()
    assert deaths(station, "StatusNotification") > before
