from datetime import UTC, datetime, timedelta

import pytest

from ocpp.clock import PLAUSIBLE_UNTIL, RELEASED, ManualClock, instant

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_now_is_whole_seconds_in_utc():
    clock = ManualClock(START)
    clock.tick(0.75)
    assert clock.now() == START
    assert clock.unix() == pytest.approx(START.timestamp() + 0.75)


@pytest.mark.req("B01.FR.06")
def test_the_csms_corrects_the_clock():
    clock = ManualClock(START)
    correction = clock.synchronise(START + timedelta(hours=1))
    assert correction == pytest.approx(3600)
    assert clock.now() == START + timedelta(hours=1)
    assert clock.quality == "csms"


def test_a_difference_below_a_second_is_left_alone():
    clock = ManualClock(START)
    clock.tick(0.9)
    assert clock.synchronise(START) == 0.0
    assert clock.unix() == pytest.approx(START.timestamp() + 0.9)


def test_monotonic_time_does_not_follow_the_wall_clock():
    clock = ManualClock(START)
    before = clock.monotonic()
    clock.synchronise(START - timedelta(days=1))
    clock.shift(5000)
    assert clock.monotonic() == before


def test_a_clock_in_1970_counts_as_unset_and_never_tells_a_time_before_the_last_on_record():
    clock = ManualClock(datetime(1970, 1, 1, tzinfo=UTC))
    assert not clock.synchronised
    assert clock.quality == "unset"
    clock.not_before(START.timestamp())
    assert clock.now() == START


def test_a_clock_that_is_set_is_not_held_back_by_the_record():
    clock = ManualClock(START)
    clock.not_before((START + timedelta(days=1)).timestamp())
    assert clock.now() == START


def test_listeners_learn_by_how_much_stamps_made_before_the_first_synchronisation_are_wrong():
    clock = ManualClock(datetime(1970, 1, 1, tzinfo=UTC))
    corrections: list[float] = []
    clock.on_first_synchronisation(corrections.append)
    clock.synchronise(START)
    clock.synchronise(START + timedelta(hours=1))
    assert corrections == [pytest.approx(START.timestamp())]


async def test_timers_run_in_order_and_a_day_passes_at_once():
    clock = ManualClock(START)
    order: list[str] = []
    clock.call_later(86400, lambda: order.append("day"))
    clock.call_later(60, lambda: order.append("minute"))
    clock.call_later(60, lambda: order.append("minute too")).cancel()
    await clock.advance(timedelta(days=1))
    assert order == ["minute", "day"]
    assert clock.next_timer is None


async def test_sleep_ends_when_the_time_has_come():
    import asyncio

    clock = ManualClock(START)
    sleeper = asyncio.ensure_future(clock.sleep(10))
    await clock.advance(9.9)
    assert not sleeper.done()
    await clock.advance(0.1)
    assert sleeper.done()


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf"), 1e18, -1e18, 253402351199.0])
def test_now_never_raises_whatever_the_system_says(wrong):
    clock = ManualClock(START)
    clock.shift(wrong)
    assert clock.now().tzinfo is UTC
    assert instant(wrong).tzinfo is UTC


@pytest.mark.parametrize("year", [1, 1970, RELEASED.year - 1, RELEASED.year + 51, 9999])
def test_an_implausible_time_is_not_taken_and_warned_of_once(year, caplog):
    clock = ManualClock(START)
    for _ in range(3):
        assert clock.synchronise(datetime(year, 6, 1, tzinfo=UTC)) == 0.0
    assert clock.now() == START
    assert clock.quality == "system"
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1


def test_the_first_and_the_last_plausible_time_are_taken():
    clock = ManualClock(START)
    for moment in (datetime.fromtimestamp(PLAUSIBLE_UNTIL, UTC), RELEASED):
        clock.synchronise(moment)
        assert clock.now() == moment


@pytest.mark.parametrize("noted", [float("nan"), float("inf"), -1.0, 253402351199.0])
def test_a_record_that_is_no_time_holds_nothing(noted):
    clock = ManualClock(datetime(1970, 1, 1, tzinfo=UTC))
    clock.not_before(noted)
    assert clock.now().year == 1970
