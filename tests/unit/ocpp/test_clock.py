from datetime import UTC, datetime, timedelta

import pytest

from ocpp.clock import ManualClock

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
