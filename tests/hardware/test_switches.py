import logging

import pytest
from support.waiting import until

from hal.bench import Bench
from hal.boards import board
from hal.drivers import make
from ocpp.clock import ManualClock

PIN, LINE = "gpiochip0/22", 22
CLOSED, OPEN = 0, 1
"""Levels of a contact to ground."""


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def bench(clock):
    made = Bench(board("linux"), clock, lambda work: work())
    yield made
    made.close()


class Told(list):
    """A contact whose turns are made by hand, and what it has told."""

    def __init__(self, part, clock) -> None:
        super().__init__()
        self.part, self.clock = part, clock
        part.changed = self.append

    def turns(self, count: int, seconds: float = 0.05) -> None:
        for _ in range(count):
            self.clock.tick(seconds)
            self.part.step()


# -- emergency stop


@pytest.fixture
def stop(kernel, bench):
    return make(bench, "mushroom", "gpio-emergency-stop", {"pin": PIN})


def test_an_open_circuit_is_an_emergency_within_two_looks_of_the_safety_loop(kernel, stop):
    assert stop.wrong(10.0) == ""
    kernel.gpio.press(LINE, OPEN)
    stop.wrong(10.01)
    assert "pressed" in stop.wrong(10.02)
    assert stop.active


def test_a_spike_is_no_emergency(kernel, stop):
    for turn in range(20):
        kernel.gpio.press(LINE, OPEN if turn % 2 else CLOSED)
        assert stop.wrong(10.0 + 0.01 * turn) == ""


def test_it_is_over_when_the_circuit_stays_closed(kernel, stop):
    kernel.gpio.press(LINE, OPEN)
    stop.wrong(10.0)
    assert stop.wrong(10.1)
    kernel.gpio.press(LINE, CLOSED)
    assert stop.wrong(10.2)
    assert stop.wrong(10.6)
    assert stop.wrong(10.71) == ""


def test_a_pin_that_fails_is_an_emergency_at_once_and_until_it_works(kernel, stop):
    kernel.gpio.broken.add(LINE)
    assert f"gpiochip0/{LINE}" in stop.wrong(10.0)
    assert f"gpiochip0/{LINE}" in stop.values()["state"]
    kernel.gpio.broken.clear()
    assert stop.wrong(10.1)
    assert stop.wrong(11.0) == ""
    assert stop.values() == {"state": "released"}


def test_a_contact_to_the_supply_is_closed_at_high_level(kernel, bench):
    stop = make(bench, "mushroom", "gpio-emergency-stop", {"pin": PIN, "to": "supply", "settle_s": 0})
    assert stop.wrong(10.0)
    kernel.gpio.press(LINE, 1)
    stop.wrong(11.0)
    assert stop.wrong(12.0) == ""


# -- tamper contact and bay


def test_a_lid_that_is_opened_and_closed_is_told_without_its_bouncing(kernel, clock, bench):
    told = Told(make(bench, "lid", "gpio-tamper", {"pin": PIN}), clock)
    told.turns(3)
    assert told == []
    for level in (OPEN, CLOSED, OPEN, CLOSED, OPEN):
        kernel.gpio.press(LINE, level)
        told.turns(1, 0.005)
    assert told == []
    told.turns(4)
    assert told == [True]
    assert told.part.active
    kernel.gpio.press(LINE, CLOSED)
    told.turns(4)
    assert told == [True, False]


def test_a_lid_that_is_open_at_the_start_is_told(kernel, clock, bench):
    kernel.gpio.levels[LINE] = OPEN
    told = Told(make(bench, "lid", "gpio-tamper", {"pin": PIN}), clock)
    told.turns(1)
    assert told == [True]


def test_a_bay_is_told_at_the_start_and_when_a_vehicle_stays(kernel, clock, bench):
    kernel.gpio.levels[LINE] = OPEN
    told = Told(make(bench, "bay", "gpio-bay", {"pin": PIN}), clock)
    told.turns(1)
    assert told == [False]
    kernel.gpio.press(LINE, CLOSED)
    told.turns(3, 0.5)
    assert told == [False]
    told.turns(3, 0.5)
    assert told == [False, True]
    assert told.part.values() == {"state": "active"}


def test_a_pin_that_fails_is_told_once_and_changes_nothing(kernel, clock, bench, caplog):
    told = Told(make(bench, "bay", "gpio-bay", {"pin": PIN}), clock)
    told.turns(1)
    with caplog.at_level(logging.INFO):
        kernel.gpio.broken.add(LINE)
        told.turns(3)
        assert f"gpiochip0/{LINE}" in told.part.wrong(0.0)
        kernel.gpio.broken.clear()
        told.turns(3)
    assert told == [True]
    assert told.part.wrong(0.0) == ""
    assert [each.levelname for each in caplog.records] == ["ERROR", "INFO"]


def test_a_contact_has_a_thread_that_waits_for_edges(kernel, bench):
    told = []
    bay = make(bench, "bay", "gpio-bay", {"pin": PIN, "settle_s": 0})
    bay.changed = told.append
    bay.start()
    bench.start()
    until(lambda: told == [True])
    kernel.gpio.press(LINE, OPEN)
    until(lambda: told == [True, False])
