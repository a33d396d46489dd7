import logging

import pytest
from support.chips.pca9685 import Pca9685
from support.waiting import until

from hal.bench import Bench
from hal.boards import board
from hal.drivers import make
from hal.errors import BusError, DriverError
from ocpp.clock import ManualClock

RED, GREEN, BLUE, BUZZER = 5, 6, 7, 8
PINS = {"red": "gpiochip0/5", "green": "gpiochip0/6", "blue": "gpiochip0/7"}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def bench(clock):
    made = Bench(board("linux"), clock, lambda work: work())
    yield made
    made.close()


def lit(kernel):
    return {line for line in (RED, GREEN, BLUE) if kernel.gpio.levels[line]}


# -- LEDs on pins


@pytest.fixture
def leds(kernel, bench):
    return make(bench, "lamp", "gpio-leds", {"pins": PINS})


def test_each_state_has_its_colour(kernel, leds):
    assert lit(kernel) == set()
    for state, colours in (
        ("Available", {GREEN}),
        ("Faulted", {RED}),
        ("Unavailable", {RED, GREEN}),
        ("Finished", {BLUE}),
    ):
        leds.indicate(state)
        assert lit(kernel) == colours


def test_what_blinks_goes_on_and_off(kernel, clock, leds):
    leds.indicate("PlugIn")
    seen = []
    for _ in range(4):
        seen.append(lit(kernel))
        clock.tick(0.5)
    assert seen == [{GREEN}, set(), {GREEN}, set()]


def test_a_state_told_twice_goes_on_as_it_was(kernel, clock, leds):
    leds.indicate("PlugIn")
    clock.tick(0.4)
    leds.indicate("PlugIn")
    clock.tick(0.2)
    assert lit(kernel) == set()


def test_breath_is_on_and_off_on_a_pin(kernel, clock, leds):
    leds.indicate("Charging")
    seen = []
    for _ in range(6):
        seen.append(lit(kernel))
        clock.tick(0.5)
    assert seen == [set(), set(), {BLUE}, {BLUE}, {BLUE}, set()]


def test_states_are_options(kernel, bench):
    leds = make(
        bench, "lamp", "gpio-leds", {"pins": {"red": PINS["red"]}, "states": {"Charging": "red"}, "inverted": True}
    )
    assert kernel.gpio.levels[RED] == 1
    leds.indicate("Charging")
    assert kernel.gpio.levels[RED] == 0
    leds.indicate("Available")
    assert kernel.gpio.levels[RED] == 1


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"pins": PINS, "states": {"Charging": "pink"}}, "lamp: Charging: .*pink"),
        ({"pins": {"red": PINS["red"]}, "states": {"Charging": "blue"}}, "not there: blue"),
        ({"pins": PINS, "states": {"Charge": "blue"}}, "Charge"),
        ({"pins": {}}, "pins"),
    ],
)
def test_an_option_that_is_wrong_is_named(kernel, bench, options, word):
    with pytest.raises(DriverError, match=word):
        make(bench, "lamp", "gpio-leds", options)


def test_a_pin_that_fails_is_logged_once_and_driven_when_it_works_again(kernel, clock, leds, caplog):
    with caplog.at_level(logging.INFO):
        leds.indicate("PlugIn")
        kernel.gpio.broken.add(GREEN)
        clock.tick(3.0)
        assert f"gpiochip0/{GREEN}" in leds.values()["state"]
        kernel.gpio.broken.clear()
        clock.tick(0.5)
    assert lit(kernel) == set() or lit(kernel) == {GREEN}
    assert leds.values() == {"state": "works", "shows": "PlugIn"}
    assert [each.levelname for each in caplog.records] == ["ERROR", "INFO"]


def test_when_it_stops_it_is_dark(kernel, clock, leds):
    leds.indicate("PlugIn")
    leds.stop()
    clock.tick(10.0)
    assert lit(kernel) == set()


# -- buzzer


@pytest.fixture
def buzzer(kernel, bench):
    return make(bench, "buzzer", "gpio-buzzer", {"pin": "gpiochip0/8", "states": {"Faulted": "alarm"}})


def test_a_sound_is_played_whenever_it_is_told(kernel, clock, buzzer):
    for _ in range(2):
        buzzer.indicate("Refused")
        assert kernel.gpio.levels[BUZZER] == 1
        clock.tick(1.0)
        assert kernel.gpio.levels[BUZZER] == 0


def test_a_state_without_a_sound_ends_the_one_before(kernel, buzzer):
    buzzer.indicate("Faulted")
    assert kernel.gpio.levels[BUZZER] == 1
    buzzer.indicate("Available")
    assert kernel.gpio.levels[BUZZER] == 0


def test_when_it_stops_it_is_silent(kernel, clock, buzzer):
    buzzer.indicate("Faulted")
    buzzer.stop()
    clock.tick(10.0)
    assert kernel.gpio.levels[BUZZER] == 0


def test_a_sound_that_is_not_known_is_an_error(kernel, bench):
    with pytest.raises(DriverError, match="moo"):
        make(bench, "buzzer", "gpio-buzzer", {"pin": "gpiochip0/9", "states": {"Faulted": "moo"}})


# -- LEDs on a PCA9685


@pytest.fixture
def chip(kernel):
    chip = Pca9685()
    kernel.i2c.parts[0x40] = chip
    return chip


CHANNELS = {"channels": {"red": 0, "green": 1, "blue": 2}}


def test_brightness_follows_the_effect(chip, clock, bench):
    leds = make(bench, "lamp", "pca9685-leds", CHANNELS)
    leds.start()
    bench.start()
    leds.indicate("Charging")
    clock.tick(1.5)
    until(lambda: chip.duty(2) == 1.0)
    clock.tick(0.7)
    until(lambda: 0.0 < chip.duty(2) < 1.0)
    assert chip.duty(0) == chip.duty(1) == 0.0


def test_inverted_leds_are_dark_from_the_beginning_and_in_the_end(chip, bench):
    leds = make(bench, "lamp", "pca9685-leds", {**CHANNELS, "inverted": True})
    assert [chip.duty(channel) for channel in range(3)] == [1.0] * 3
    bench.start()
    leds.indicate("Faulted")
    until(lambda: chip.duty(0) == 0.0)
    leds.stop()
    bench.close()
    assert [chip.duty(channel) for channel in range(3)] == [1.0] * 3


def test_a_chip_that_fails_is_logged_once_and_shows_the_newest_when_it_answers(chip, clock, bench, caplog):
    leds = make(bench, "lamp", "pca9685-leds", {**CHANNELS, "brightness": 0.5})
    leds.indicate("Available")
    bench.start()
    until(lambda: chip.duty(1) == 0.5)
    with caplog.at_level(logging.INFO):
        chip.broken = True
        leds.indicate("PlugIn")
        clock.tick(0.5)
        until(lambda: leds.problem)
        chip.broken = False
        chip.reset()
        leds.indicate("Faulted")
        until(lambda: not leds.problem)
    assert [chip.duty(channel) for channel in range(3)] == [0.5, 0.0, 0.0]
    assert [each.levelname for each in caplog.records] == ["ERROR", "INFO"]


def test_a_lamp_whose_chip_comes_later_shows_the_newest_then(kernel, clock, bench):
    leds = make(bench, "lamp", "pca9685-leds", CHANNELS)
    assert "0x40" in leds.problem
    leds.start()
    bench.start()
    leds.indicate("Available")
    clock.tick(0.5)
    kernel.i2c.parts[0x40] = chip = Pca9685()
    leds.indicate("Faulted")
    until(lambda: not leds.problem)
    assert [chip.duty(channel) for channel in range(3)] == [1.0, 0.0, 0.0]


def test_a_bus_that_is_not_there_is_named(kernel, bench):
    with pytest.raises(BusError, match="i2c-7"):
        make(bench, "lamp", "pca9685-leds", {**CHANNELS, "bus": "/dev/i2c-7"})
