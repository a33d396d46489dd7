"""What every meter does, simulated, emulated or wired (PILOTWIRE_WIRED_METER, see tests/support/meters.py)."""

import os
import time
from decimal import Decimal

import pytest
from support import meters

from hal.errors import MeterError
from hal.meters.quantities import KINDS

IMPORT = "Energy.Active.Import.Register"
ONLY_SIMULATED = {"Current.Offered", "Power.Offered", "SoC"}


@pytest.fixture(params=meters.KINDS)
def rig(request, tmp_path):
    if request.param == "wired" and meters.WIRED not in os.environ:
        pytest.skip(f"{meters.WIRED} names no wired meter")
    kernel = request.getfixturevalue("kernel") if request.param == "s0" else None
    made = meters.KINDS[request.param](tmp_path, kernel)
    with made.closing:
        yield made


@pytest.fixture
def breakable(rig):
    if not rig.can_break:
        pytest.skip("a wired meter is not broken for a test")
    return rig


def energy(rig) -> Decimal:
    (found,) = [each for each in rig.meter.read().quantities if (each.measurand, each.phase) == (IMPORT, None)]
    assert found.unit == "Wh"
    return found.value


def test_it_tells_its_register_in_wh(rig):
    rig.refresh()
    assert energy(rig) >= 0


def test_every_quantity_is_an_exact_number_in_the_unit_of_its_measurand(rig):
    rig.refresh()
    for each in rig.meter.read().quantities:
        assert isinstance(each.value, Decimal)
        if each.measurand not in ONLY_SIMULATED:
            kind = KINDS[each.measurand]
            assert each.unit == kind.unit
            assert kind.low <= each.value <= kind.high


def test_reading_it_takes_no_time(rig):
    rig.refresh()
    begin = time.perf_counter()
    for _ in range(100):
        rig.meter.read()
    assert time.perf_counter() - begin < 0.5


def test_it_counts(breakable):
    breakable.refresh()
    before = energy(breakable)
    breakable.count(1)
    breakable.refresh()
    assert energy(breakable) == before + 1000


def test_a_meter_that_fails_is_an_error_and_one_that_works_again_has_counted_on(breakable):
    breakable.refresh()
    before = energy(breakable)
    breakable.fail()
    breakable.refresh()
    with pytest.raises(MeterError):
        breakable.meter.read()
    breakable.mend()
    breakable.count(1)
    breakable.refresh()
    assert energy(breakable) == before + 1000
