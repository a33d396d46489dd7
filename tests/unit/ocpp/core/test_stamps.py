"""Boards without a clock of their own: each stamp is put right once, by the clock that made it."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from support.station import StationUnderTest

from ocpp.clock import ManualClock
from ocpp.core.alive import TIME_NOTE_INTERVAL_S, clock_floor, last_time
from ocpp.rpc.outbox import MAX_UNSET_RUNS, UNSET_RUNS_KEY, Outbox, shifted
from ocpp.storage.database import Database
from ocpp.storage.security_events import SecurityEventRepository
from ocpp.storage.state import StateRepository
from ocpp.versions import OcppVersion

V16, V201, V21 = OcppVersion
EVERY = pytest.mark.parametrize("version", list(OcppVersion), ids=str)
BOOT = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
BEFORE, AFTER = datetime(2026, 5, 1, 12, 0, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
OFFLINE = {"AuthCtrlr/OfflineTxForUnknownIdEnabled": "true", "TxCtrlr/TxBeforeAcceptedEnabled": "true"}


class Board:
    """A station whose clock begins in 1970 at every start."""

    def __init__(self, path, version) -> None:
        self.path, self.version = path, version
        self.station: StationUnderTest | None = None

    async def power_on(self, now: datetime, *, network: bool = True, **variables) -> StationUnderTest:
        """`now` is what time it really is."""
        clock = ManualClock(BOOT)
        began = clock.monotonic()
        station = StationUnderTest(self.path, self.version, clock=clock, variables={**OFFLINE, **variables})
        station.csms.now = lambda: (now + timedelta(seconds=clock.monotonic() - began)).isoformat()
        station.network_up = network
        self.station = station
        return await station.start()

    async def cut_power(self) -> None:
        assert self.station is not None
        await self.station.stop()
        self.station = None


@pytest.fixture
async def board(tmp_path, request):
    made = []

    def make(version) -> Board:
        made.append(Board(tmp_path, version))
        return made[-1]

    yield make
    for each in made:
        if each.station is not None:
            await each.cut_power()


def stamps(station) -> list[datetime]:
    """Of the messages about transactions, in their order."""
    found = []
    for action, payload in station.csms.calls:
        if action in ("TransactionEvent", "StartTransaction", "StopTransaction"):
            found.append(datetime.fromisoformat(payload["timestamp"]))
    return found


@EVERY
@pytest.mark.parametrize("charged_s", [5, 120, 290, 310, 1000])
@pytest.mark.parametrize("after_boot_s", [0, 100, 400])
async def test_an_end_found_after_a_power_cut_keeps_the_time_of_the_run_it_was_made_in(
    board, version, charged_s, after_boot_s
):
    board = board(version)
    first = await board.power_on(BEFORE)
    await first.charge()
    await first.clock.advance(charged_s)
    await board.cut_power()
    second = await board.power_on(AFTER, network=False)
    await second.clock.advance(after_boot_s)
    second.network_up = True
    await second.clock.advance(900)
    ends = [stamp for stamp in stamps(second) if stamp.year != AFTER.year]
    assert ends
    assert all(BEFORE <= stamp <= BEFORE + timedelta(seconds=charged_s + 10) for stamp in ends)
    assert second.charge_point.queued_messages == 0


@EVERY
async def test_what_the_run_without_a_time_stamps_itself_is_put_right_once(board, version):
    board = board(version)
    first = await board.power_on(BEFORE)
    await first.clock.advance(1000)
    await board.cut_power()
    second = await board.power_on(AFTER, network=False)
    await second.charge()
    await second.clock.advance(100)
    await second.unplug()
    second.network_up = True
    await second.clock.advance(900)
    found = stamps(second)
    assert len(found) >= 2
    assert all(AFTER <= stamp <= AFTER + timedelta(seconds=200) for stamp in found)
    assert found == sorted(found)


@EVERY
async def test_messages_that_wait_over_two_power_cuts_are_put_right_once(board, version):
    board = board(version)
    first = await board.power_on(BEFORE)
    await first.clock.advance(10)
    await board.cut_power()
    second = await board.power_on(AFTER, network=False)
    await second.charge()
    await second.clock.advance(50)
    await second.unplug()
    second.network_up = True
    second.csms.kills = lambda action, payload: action in ("TransactionEvent", "StartTransaction")
    await second.clock.advance(120)
    assert second.charge_point.queued_messages > 0
    await board.cut_power()
    third = await board.power_on(AFTER + timedelta(days=300))
    found = stamps(third)
    assert found
    assert all(AFTER <= stamp <= AFTER + timedelta(seconds=200) for stamp in found)


@EVERY
async def test_a_clock_that_was_never_near_the_present_is_put_right_by_the_next_time_there_is(board, version):
    board = board(version)
    first = await board.power_on(BEFORE, network=False)
    await first.charge()
    await first.clock.advance(100)
    await first.unplug()
    await board.cut_power()
    second = await board.power_on(AFTER)
    assert stamps(second)
    assert {stamp.year for stamp in stamps(second)} <= {AFTER.year, AFTER.year - 1}


async def test_a_transaction_and_its_samples_are_put_right_where_they_are_kept(board):
    board = board(V16)
    station = await board.power_on(
        AFTER, network=False, **{"SampledDataCtrlr/TxEndedInterval": "10", "SampledDataCtrlr/TxUpdatedInterval": "10"}
    )
    station.model.set_inside(station.model.entry("SampledDataCtrlr/TxEndedMeasurands"), "Energy.Active.Import.Register")
    await station.charge()
    await station.clock.advance(100)
    kept = station.charge_point.strategy.charging.transactions[0]
    assert kept.started_at.year == 1970
    station.network_up = True
    await station.clock.advance(60)
    assert kept.started_at.year == AFTER.year
    assert kept.last_at.year == AFTER.year
    stored = station.charge_point.strategy.store.get(kept.id)
    assert stored.started_at == kept.started_at
    samples = [msgspec.json.decode(each) for each in station.charge_point.strategy.store.samples(kept.id)]
    assert samples
    assert all(sample["timestamp"] >= AFTER.isoformat()[:19] for sample in samples)
    await station.unplug()
    stop = station.csms.of("StopTransaction")[0]
    times = [value["timestamp"] for value in stop.get("transactionData", [])]
    assert times == sorted(times)
    assert all(time.startswith(str(AFTER.year)) for time in times)


@EVERY
async def test_security_events_keep_the_time_of_the_run_they_were_made_in(board, version):
    board = board(version)
    first = await board.power_on(BEFORE)
    first.charge_point.tamper_detected("the door")
    await first.clock.advance(10)
    await board.cut_power()
    second = await board.power_on(AFTER, network=False)
    second.charge_point.tamper_detected("the other door")
    await second.clock.advance(10)
    second.network_up = True
    await second.clock.advance(600)
    kept = {event.info: event.at_unix for event in SecurityEventRepository(second.database).all()}
    assert abs(kept["the door"] - BEFORE.timestamp()) < 10
    assert abs(kept["the other door"] - AFTER.timestamp()) < 30


async def test_two_protocol_strategies_in_one_run_put_nothing_right_twice(tmp_path):
    station = StationUnderTest(tmp_path, V201, clock=ManualClock(BOOT), speaks=V16, variables=OFFLINE)
    station.csms.now = lambda: AFTER.isoformat()
    await station.start()
    await station.clock.advance(5)
    assert station.charge_point.strategy.major == 1
    for event in SecurityEventRepository(station.database).all():
        assert abs(event.at_unix - AFTER.timestamp()) < 60
    await station.stop()


async def test_the_time_noted_is_behind_every_stamp_that_may_be_on_record(board):
    board = board(V201)
    station = await board.power_on(BEFORE)
    folder, state = station.database.path.parent, StateRepository(station.database)
    for charging in (False, True, False):
        if charging:
            await station.charge()
        elif station.hardware.allowed:
            await station.unplug()
        for _ in range(20):
            await station.clock.advance(37)
            floor, now = clock_floor(state, folder), station.clock.unix()
            assert now <= floor <= now + TIME_NOTE_INTERVAL_S
            if charging:
                assert now - 1 <= last_time(state, folder) <= now, "what an interruption counts from is no guess"


def test_only_stamps_within_the_window_are_moved():
    early, inside, late = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 5, 9))
    window = (inside.timestamp() - 5, inside.timestamp() + 5)
    assert shifted([early, inside, late, 5, None], 60, window) == [early, inside + timedelta(seconds=60), late, 5, None]


def test_runs_that_are_remembered_are_bounded(tmp_path):
    class Retry:
        def attempts(self):
            return 1

        def interval(self):
            return 1.0

    from ocpp.messages import v2

    database = Database.open(tmp_path / "station.db")
    for number in range(MAX_UNSET_RUNS + 10):
        clock = ManualClock(BOOT)
        clock.not_before(1e9 + number)
        outbox = Outbox(database, clock, major=2, run=f"run {number}", retry=Retry())
        outbox.put(v2.HeartbeatRequest(), None)
        outbox.put(v2.HeartbeatRequest(), None)
    runs = StateRepository(database).get(UNSET_RUNS_KEY)
    assert len(runs) == MAX_UNSET_RUNS
    assert runs[f"run {MAX_UNSET_RUNS + 9}"] == 1e9 + MAX_UNSET_RUNS + 9
    database.close()
