"""The compiled sampler of meter readings, against its oracle in plain Python."""

import math
import sys
import tracemalloc
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sampler_oracle import SamplerOracle

from hal._native.metering import MAX_MEASURANDS, MAX_SAMPLES, Sampler

VALUES = st.one_of(st.floats(-1e6, 1e6), st.just(math.nan), st.integers(-100, 100).map(float))
STEPS = st.one_of(st.floats(0.0, 3.0), st.floats(10.0, 100.0), st.integers(0, 20).map(float))


@st.composite
def histories(draw):
    """Sizes, then samples a while apart, with changes of the clock's offset between them."""
    measurands = draw(st.integers(1, 4))
    deadbands = draw(st.one_of(st.none(), st.lists(st.floats(0, 50), min_size=measurands, max_size=measurands)))
    row = st.lists(VALUES, min_size=measurands, max_size=measurands)
    steps = draw(st.lists(st.tuples(STEPS, row, st.one_of(st.none(), st.floats(-1e4, 1e4))), max_size=60))
    return measurands, draw(st.integers(1, 12)), draw(st.sampled_from([0.0, 1.0, 5.0, 7.5])), deadbands, steps


def same(found, expected) -> bool:
    if isinstance(expected, tuple):
        return len(found) == len(expected) and all(map(same, found, expected))
    return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-6) or (math.isnan(found) and math.isnan(expected))


@given(histories(), st.floats(0, 100))
def test_it_says_what_the_oracle_says(history, back):
    measurands, capacity, interval_s, deadbands, steps = history
    sampler = Sampler(measurands, capacity, interval_s, deadbands)
    oracle = SamplerOracle(measurands, capacity, interval_s, deadbands)
    now = 0.0
    for step, values, offset in steps:
        now += step
        if offset is not None:
            sampler.align(offset)
            oracle.align(offset)
        assert sampler.add(values, now) == oracle.add(values, now)
        assert sampler.interval_whole == oracle.interval_whole
        assert same(sampler.interval_begin, oracle.interval_begin)
        for index in range(measurands):
            assert sampler.moved(index) == oracle.moved(index)
            assert same(sampler.newest(index), oracle.newest(index))
            assert same(sampler.interval(index), oracle.interval(index))
            assert same(sampler.window(index, now - back), oracle.window(index, now - back))


def test_an_interval_is_that_of_the_wall_clock_and_whole_when_it_was_sampled_from_begin_to_end():
    sampler = Sampler(1, 10, 60.0)
    sampler.align(1_000_000_030.0)  # monotonic 0 is ten seconds after a full minute
    for at in range(120):
        sampler.add([float(at)], float(at))
        if at == 50:
            assert not sampler.interval_whole
            assert sampler.interval(0)[0] == 50
    assert sampler.interval_whole
    assert sampler.interval_begin == 1_000_000_080.0
    assert sampler.interval(0) == (60, 79.5, 50.0, 109.0)


def test_a_value_moves_when_it_leaves_the_deadband_around_what_was_told_last():
    sampler = Sampler(2, 10, 0.0, [5.0, 0.0])
    told = [sampler.add([value, 1.0], at) for at, value in enumerate([100.0, 104.0, 106.0, 102.0, 100.0])]
    assert told == [2, 0, 1, 0, 1]


def test_decimals_and_integers_are_taken_as_well():
    sampler = Sampler(2, 1)
    sampler.add([Decimal("1.5"), 2], 0)
    assert (sampler.newest(0), sampler.newest(1)) == (1.5, 2.0)


def test_a_value_that_cannot_be_taken_changes_nothing():
    sampler = Sampler(2, 10)
    sampler.add([1.0, 2.0], 0.0)
    with pytest.raises(TypeError):
        sampler.add([3.0, "x"], 1.0)
    assert (sampler.count, sampler.newest(0)) == (1, 1.0)


def test_a_list_that_changes_while_it_is_read_is_refused():
    values: list = [1.0]

    class Shrinks:
        def __float__(self):
            values.clear()
            return 1.0

    values[:] = [Shrinks(), 1.0]
    with pytest.raises(ValueError, match="changed meanwhile"):
        Sampler(2, 10).add(values, 0.0)


@pytest.mark.parametrize(
    ("sizes", "complaint"),
    [
        ((0, 1), "measurands must be"),
        ((MAX_MEASURANDS + 1, 1), "measurands must be"),
        ((1, 0), "capacity must be"),
        ((2, MAX_SAMPLES // 2 + 1), "capacity must be"),
        ((1, sys.maxsize // 2), "capacity must be"),
        ((1, 1, -1.0), "interval_s must be"),
        ((1, 1, math.nan), "interval_s must be"),
        ((2, 1, 0.0, [1.0]), "deadbands must be 2"),
    ],
)
def test_sizes_are_bounded(sizes, complaint):
    with pytest.raises(ValueError, match=complaint):
        Sampler(*sizes)


def test_what_makes_no_sense_is_refused():
    sampler = Sampler(2, 1)
    with pytest.raises(ValueError, match="2 values"):
        sampler.add([1.0], 0.0)
    with pytest.raises(ValueError, match="time must be finite"):
        sampler.add([1.0, 2.0], math.nan)
    with pytest.raises(ValueError, match="offset_s"):
        sampler.align(math.inf)
    for ask in (sampler.newest, sampler.moved, sampler.interval):
        with pytest.raises(IndexError):
            ask(2)


def test_a_sample_allocates_nothing():
    sampler = Sampler(20, 100, 900.0)
    values = [float(index) for index in range(20)]
    times = [index * 1.0 for index in range(5_000)]
    sampler.add(values, 0.0)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    for at in times:
        sampler.add(values, at)
    grown = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert grown < 1_000
