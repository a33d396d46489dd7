"""A lock on an emulated H-bridge, with a bolt that moves while its motor runs."""

import asyncio
import logging

import pytest
from support.waiting import until

from hal.bench import Bench
from hal.boards import board
from hal.drivers import make
from hal.errors import LockError
from ocpp.clock import ManualClock

CLOSE, OPEN, FEEDBACK, SUPPLY = 5, 6, 13, 19
PINS = {"close": "gpiochip0/5", "open": "gpiochip0/6", "feedback": "gpiochip0/13"}
SOLENOID = {"close": "gpiochip0/5", "feedback": "gpiochip0/13"}


class Bolt:
    """`jams`: how many times it does not follow. `pulses`: what was driven, and for how long."""

    def __init__(self, chip, clock, *, solenoid: bool = False) -> None:
        self.chip, self.clock, self.solenoid = chip, clock, solenoid
        self.jams = 0
        self.pulses: list[tuple[str, float]] = []
        self._since: dict[int, float] = {}
        chip.driven = self.look

    def look(self) -> None:
        levels = self.chip.levels
        assert not (levels[CLOSE] and levels[OPEN])
        for line, name in ((CLOSE, "close"), (OPEN, "open")):
            if levels[line] and line not in self._since:
                self._since[line] = self.clock.monotonic()
                self._move(line == CLOSE)
            elif not levels[line] and line in self._since:
                self.pulses.append((name, round(self.clock.monotonic() - self._since.pop(line), 3)))
                if self.solenoid:
                    self._move(False)

    def _move(self, to: bool) -> None:
        if self.jams and to != bool(self.chip.levels[FEEDBACK]):
            self.jams -= 1
        else:
            self.chip.levels[FEEDBACK] = int(to)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def handed():
    """What the part's thread has handed to the loop."""
    return []


@pytest.fixture
def bench(clock, handed):
    made = Bench(board("linux"), clock, handed.append)
    yield made
    made.close()


@pytest.fixture
def bolt(kernel, clock):
    return Bolt(kernel.gpio, clock)


@pytest.fixture
def lock(bolt, bench):
    return make(bench, "lock", "motor-lock", {**PINS, "pulse_s": 0.6, "release_on_stop": False})


async def done(clock, order, seconds=10.0):
    task = asyncio.ensure_future(order)
    await clock.advance(seconds)
    assert task.done()
    return task.result()


async def test_it_closes_and_opens_by_pulses_and_tells_what_the_feedback_says(clock, bolt, lock):
    assert not lock.locked
    assert await done(clock, lock.lock())
    assert lock.locked
    assert await done(clock, lock.unlock())
    assert not lock.locked
    assert bolt.pulses == [("close", 0.6), ("open", 0.6)]
    assert lock.values() == {"told": "open", "feedback": "open", "supply": "on"}


async def test_a_bolt_that_goes_out_by_itself_is_told_once_that_is_sure(kernel, clock, lock):
    assert lock.wrong(clock.monotonic()) == ""
    await done(clock, lock.lock())
    assert lock.wrong(clock.monotonic()) == ""
    kernel.gpio.levels[FEEDBACK] = 0
    assert lock.wrong(clock.monotonic()) == ""
    clock.tick(0.9)
    kernel.gpio.levels[FEEDBACK] = 1
    assert lock.wrong(clock.monotonic()) == ""
    kernel.gpio.levels[FEEDBACK] = 0
    for passed, told in ((0.0, ""), (0.9, ""), (0.1, "the cable is not held any more")):
        clock.tick(passed)
        assert lock.wrong(clock.monotonic()) == told


@pytest.mark.parametrize("jams", [0, 99])
async def test_nothing_is_wrong_once_the_lock_was_told_to_open(kernel, clock, bolt, lock, jams):
    await done(clock, lock.lock())
    kernel.gpio.levels[FEEDBACK] = 0
    lock.wrong(clock.monotonic())
    bolt.jams = jams
    await done(clock, lock.unlock())
    assert lock.wrong(clock.monotonic()) == ""


async def test_a_lock_that_never_closed_is_not_told_as_one_that_lets_go(clock, bolt, lock):
    bolt.jams = 99
    assert not await done(clock, lock.lock())
    assert lock.wrong(clock.monotonic()) == lock.wrong(clock.monotonic() + 10) == ""


async def test_a_bolt_that_jams_is_tried_again(clock, bolt, lock, caplog):
    bolt.jams = 2
    assert await done(clock, lock.lock())
    assert bolt.pulses == [("close", 0.6)] * 3
    assert not caplog.records


@pytest.mark.parametrize("order", ["lock", "unlock"])
async def test_after_the_last_attempt_it_has_failed_and_nothing_is_driven(kernel, clock, bolt, lock, caplog, order):
    kernel.gpio.levels[FEEDBACK] = int(order == "unlock")
    bolt.jams = 99
    assert not await done(clock, getattr(lock, order)())
    assert len(bolt.pulses) == 3
    assert kernel.gpio.levels[CLOSE] == kernel.gpio.levels[OPEN] == 0
    assert [each.levelname for each in caplog.records] == ["ERROR"]


async def test_the_newest_order_counts_and_the_outputs_are_never_on_together(clock, bolt, lock):
    first = asyncio.ensure_future(lock.lock())
    await clock.advance(0.3)
    assert await done(clock, lock.unlock())
    assert not first.result()
    assert not lock.locked
    assert bolt.pulses == [("close", 0.3), ("open", 0.6)]


async def test_the_same_order_again_waits_for_the_first(clock, bolt, lock):
    first = asyncio.ensure_future(lock.lock())
    await clock.advance(0.3)
    assert await done(clock, lock.lock())
    assert first.result()
    assert bolt.pulses == [("close", 0.6)]


async def test_a_caller_that_gives_up_does_not_leave_the_motor_on(clock, bolt, lock):
    order = asyncio.ensure_future(lock.lock())
    await clock.advance(0.3)
    order.cancel()
    await clock.advance(10.0)
    assert bolt.pulses == [("close", 0.6)]


@pytest.mark.parametrize("line", [CLOSE, OPEN, FEEDBACK])
async def test_a_pin_that_fails_is_a_lock_that_failed_and_works_again_with_it(kernel, clock, lock, caplog, line):
    kernel.gpio.broken.add(line)
    assert not await done(clock, lock.lock())
    assert f"gpiochip0/{line}" in caplog.text
    kernel.gpio.broken.clear()
    assert await done(clock, lock.unlock())
    assert await done(clock, lock.lock())
    assert kernel.gpio.levels[CLOSE] == kernel.gpio.levels[OPEN] == 0


async def test_a_feedback_that_cannot_be_read_is_an_error(kernel, lock):
    kernel.gpio.broken.add(FEEDBACK)
    with pytest.raises(LockError, match="lock: no feedback"):
        _ = lock.locked
    assert "no feedback" in lock.values()["feedback"]


async def test_without_feedback_it_is_what_it_was_told(clock, bolt, bench):
    lock = make(bench, "lock", "motor-lock", {"close": PINS["close"], "open": PINS["open"]})
    bolt.jams = 99
    assert await done(clock, lock.lock())
    assert lock.locked


async def test_a_solenoid_is_held_as_long_as_it_is_locked(kernel, clock, bench):
    bolt = Bolt(kernel.gpio, clock, solenoid=True)
    lock = make(bench, "lock", "motor-lock", SOLENOID)
    assert await done(clock, lock.lock())
    await clock.advance(100.0)
    assert kernel.gpio.levels[CLOSE] == 1
    assert lock.locked
    assert await done(clock, lock.unlock())
    assert not lock.locked
    assert [name for name, _ in bolt.pulses] == ["close"]


async def test_a_solenoid_that_pulls_in_vain_is_let_go(kernel, clock, bench):
    Bolt(kernel.gpio, clock, solenoid=True).jams = 99
    lock = make(bench, "lock", "motor-lock", SOLENOID)
    assert not await done(clock, lock.lock())
    assert kernel.gpio.levels[CLOSE] == 0


@pytest.mark.parametrize("release", [True, False])
async def test_when_the_program_ends_it_opens_if_it_is_to(kernel, clock, bolt, bench, release):
    options = {**PINS, "pulse_s": 0.01, "release_on_stop": release}
    lock = make(bench, "lock", "motor-lock", options)
    assert await done(clock, lock.lock())
    lock.stop()
    assert bool(kernel.gpio.levels[FEEDBACK]) is not release
    assert kernel.gpio.levels[CLOSE] == kernel.gpio.levels[OPEN] == 0


async def test_it_opens_when_the_supply_is_lost_and_does_not_close_without(kernel, clock, bolt, bench, handed, caplog):
    kernel.gpio.levels[SUPPLY] = 1
    lock = make(bench, "lock", "motor-lock", {**PINS, "supply": f"gpiochip0/{SUPPLY}", "release_on_stop": False})
    lock.start()
    bench.start()
    assert await done(clock, lock.lock())
    with caplog.at_level(logging.INFO):
        kernel.gpio.press(SUPPLY, 0)
        until(lambda: handed)
        handed.pop()()
        await clock.advance(1.0)
        assert not lock.locked
        assert bolt.pulses == [("close", 0.6), ("open", 0.6)]
        assert not await done(clock, lock.lock())
        handed.clear()
        kernel.gpio.press(SUPPLY, 1)
        until(lambda: any(work() for work in handed) or lock.values()["supply"] == "on")
        assert await done(clock, lock.lock())
    assert [each.levelname for each in caplog.records] == ["WARNING", "INFO"]
