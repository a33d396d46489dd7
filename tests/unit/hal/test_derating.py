import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.derating import Derating
from hal.errors import DriverError

CURVE = ((50, 32), (70, 16), (80, 6))


@pytest.mark.parametrize(
    ("celsius", "amperes"),
    [(20, math.inf), (49.9, math.inf), (50, 32), (60, 24), (70, 16), (75, 11), (80, 6), (200, 6)],
)
def test_the_bound_lies_on_lines_between_the_points(celsius, amperes):
    assert Derating(CURVE).limit(celsius) == amperes


def test_a_falling_temperature_lifts_the_bound_after_the_hysteresis_only():
    derating = Derating(CURVE, hysteresis_c=5)
    assert [derating.limit(each) for each in (60, 56, 55, 54, 40)] == [24, 24, 24, 24, math.inf]
    assert derating.limit(70) == 16


def test_a_temperature_that_is_not_known_counts_as_the_hottest():
    assert Derating(CURVE).limit(None) == 6
    assert Derating(CURVE).limit(math.nan) == 6


def test_without_a_curve_nothing_is_bounded():
    assert Derating(()).limit(None) == math.inf
    assert Derating(()).limit(150) == math.inf


def test_a_step_down_to_nothing_is_a_curve():
    derating = Derating(((70, 16), (70.5, 0)))
    assert (derating.limit(69), derating.limit(71)) == (math.inf, 0)


RISING, TWICE, NEGATIVE = ((50, 10), (60, 16)), ((50, 10), (50, 6)), ((50, -1),)
COOLER, NO_NUMBER, ENDLESS, TOO_MANY = ((60, 16), (50, 10)), ((math.nan, 5),), ((50, math.inf),), ((0, 1),) * 17


@pytest.mark.parametrize("points", [RISING, TWICE, NEGATIVE, COOLER, NO_NUMBER, ENDLESS, TOO_MANY])
def test_what_is_no_falling_curve_is_refused(points):
    with pytest.raises(DriverError, match="derating"):
        Derating(points)


@given(st.lists(st.floats(-40, 125), min_size=1, max_size=50), st.floats(0, 10))
def test_hotter_never_means_more(temperatures, hysteresis):
    derating = Derating(CURVE, hysteresis)
    for each in temperatures:
        assert derating.limit(each) <= Derating(CURVE).limit(each)
