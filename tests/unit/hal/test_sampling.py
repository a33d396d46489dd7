"""Pilot levels and rings of samples, compiled."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.level_oracle import LevelOracle

from hal._native.sampling import MAX_CAPACITY, STATES, LevelDecoder, Ring


def state_of(high: float, low: float, *, pwm: bool) -> str:
    return STATES[LevelDecoder(confirm=1).see(high, low, pwm)]


@pytest.mark.parametrize(
    ("high", "low", "pwm", "state"),
    [
        (12, 12, False, "A"),
        (9, 9, False, "B"),
        (9, -12, True, "B"),
        (6, -12, True, "C"),
        (3, -12, True, "D"),
        (0, 0, False, "E"),
        (-12, -12, False, "F"),
        (6, -6, True, "E"),
        (math.nan, -12, True, "E"),
        (6, math.nan, True, "E"),
    ],
)
def test_levels_are_states_and_what_is_no_number_is_a_fault(high, low, pwm, state):
    assert state_of(high, low, pwm=pwm) == state


def test_a_state_counts_when_it_was_seen_as_often_as_asked_for():
    decoder = LevelDecoder(confirm=3)
    seen = [STATES[decoder.see(9, 9, False)] for _ in range(3)]
    assert seen == ["A", "A", "B"]


def test_near_a_limit_the_state_stays():
    decoder = LevelDecoder(confirm=1, hysteresis_v=0.3)
    decoder.see(9, 9, False)
    assert [STATES[decoder.see(volts, -12, True)] for volts in (7.4, 7.3, 7.1, 7.6, 7.9)] == list("BBCCB")


@given(st.lists(st.floats(-1e6, 1e6), max_size=60), st.integers(1, 10))
def test_a_ring_holds_the_newest_samples(values, capacity):
    ring = Ring(capacity)
    for at, value in enumerate(values):
        ring.add(value, at)
    kept = values[-capacity:]
    assert ring.count == len(kept)
    assert math.isclose(ring.average, sum(kept) / len(kept) if kept else 0.0, abs_tol=1e-3)
    count, average, low, high = ring.since(0)
    assert (count, low, high) == (len(kept), min(kept, default=0.0), max(kept, default=0.0))
    assert math.isclose(average, sum(kept) / len(kept) if kept else 0.0, abs_tol=1e-3)


@pytest.mark.parametrize("capacity", [0, -1, MAX_CAPACITY + 1, 2**61])
def test_a_ring_has_a_size_that_memory_can_hold(capacity):
    with pytest.raises(ValueError, match="capacity must be"):
        Ring(capacity)


def test_a_line_that_jumps_between_states_is_not_sound():
    decoder = LevelDecoder(confirm=3)
    for _ in range(3):
        decoder.see(6, -12, True)
    assert decoder.state == "C"
    seen = [STATES[decoder.see(volts, -12, True)] for volts in (12, 9, 12, 9, 12, 9)]
    assert seen == list("CCCCCE"), "never confirmed, and yet not charging any more"


def test_a_glitch_changes_nothing():
    decoder = LevelDecoder(confirm=3)
    for volts in (6, 6, 6, 12, 6, 9, 3, 6, 0, 0, 6):
        decoder.see(volts, -12, True)
    assert decoder.state == "C"


VOLTS = st.one_of(
    st.sampled_from([12.0, 9.0, 6.0, 3.0, 0.0, -12.0, math.nan, math.inf, -math.inf]),
    st.floats(-13, 13),
    st.sampled_from([10.5, 7.5, 4.5, 1.5, -10.0, -10.5]).flatmap(lambda limit: st.floats(limit - 0.4, limit + 0.4)),
)


@given(
    st.integers(1, 4),
    st.floats(0, 1.4),
    st.lists(st.tuples(VOLTS, VOLTS, st.booleans(), st.integers(1, 5)), max_size=40),
)
def test_the_decoder_agrees_with_its_oracle(confirm, hysteresis, samples):
    decoder, oracle = LevelDecoder(confirm, hysteresis), LevelOracle(confirm, hysteresis)
    for high, low, pwm, times in samples:
        for _ in range(times):
            assert STATES[decoder.see(high, low, pwm)] == oracle.see(high, low, pwm)
            assert decoder.state == oracle.state
