"""From edges to pulses without bounce, and from pulses to energy and power."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hal.meters.pulses import QUIET_S, PulseCounter, PulseFilter

MS = 1_000_000


def pulses(*edges_ms: float, min_ms: float = 10) -> list[float]:
    """When pulses began, from times at which the contact closes and opens in turn."""
    found = PulseFilter(int(min_ms * MS))
    began = [found.edge(index % 2 == 0, int(at * MS)) for index, at in enumerate(edges_ms)]
    return [each / MS for each in began if each is not None]


def test_a_contact_that_closes_and_opens_is_a_pulse():
    assert pulses(100, 130, 500, 530) == [100, 500]


def test_bounce_when_it_closes_and_when_it_opens_does_not_count():
    assert pulses(100, 101, 102, 103, 104, 134, 135, 136, 137, 138, 500, 530, 900) == [104, 500]


def test_a_short_break_does_not_make_two_pulses_of_one():
    assert pulses(100, 120, 121, 141, 500, 530) == [100, 500]


def test_disturbances_are_no_pulses():
    assert pulses(100, 102, 200, 203, 300, 304) == []


def test_edges_that_got_lost_make_no_pulses_of_their_own():
    found = PulseFilter(10 * MS)
    assert [found.edge(closes, at * MS) for closes, at in ((False, 1), (True, 100), (True, 200), (False, 300))] == [
        None,
        None,
        100 * MS,
        None,
    ]


@given(
    st.lists(
        st.tuples(
            st.integers(30, 2000),
            st.integers(30, 200),
            st.lists(st.integers(1, 4), max_size=6),
            st.lists(st.integers(1, 4), max_size=6),
        ),
        max_size=30,
    )
)
def test_however_it_bounces_every_pulse_counts_once(train):
    now, closes, edges = 0, True, []

    def go(milliseconds: int) -> None:
        nonlocal now, closes
        now += milliseconds
        edges.append((closes, now * MS))
        closes = not closes

    for pause, width, rising, falling in train:
        go(pause)
        for each in rising[: len(rising) // 2 * 2]:
            go(each)
        go(width)
        for each in falling[: len(falling) // 2 * 2]:
            go(each)
    counted = PulseFilter(10 * MS)
    assert sum(counted.edge(*edge) is not None for edge in edges) == len(train)


def test_energy_is_exact_whatever_the_constant():
    counter = PulseCounter(3.0, start_wh=10.5)
    for index in range(3):
        counter.count(index, 0.0)
    assert counter.energy_wh == Decimal("1010.500")
    assert PulseCounter(1000, 7).energy_wh == 7


def test_power_comes_from_the_distance_of_two_pulses():
    counter = PulseCounter(1000)
    assert counter.power_w(0.0) == 0
    counter.count(0, 0.0)
    assert counter.power_w(0.0) == 0
    counter.count(360 * MS, 0.36)
    assert counter.power_w(0.36) == 10_000


def test_power_fades_when_the_next_pulse_does_not_come():
    counter = PulseCounter(1000)
    counter.count(0, 0.0)
    counter.count(360 * MS, 0.36)
    assert counter.power_w(0.36 + 36.0) == 100
    assert counter.power_w(0.36 + QUIET_S + 1) == 0
