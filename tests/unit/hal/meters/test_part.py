"""What all meter drivers have in common: age of a reading, averages, what is logged."""

import logging
from decimal import Decimal

import pytest
from support.workbench import workbench

from hal.errors import MeterError
from hal.interfaces import Quantity
from hal.meters.part import MeterOptions, MeterPart

IMPORT, POWER = "Energy.Active.Import.Register", "Power.Active.Import"


class Rig:
    """A meter whose readings the test makes; the wall clock is a minute past a full hour at the beginning."""

    def __init__(self) -> None:
        bench, self.clock = workbench()
        begin = self.clock.monotonic()
        self.part = MeterPart(
            bench.for_part("M1"),
            MeterOptions(),
            wall_clock=lambda: 3600.0 * 500_000 + 60 + self.clock.monotonic() - begin,
        )
        self.energy = Decimal(1000)

    def say(self, power_w: float, *more: Quantity, after_s: float = 1.0) -> bool:
        self.clock.tick(after_s)
        self.energy += Decimal(str(power_w)) * Decimal(str(after_s)) / 3600
        energy = Quantity(IMPORT, self.energy, "Wh")
        return self.part.took([energy, Quantity(POWER, Decimal(str(power_w)), "W"), *more])


@pytest.fixture
def rig():
    return Rig()


def test_the_newest_reading_is_there_at_once_with_its_time(rig):
    rig.say(11_000)
    assert rig.part.read().quantities[1].value == 11_000
    assert rig.part.read_at == rig.clock.monotonic()


def test_a_reading_that_is_too_old_is_an_error_even_if_nobody_reported_one(rig):
    rig.say(0)
    rig.clock.tick(10.0)
    rig.part.read()
    rig.clock.tick(0.5)
    with pytest.raises(MeterError, match="M1: no reading for 10 s"):
        rig.part.read()


def test_what_fails_is_logged_once_and_again_when_it_failed_anew(rig, caplog):
    caplog.set_level(logging.INFO)
    for _ in range(3):
        rig.part.failed("no answer")
    rig.say(0)
    rig.part.failed("no answer")
    assert [each.message for each in caplog.records] == ["M1: no answer", "M1 answers again", "M1: no answer"]


def test_a_reading_that_cannot_be_right_is_not_passed_on(rig):
    assert rig.say(0)
    rig.energy = Decimal(5)
    assert not rig.say(0)
    assert rig.part.read().quantities[0].value == 1000
    assert "went back" in rig.part.error
    assert "went back" in rig.part.values()["error"]


def test_averages_are_those_of_the_newest_readings(rig):
    for power in (100, 200, 300, 400):
        rig.say(power)
    assert rig.part.recent(POWER) == (250.0, 100.0, 400.0)
    assert rig.part.recent(POWER, seconds=1.5) == (350.0, 300.0, 400.0)
    assert rig.part.values()["power, last minute"] == "250 W (100 to 400)"


@pytest.mark.parametrize("measurand", ["Voltage", POWER])
def test_there_is_no_average_of_what_was_not_measured(rig, measurand):
    rig.say(100)
    rig.clock.tick(120)
    with pytest.raises(LookupError, match=measurand):
        rig.part.recent(measurand)


def test_a_measurand_that_comes_later_gets_its_average_too(rig):
    rig.say(100)
    rig.say(100, Quantity("Voltage", Decimal(230), "V", "L1-N"))
    rig.say(100)
    assert rig.part.recent("Voltage", "L1-N") == (230.0, 230.0, 230.0)


def test_the_demand_is_the_average_of_a_quarter_of_an_hour_by_the_clock(rig):
    for _ in range(14 * 6 - 1):
        rig.say(50_000, after_s=10.0)
    assert rig.part.demand_w is None
    for _ in range(15 * 6):
        rig.say(3_000, after_s=10.0)
    rig.say(9_000, after_s=10.0)
    assert rig.part.demand_w == 3_000
    assert rig.part.values()["power, last quarter of an hour"] == "3000 W"
