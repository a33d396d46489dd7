import pytest
from support.chips.pca9685 import Pca9685 as Emulated

from hal.chips.pca9685 import Pca9685
from hal.errors import BusError, ClaimError, DriverError
from hal.keeper import Plan, make_safe

BUS, ADDRESS = "/dev/i2c-1", 0x40


@pytest.fixture
def wired(kernel):
    kernel.i2c.parts[ADDRESS] = Emulated()
    return kernel.i2c.parts[ADDRESS]


@pytest.fixture
def chip(wired, bench):
    return Pca9685.of(bench.for_part("P1"), BUS, ADDRESS, 1000)


def test_every_channel_is_off_until_it_is_set(wired, chip):
    assert [wired.duty(each) for each in range(16)] == [0.0] * 16
    assert not wired.asleep


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5), (0.1, 410 / 4096), (-1, 0.0), (2, 1.0), (float("nan"), 0.0), (1e-9, 0.0)],
)
def test_a_channel_shows_the_fraction_it_is_told(wired, chip, fraction, shown):
    chip.set(5, fraction)
    assert wired.duty(5) == shown
    assert wired.duty(4) == wired.duty(6) == 0.0


def test_it_runs_at_the_frequency_that_its_divider_comes_nearest_to(wired, chip):
    assert wired.frequency_hz == chip.actual_hz == pytest.approx(1017, abs=1)


def test_with_a_clock_of_24_576_mhz_it_runs_at_exactly_1_khz(kernel, bench):
    kernel.i2c.parts[ADDRESS] = wired = Emulated(external_hz=24_576_000)
    Pca9685.of(bench.for_part("P1"), BUS, ADDRESS, 1000, 24_576_000)
    assert wired.frequency_hz == 1000


@pytest.mark.parametrize("frequency_hz", [0, 20, 5000])
def test_a_frequency_it_cannot_make_is_refused(wired, bench, frequency_hz):
    with pytest.raises(DriverError, match="runs at 24 to 1526 Hz"):
        Pca9685.of(bench.for_part("P1"), BUS, ADDRESS, frequency_hz)


def test_parts_share_the_chip_but_not_its_channels(wired, bench, chip):
    other = bench.for_part("L1")
    assert Pca9685.of(other, None, ADDRESS, 1000) is chip
    chip.claim(bench.for_part("P1"), 0)
    chip.claim(other, 1)
    with pytest.raises(ClaimError, match="claimed twice: by P1 and by L1"):
        chip.claim(other, 0)
    with pytest.raises(DriverError, match="channels 0 to 15, not 16"):
        chip.claim(other, 16)


def test_parts_that_want_different_frequencies_cannot_share_it(wired, bench, chip):
    with pytest.raises(DriverError, match="at 1000 Hz already, not at 200 Hz"):
        Pca9685.of(bench.for_part("L1"), BUS, ADDRESS, 200)


def test_its_address_is_taken(wired, bench, chip):
    with pytest.raises(ClaimError, match="by P1 and by T1"):
        bench.for_part("T1").i2c(BUS, ADDRESS)


def test_a_chip_that_is_not_there_is_an_error_of_whoever_needs_it(kernel, bench, caplog):
    chip = Pca9685.of(bench.for_part("P1"), BUS, ADDRESS, 1000)
    assert "address 0x40 does not answer" in caplog.text
    with pytest.raises(BusError, match="address 0x40 does not answer"):
        chip.set(1, 0.5)


def test_a_chip_that_answers_again_is_set_up_with_all_it_was_told(wired, chip):
    chip.set(1, 0.25)
    wired.broken = True
    with pytest.raises(BusError):
        chip.set(2, 0.5)
    wired.reset()
    wired.broken = False
    chip.set(3, 1.0)
    assert [wired.duty(each) for each in (1, 2, 3)] == [0.25, 0.5, 1.0]
    assert wired.frequency_hz == chip.actual_hz


def test_a_chip_that_has_lost_its_settings_is_found_by_a_refresh(wired, chip, caplog):
    chip.set(1, 0.25)
    written = wired.writes
    chip.refresh()
    assert wired.writes == written + 1, "a look, nothing more"
    wired.reset()
    assert wired.duty(1) == 0.0
    chip.refresh()
    assert wired.duty(1) == 0.25
    assert "has lost its settings" in caplog.text


def test_closing_the_bench_puts_every_channel_to_rest(wired, bench, chip):
    chip.claim(bench.for_part("P1"), 0, rest=1.0)
    chip.claim(bench.for_part("L1"), 1)
    chip.set(0, 0.3)
    chip.set(1, 0.3)
    bench.close()
    assert (wired.duty(0), wired.duty(1)) == (1.0, 0.0)


def test_the_keeper_puts_claimed_channels_to_rest_when_the_process_is_lost(wired, bench, chip):
    chip.claim(bench.for_part("P1"), 0, rest=1.0)
    chip.claim(bench.for_part("L1"), 1)
    for channel in range(3):
        chip.set(channel, 0.3)
    assert make_safe(Plan(tuple(bench.safe)), print)
    assert [round(wired.duty(channel), 2) for channel in range(3)] == [1.0, 0.0, 0.3]
