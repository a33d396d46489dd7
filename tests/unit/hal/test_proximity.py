import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.proximity import BANDS, no_plug, rating_for, resistance


@pytest.mark.parametrize(("ohms", "amperes"), [(1500, 13), (680, 20), (220, 32), (100, 63)])
@pytest.mark.parametrize("tolerance", [0.97, 1.0, 1.03])
def test_the_resistors_of_the_table_say_what_the_cable_carries(ohms, amperes, tolerance):
    assert rating_for(ohms * tolerance) == amperes


def test_on_one_phase_100_ohm_mean_70_a():
    assert rating_for(100, phases=1) == 70
    assert rating_for(220, phases=1) == 32


@pytest.mark.parametrize("ohms", [0, 60, 79, 150, 350, 1000, 3000, 4500, 1e6, math.inf, math.nan])
def test_what_codes_nothing_carries_nothing(ohms):
    assert rating_for(ohms) is None


def test_bands_do_not_overlap_and_more_resistance_carries_less():
    for lower, higher in pairwise(BANDS):
        assert lower[1] < higher[0]
        assert lower[2] > higher[2]


def test_only_a_high_resistance_means_no_plug():
    assert no_plug(math.inf)
    assert no_plug(5000)
    assert not no_plug(0)
    assert not no_plug(3000)


@given(st.floats(1, 4000), st.floats(100, 5000), st.floats(3, 12), st.sampled_from([math.inf, 4700.0, 10000.0]))
def test_the_resistance_comes_back_from_the_voltage_it_makes(ohms, pull_up, supply, parallel):
    total = 1 / (1 / ohms + 1 / parallel)
    volts = supply * total / (total + pull_up)
    assert resistance(volts, supply_v=supply, pull_up_ohm=pull_up, parallel_ohm=parallel) == pytest.approx(
        ohms, rel=1e-3
    )


@pytest.mark.parametrize(
    ("volts", "ohms"), [(5.0, math.inf), (5.2, math.inf), (math.nan, math.inf), (0.0, 0), (-0.1, 0)]
)
def test_the_ends_are_open_and_shorted(volts, ohms):
    assert resistance(volts, supply_v=5.0, pull_up_ohm=1000) == ohms


def test_the_stations_own_resistor_alone_is_an_open_contact():
    assert resistance(5.0 * 4700 / 5700, supply_v=5.0, pull_up_ohm=1000, parallel_ohm=4700) > 1e6
