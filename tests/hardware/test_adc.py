"""The ADCs: the same tests for every chip, on emulated ones."""

import itertools

import msgspec
import pytest
from support.chips.adc import Ads1115, Mcp3208, Mcp3424
from support.spi import SpiDevice

from hal.chips.adc import AdcInput
from hal.errors import BusError, ClaimError, DriverError

CHIPS = ["ads1115", "mcp3424", "mcp3208"]


@pytest.fixture
def fitted(kernel):
    """Every chip, by its name."""
    chips = {"ads1115": Ads1115(), "mcp3424": Mcp3424(), "mcp3208": Mcp3208()}
    kernel.i2c.parts[0x48], kernel.i2c.parts[0x68] = chips["ads1115"], chips["mcp3424"]
    SpiDevice(kernel, chips["mcp3208"])
    return chips


@pytest.fixture
def opened(bench):
    def opened(chip, channel=0, owner="P1", **options):
        return msgspec.convert({"chip": chip, "channel": channel, **options}, AdcInput).open(bench.for_part(owner))

    return opened


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("volts", [0.0, 0.5, 1.234, 2.0])
def test_a_channel_gives_the_voltage_at_its_pin(fitted, opened, chip, volts):
    fitted[chip].pins[1] = volts
    assert opened(chip, 1).volts() == pytest.approx(volts, abs=0.001)
    assert opened(chip, 0).volts() == 0.0


@pytest.mark.parametrize(
    ("chip", "options", "resolution"),
    [
        ("ads1115", {"range_v": 0.256}, 8e-6),
        ("mcp3424", {"bits": 14}, 250e-6),
        ("mcp3424", {"bits": 12, "gain": 8}, 125e-6),
        ("mcp3208", {"reference_v": 3.3}, 806e-6),
    ],
)
def test_ranges_gains_and_bits_say_how_fine_it_is(fitted, opened, chip, options, resolution):
    fitted[chip].pins[0] = 0.12345
    assert abs(opened(chip, **options).volts() - 0.12345) <= resolution


@pytest.mark.parametrize("chip", ["ads1115", "mcp3424"])
def test_a_negative_voltage_is_negative(fitted, opened, chip):
    fitted[chip].pins[0] = -0.1
    assert opened(chip).volts() == pytest.approx(-0.1, abs=0.001)


@pytest.mark.parametrize("chip", ["ads1115", "mcp3424"])
@pytest.mark.parametrize("volts", [5.0, -5.0])
def test_a_pin_beyond_the_range_is_no_value(fitted, opened, chip, volts):
    fitted[chip].pins[0] = volts
    with pytest.raises(BusError, match="beyond its range"):
        opened(chip).volts()


@pytest.mark.parametrize("chip", CHIPS)
def test_a_chip_that_does_not_answer_is_an_error_until_it_does(fitted, opened, chip):
    channel = opened(chip)
    fitted[chip].broken = True
    with pytest.raises(BusError):
        channel.volts()
    fitted[chip].broken = False
    assert channel.volts() == 0.0


@pytest.mark.parametrize("chip", ["ads1115", "mcp3424"])
def test_a_conversion_that_never_ends_is_an_error(fitted, opened, chip):
    fitted[chip].busy = True
    with pytest.raises(BusError, match="does not end"):
        opened(chip).volts()


def test_an_spi_line_that_nobody_drives_is_an_error(fitted, opened):
    fitted["mcp3208"].unplugged = True
    with pytest.raises(BusError, match="does not answer"):
        opened("mcp3208").volts()


@pytest.mark.parametrize("chip", CHIPS)
def test_parts_share_a_chip_but_not_a_channel(fitted, opened, chip):
    opened(chip, 0, "P1")
    opened(chip, 1, "X1")
    with pytest.raises(ClaimError, match="by P1 and by X1"):
        opened(chip, 0, "X1")


def test_an_address_serves_one_kind_of_chip(fitted, opened, bench):
    opened("ads1115")
    with pytest.raises(ClaimError, match="0x48"):
        bench.for_part("T1").i2c("/dev/i2c-1", 0x48)


def test_a_range_there_is_not_is_refused(fitted, opened):
    with pytest.raises(DriverError, match=r"must be one of 6\.144"):
        opened("ads1115", range_v=5)


def test_many_conversions_find_the_peaks_of_a_pwm(fitted, opened):
    phases = itertools.cycle([2.8, 0.3, 0.3, 0.31, 0.3, 0.3, 0.29])
    fitted["mcp3208"].pins[0] = lambda: next(phases)
    high, low = opened("mcp3208").peaks(0.005)
    assert (high, low) == (pytest.approx(2.8, abs=0.001), pytest.approx(0.29, abs=0.001))
