"""What of a reading cannot be right, judged by the readings before it."""

import contextlib
import logging
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.errors import MeterError
from hal.interfaces import Quantity
from hal.meters.checks import CONFIRMATIONS, Plausibility


class Meter:
    """Feeds readings a second apart."""

    def __init__(self) -> None:
        self.checks = Plausibility("M1", max_power_w=100_000)
        self.now = 0.0

    def say(self, energy_wh, power_w=0, *, after_s=1.0) -> None:
        self.now += after_s
        self.checks.check(
            [
                Quantity("Energy.Active.Import.Register", Decimal(energy_wh), "Wh"),
                Quantity("Power.Active.Import", Decimal(power_w), "W"),
            ],
            self.now,
        )


@pytest.fixture
def meter() -> Meter:
    meter = Meter()
    meter.say(10_000)
    return meter


def test_a_register_that_counts_on_is_believed(meter):
    meter.say(10_000)
    meter.say(10_003)


def test_a_register_that_goes_back_is_refused_and_the_right_one_believed_again(meter):
    with pytest.raises(MeterError, match="went back from 10000 to 9999 Wh"):
        meter.say(9_999)
    meter.say(10_000)


def test_a_register_that_jumps_further_than_the_power_allows_is_refused(meter):
    with pytest.raises(MeterError, match="jumped from 10000 to 75536 Wh"):
        meter.say(75_536)
    meter.say(10_100)


def test_the_longer_the_meter_was_silent_the_further_the_register_may_have_come(meter):
    meter.say(75_536, after_s=3600)


def test_a_meter_that_insists_is_believed_with_an_error_in_the_log(meter, caplog):
    for index in range(CONFIRMATIONS - 1):
        with pytest.raises(MeterError):
            meter.say(50 + index)
    meter.say(70)
    assert "M1: the energy register went back from 10000 to 70 Wh and stays there" in caplog.text
    assert caplog.records[-1].levelno == logging.ERROR
    meter.say(71)


def test_wrong_readings_that_contradict_each_other_are_never_believed(meter):
    for index in range(3 * CONFIRMATIONS):
        with pytest.raises(MeterError):
            meter.say(9_000 - index)


def test_a_register_that_stands_still_while_power_flows_is_stuck(meter):
    for _ in range(600):
        meter.say(10_000, 11_000)
    with pytest.raises(MeterError, match="stands at 10000 Wh though 11000 W flow"):
        meter.say(10_000, 11_000, after_s=60.0)
    meter.say(10_001, 11_000)


def test_a_meter_that_tells_whole_kilowatt_hours_neither_jumps_nor_is_stuck(meter):
    for second in range(1, 1200):
        meter.say(10_000 + 11_000 * second // 3600 // 1000 * 1000, 11_000)


def test_below_the_starting_current_a_register_may_stand_still(meter):
    for _ in range(50):
        meter.say(10_000, 20, after_s=3600)


def test_a_reading_without_the_energy_register_is_none(meter):
    with pytest.raises(MeterError, match="no energy register"):
        meter.checks.check([Quantity("Voltage", Decimal(230), "V", "L1-N")], 2.0)


@pytest.mark.parametrize(
    "wrong",
    [
        Quantity("Voltage", Decimal("NaN"), "V", "L1-N"),
        Quantity("Voltage", Decimal("Infinity"), "V", "L1-N"),
        Quantity("Voltage", Decimal(-1), "V", "L1-N"),
        Quantity("Frequency", Decimal(500), "Hz"),
        Quantity("Power.Active.Import", Decimal("2e6"), "W"),
    ],
)
def test_what_nothing_can_be_is_refused(meter, wrong):
    with pytest.raises(MeterError, match=wrong.measurand):
        meter.checks.check([wrong], 2.0)


@given(st.lists(st.tuples(st.sampled_from([-5, 0, 1, 3, 70_000, -70_000]), st.sampled_from([1.0, 60.0])), max_size=120))
def test_whatever_a_meter_says_no_smaller_energy_is_passed_on_without_an_error_in_the_log(steps):
    meter, said, passed = Meter(), [], []
    handler = logging.Handler(logging.ERROR)
    handler.emit = said.append
    logging.getLogger("hal.meters.checks").addHandler(handler)
    try:
        energy = 100_000
        for step, after_s in steps:
            energy = max(energy + step, 0)
            before = len(said)
            with contextlib.suppress(MeterError):
                meter.say(energy, after_s=after_s)
                assert not passed or energy >= passed[-1] or len(said) > before
                passed.append(energy)
    finally:
        logging.getLogger("hal.meters.checks").removeHandler(handler)
