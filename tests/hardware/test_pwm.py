import pytest
from support.pwm import PwmChip

from hal.errors import BusError, ClaimError, DriverError
from hal.keeper import Plan, make_safe


@pytest.fixture
def chip(kernel):
    return PwmChip(kernel)


@pytest.fixture
def part(bench):
    return bench.for_part("P1")


def test_a_channel_runs_from_the_start_at_rest_and_shows_what_it_is_told(chip, part):
    channel = part.pwm("pwmchip0/1", frequency_hz=1000, rest=1.0)
    assert chip.shows(1, "period") == "1000000"
    assert chip.duty(1) == 1.0
    channel.set(0.2667)
    assert chip.shows(1, "duty_cycle") == "266700"
    assert chip.duty(0) == 0.0


@pytest.mark.parametrize(("fraction", "shown"), [(-1, 0), (2, 1), (float("nan"), 0), (0.5, 0.5)])
def test_what_is_out_of_range_is_the_nearer_end(chip, part, fraction, shown):
    part.pwm("pwmchip0/0", frequency_hz=1000).set(fraction)
    assert chip.duty(0) == shown


def test_an_inverted_channel_is_low_for_the_fraction(chip, part):
    channel = part.pwm("pwmchip0/0", frequency_hz=1000, inverted=True, rest=1.0)
    assert chip.duty(0) == 0.0
    channel.set(0.1)
    assert chip.duty(0) == pytest.approx(0.9)


def test_what_somebody_left_does_not_matter(chip, part):
    chip.leave(0, period=20_000_000, duty_cycle=5_000_000, enable=1, polarity="inversed")
    part.pwm("pwmchip0/0", frequency_hz=1000, rest=1.0)
    assert [chip.shows(0, each) for each in ("period", "polarity", "enable")] == ["1000000", "normal", "1"]
    assert chip.duty(0) == 1.0


def test_the_bench_puts_it_to_rest_and_gives_it_back(chip, bench, part):
    part.pwm("pwmchip0/1", frequency_hz=1000, rest=1.0).set(0.3)
    bench.close()
    assert chip.duty(1) == 1.0
    assert chip.given_back == "1"


def test_a_channel_that_vanishes_is_an_error_and_serves_again_when_it_is_back(chip, part):
    channel = part.pwm("pwmchip0/0", frequency_hz=1000)
    chip.unplug(0)
    with pytest.raises(BusError, match="pwmchip0/0"):
        channel.set(0.5)
    chip.plug(0)
    channel.set(0.5)
    assert chip.duty(0) == 0.5


def test_a_chip_that_is_not_there_is_named(chip, part):
    with pytest.raises(BusError, match="pwmchip7/0 cannot be used"):
        part.pwm("pwmchip7/0", frequency_hz=1000)


def test_a_channel_has_one_owner_and_a_name_of_its_kind(chip, bench, part):
    part.pwm("pwmchip0/0", frequency_hz=1000)
    with pytest.raises(ClaimError, match="by P1 and by P2"):
        bench.for_part("P2").pwm("pwmchip0/0", frequency_hz=1000)
    with pytest.raises(DriverError, match="write it as pwmchip0/1"):
        part.pwm("GPIO18", frequency_hz=1000)
    with pytest.raises(DriverError, match="no usual pwm device"):
        part.pwm(None, frequency_hz=1000)


@pytest.mark.parametrize(("inverted", "resting"), [(False, 1.0), (True, 0.0)])
def test_the_keeper_puts_it_to_rest_when_the_process_is_lost(chip, bench, part, inverted, resting):
    part.pwm("pwmchip0/1", frequency_hz=1000, rest=1.0, inverted=inverted).set(0.3)
    assert make_safe(Plan(tuple(bench.safe)), print)
    assert chip.duty(1) == resting
