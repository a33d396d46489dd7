"""Limits and composite schedules against a plain oracle that looks at every second."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp.core.limits import Place, composite, limit_at, limits_of
from ocpp.core.schedule import DAY_S, WEEK_S, ChargingProfile, Kind, Period, Purpose, Schedule

NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z
PLACE = Place(max_current_a=32.0, phases=3, default_a=25.0)


def profile(limit: float = 10.0, **more) -> ChargingProfile:
    schedule = {"unit": "A", "periods": (Period(0, limit),), "start": NOON} | more.pop("schedule", {})
    values = {"id": 1, "evse_id": 1, "stack_level": 0, "purpose": Purpose.TX_DEFAULT, "kind": Kind.ABSOLUTE} | more
    return ChargingProfile(schedule=Schedule(**schedule), **values)


def amps(*profiles: ChargingProfile, at: float = NOON, anchor: float = NOON) -> float:
    return limit_at(PLACE, profiles, at, anchor).current_a


# -- rule by rule -----------------------------------------------------------------------------------------------------


def test_without_profiles_the_default_holds_within_what_the_connector_carries():
    assert amps() == 25
    assert limit_at(Place(16.0, 1, default_a=32.0), [], NOON, NOON).current_a == 16


@pytest.mark.req("K02.FR.04")
def test_a_tx_profile_goes_before_the_default_one_whatever_its_stack_level():
    assert amps(profile(10, stack_level=5), profile(20, purpose=Purpose.TX, id=2)) == 20


@pytest.mark.req("K02.FR.04")
@pytest.mark.parametrize("kind", list(Kind))
def test_it_is_the_purpose_that_counts_and_never_the_kind(kind):
    start = {"start": None} if kind is Kind.RELATIVE else {}
    recurrency = DAY_S if kind is Kind.RECURRING else None
    tx = profile(20, purpose=Purpose.TX, kind=kind, id=2, schedule=start, recurrency_s=recurrency)
    default = profile(10, stack_level=9, kind=Kind.RELATIVE, schedule={"start": None})
    assert amps(tx, default) == 20


@pytest.mark.req("K02.FR.08")
def test_where_a_tx_profile_ends_the_default_one_holds():
    tx = profile(20, purpose=Purpose.TX, id=2, schedule={"duration": 60})
    assert [amps(profile(10), tx, at=NOON + t) for t in (0, 59, 60)] == [20, 20, 10]


@pytest.mark.req("K01.FR.17")
def test_the_higher_stack_level_holds_while_it_says_something():
    high = profile(6, stack_level=3, id=2, schedule={"duration": 100})
    assert [amps(profile(10), high, at=NOON + t) for t in (0, 99, 100)] == [6, 6, 10]


@pytest.mark.req("K01.FR.14", "K01.FR.15")
def test_a_default_profile_of_the_station_holds_at_every_evse_and_gives_way_to_the_evses_own():
    assert amps(profile(10, evse_id=0)) == 10
    assert amps(profile(10, evse_id=0), profile(12, id=2)) == 12


@pytest.mark.req("K04.FR.05", "K08.FR.04")
def test_the_stations_limits_are_never_exceeded():
    assert amps(profile(20), profile(14, id=2, evse_id=0, purpose=Purpose.STATION_MAX)) == 14
    assert amps(profile(20), profile(7, id=3, evse_id=0, purpose=Purpose.EXTERNAL)) == 7
    assert amps(profile(30, evse_id=0, purpose=Purpose.STATION_MAX)) == 25


@pytest.mark.req("K01.FR.30")
def test_a_schedule_in_the_future_says_nothing_yet():
    assert amps(profile(10), at=NOON - 1) == 25


@pytest.mark.req("K01.FR.36", "K01.FR.37")
def test_validity_begins_with_valid_from_and_ends_before_valid_to():
    valid = profile(10, valid_from=NOON + 10, valid_to=NOON + 20)
    assert [amps(valid, at=NOON + t) for t in (9, 10, 19, 20)] == [25, 10, 10, 25]


@pytest.mark.req("K01.FR.12")
def test_a_period_lasts_until_the_next_one():
    stepped = profile(schedule={"periods": (Period(0, 6), Period(60, 8), Period(120, 10))})
    assert [amps(stepped, at=NOON + t) for t in (0, 59, 60, 119, 120, 9999)] == [6, 6, 8, 8, 10, 10]


@pytest.mark.req("K01.FR.11")
def test_a_period_past_the_duration_never_comes():
    stepped = profile(schedule={"periods": (Period(0, 6), Period(60, 8)), "duration": 60})
    assert [amps(stepped, at=NOON + t) for t in (59, 60, 61)] == [6, 25, 25]


@pytest.mark.req("K01.FR.13")
@pytest.mark.parametrize("every", [DAY_S, WEEK_S])
def test_a_recurring_schedule_comes_again_and_leaves_gaps(every):
    night = profile(7, kind=Kind.RECURRING, recurrency_s=every, schedule={"duration": 3600})
    assert [amps(night, at=NOON + n * every + t) for n in (0, 1, 400) for t in (0, 3599, 3600)] == [7, 7, 25] * 3
    assert amps(night, at=NOON - every) == 25


@pytest.mark.req("K01.FR.42")
def test_a_relative_schedule_counts_from_the_transaction():
    relative = profile(kind=Kind.RELATIVE, schedule={"start": None, "periods": (Period(0, 6), Period(60, 8))})
    assert [amps(relative, at=NOON + t, anchor=NOON + 100) for t in (99, 100, 160)] == [25, 6, 8]


@pytest.mark.req("K01.FR.49", "K01.FR.50", "K01.FR.51")
def test_power_is_shared_by_the_phases_and_current_is_per_phase():
    assert amps(profile(schedule={"unit": "W", "periods": (Period(0, 6900),)})) == pytest.approx(10)
    assert amps(profile(schedule={"unit": "W", "periods": (Period(0, 2300, 1),)})) == pytest.approx(10)
    assert limit_at(PLACE, [profile(schedule={"periods": (Period(0, 10, 1),)})], NOON, NOON).phases == 1


# -- against the oracle -----------------------------------------------------------------------------------------------


def says(each: ChargingProfile, at: float, anchor: float) -> Period | None:
    """Straight from the definitions, one step after the other."""
    if each.valid_from is not None and at < each.valid_from:
        return None
    if each.valid_to is not None and at >= each.valid_to:
        return None
    if each.kind is Kind.RELATIVE or each.schedule.start is None:
        start = anchor
    else:
        start = each.schedule.start
        while each.kind is Kind.RECURRING and start + each.recurrency_s <= at:
            start += each.recurrency_s
    if at < start or (each.schedule.duration is not None and at - start >= each.schedule.duration):
        return None
    return [period for period in each.schedule.periods if start + period.start <= at][-1]


def oracle(place: Place, profiles, at: float, anchor: float) -> tuple[float, int]:
    def top(purpose):
        speaking = [(each.stack_level, each.evse_id > 0, -n, each) for n, each in enumerate(profiles)
                    if each.purpose is purpose and says(each, at, anchor) is not None]  # fmt: skip
        return max(speaking, key=lambda entry: entry[:3])[3] if speaking else None

    own = top(Purpose.TX) or top(Purpose.TX_DEFAULT)
    chosen = [each for each in (own, top(Purpose.STATION_MAX)) if each is not None]
    chosen += [each for each in profiles if each.purpose is Purpose.EXTERNAL and says(each, at, anchor) is not None]
    phases = place.phases
    for each in chosen:
        phases = min(phases, says(each, at, anchor).phases or place.default_phases)
    current = place.max_current_a
    if own is None:
        current = min(current, place.default_a)
    for each in chosen:
        limit = says(each, at, anchor).limit
        current = min(current, limit if each.schedule.unit == "A" else limit / place.voltage_v / phases)
    return max(0.0, current), phases


GRID = 30
"""Everything happens on this grid of seconds, so that the oracle need not look at each one of a long window."""


def on_grid(low: int, high: int):
    return st.integers(low // GRID, high // GRID).map(lambda n: n * GRID)


@st.composite
def profiles_of(draw) -> ChargingProfile:
    kind = draw(st.sampled_from(list(Kind)))
    starts = sorted({0, *draw(st.lists(on_grid(GRID, 3600), max_size=4))})
    start = None if kind is Kind.RELATIVE else NOON + draw(on_grid(-3 * DAY_S, 3600))
    return ChargingProfile(
        id=draw(st.integers(1, 99)),
        evse_id=draw(st.sampled_from([0, 1])),
        stack_level=draw(st.integers(0, 3)),
        purpose=draw(st.sampled_from(list(Purpose))),
        kind=kind,
        recurrency_s=draw(st.sampled_from([DAY_S, WEEK_S])) if kind is Kind.RECURRING else None,
        valid_from=draw(st.none() | on_grid(-3600, 3600).map(lambda t: NOON + t)),
        valid_to=draw(st.none() | on_grid(0, 7200).map(lambda t: NOON + t)),
        schedule=Schedule(
            unit=draw(st.sampled_from(["A", "W"])),
            start=start,
            duration=draw(st.none() | on_grid(GRID, 5400)),
            periods=tuple(
                Period(
                    each,
                    draw(st.sampled_from([0.0, 6.0, 10.5, 16.0, 4140.0, 11000.0])),
                    draw(st.sampled_from([None, 1, 3])),
                )
                for each in starts
            ),
        ),
    )


WINDOW_STARTS = on_grid(-DAY_S, DAY_S) | on_grid(-DAY_S, 400 * DAY_S)
"""Near the profiles' times, and over every end of a month and change of summer time that recurrence has to pass."""


@settings(max_examples=2500, deadline=None)
@given(st.lists(profiles_of(), max_size=8), WINDOW_STARTS, st.integers(60, 5400))
def test_the_composite_schedule_is_what_the_oracle_sees_at_every_instant(profiles, offset, duration):
    start = NOON + offset
    anchor = start
    made = composite(limits_of(PLACE, profiles, anchor), start, duration)
    assert made.duration == duration
    slices = made.slices
    assert slices[0].start == 0
    assert [each.start for each in slices] == sorted({each.start for each in slices})
    for second in range(0, duration, GRID):
        for at in (second, min(second + 1, duration - 1), min(second + GRID - 1, duration - 1)):
            current = [each for each in slices if each.start <= at][-1].limit
            expected, phases = oracle(PLACE, profiles, start + at, anchor)
            assert math.isclose(current.current_a, expected, abs_tol=1e-9), (at, current, expected)
            assert current.phases == phases
    for one, other in itertools.pairwise(slices):
        assert (one.limit.current_a, one.limit.phases) != (other.limit.current_a, other.limit.phases)


@settings(max_examples=500, deadline=None)
@given(st.lists(profiles_of(), max_size=8), WINDOW_STARTS)
def test_until_the_next_change_the_oracle_sees_none(profiles, offset):
    start = NOON + offset
    following = limits_of(PLACE, profiles, start).next_change(start)
    assert following is None or following > start
    now = oracle(PLACE, profiles, start, start)
    for at in range(GRID, 7200, GRID):
        if following is not None and start + at >= following:
            break
        assert oracle(PLACE, profiles, start + at, start) == now


def test_a_composite_schedule_is_bounded():
    busy = profile(schedule={"periods": tuple(Period(n, 6 + n % 2) for n in range(1500))})
    made = composite(limits_of(PLACE, [busy], NOON), NOON, 5000)
    assert len(made.slices) == made.duration == 1024


def test_a_composite_schedule_of_many_periods_that_change_nothing_is_one_of_a_shorter_time():
    daily = profile(
        kind=Kind.RECURRING,
        recurrency_s=DAY_S,
        schedule={"periods": tuple(Period(60 * n, 10.0) for n in range(1000))},
    )
    made = composite(limits_of(PLACE, [daily], NOON), NOON, 366 * DAY_S)
    assert [(each.start, each.limit.current_a) for each in made.slices] == [(0, 10.0)]
    assert made.duration == 16 * DAY_S + 384 * 60  # 16,384 periods
