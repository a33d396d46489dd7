import asyncio
import threading

import pytest
from support.chips.rcm import Rcm

from hal.drivers import make
from hal.errors import BusError

TRIP, TEST, FAULT = 5, 6, 13
OPTIONS = {
    "trip": f"gpiochip0/{TRIP}",
    "test": f"gpiochip0/{TEST}",
    "fault": f"gpiochip0/{FAULT}",
    "response_s": 0.2,
    "recovery_s": 0.2,
}


class Clock:
    """Time in the test's hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(bench):
    bench.clock = Clock()
    return bench.clock


@pytest.fixture
def monitor(kernel):
    return Rcm(kernel.gpio, TRIP, TEST)


@pytest.fixture
def rcm(kernel, bench, clock, monitor):
    return make(bench, "RCM", "gpio-rcm", OPTIONS)


def run(rcm, clock, monitor, seconds=1.0) -> None:
    """Let the part's thread and the monitor do what they do in that time."""
    for _ in range(int(seconds / 0.01)):
        clock.now += 0.01
        rcm.step()
        monitor.look()


def test_closing_waits_for_the_first_test(rcm, clock, monitor, kernel):
    assert "being tested" in rcm.testing(clock.now)
    run(rcm, clock, monitor)
    assert monitor.tests
    assert kernel.gpio.levels[TEST] == 0
    assert (rcm.testing(clock.now), rcm.wrong(clock.now)) == ("", "")


def test_leakage_is_wrong_at_once_and_stays_wrong(rcm, clock, monitor, kernel, caplog):
    run(rcm, clock, monitor)
    rcm.gone = lambda: False
    kernel.gpio.levels[TRIP] = 1
    assert rcm.wrong(clock.now) == "residual current"
    kernel.gpio.levels[TRIP] = 0
    run(rcm, clock, monitor, 200)
    assert rcm.wrong(clock.now) == "residual current"
    assert rcm.tripped
    assert [each.message for each in caplog.records] == ["RCM has tripped"]


def test_a_good_test_after_the_ev_has_gone_ends_it(rcm, clock, monitor, kernel):
    run(rcm, clock, monitor)
    kernel.gpio.levels[TRIP] = 1
    rcm.wrong(clock.now)
    kernel.gpio.levels[TRIP] = 0
    run(rcm, clock, monitor, 65)
    assert (rcm.wrong(clock.now), rcm.tripped) == ("", False)


def test_while_it_still_leaks_it_stays_wrong(rcm, clock, monitor, kernel):
    run(rcm, clock, monitor)
    monitor.stuck = True
    monitor.leak(True)
    rcm.wrong(clock.now)
    run(rcm, clock, monitor, 200)
    assert rcm.wrong(clock.now) == "residual current"


@pytest.mark.parametrize(("defect", "what"), [("dead", "did not trip"), ("stuck", "did not let go")])
def test_a_monitor_that_fails_its_test_is_wrong_until_one_is_good(rcm, clock, monitor, defect, what, caplog):
    setattr(monitor, defect, True)
    run(rcm, clock, monitor, 130)
    assert rcm.wrong(clock.now)
    assert len([each for each in caplog.records if what in each.message]) == 1
    setattr(monitor, defect, False)
    run(rcm, clock, monitor, 65)
    assert rcm.wrong(clock.now) == ""


def test_it_is_tested_once_a_day_but_not_while_current_flows(rcm, clock, monitor):
    run(rcm, clock, monitor)
    rcm.idle = lambda: False
    clock.now += 25 * 3600
    tests = monitor.tests
    run(rcm, clock, monitor)
    assert (monitor.tests, rcm.testing(clock.now)) == (tests, "")
    rcm.idle = lambda: True
    run(rcm, clock, monitor)
    assert monitor.tests > tests
    tests = monitor.tests
    run(rcm, clock, monitor, 10)
    assert monitor.tests == tests


def test_it_is_tested_when_an_ev_is_plugged_in(rcm, clock, monitor):
    run(rcm, clock, monitor)
    rcm.plugged()
    assert rcm.testing(clock.now)
    tests = monitor.tests
    run(rcm, clock, monitor)
    assert monitor.tests > tests
    assert rcm.testing(clock.now) == ""


def test_a_second_ev_does_not_wait_for_the_first_to_end(rcm, clock, monitor):
    run(rcm, clock, monitor)
    tests = monitor.tests
    rcm.idle = lambda: False
    rcm.plugged()
    run(rcm, clock, monitor)
    assert (rcm.testing(clock.now), monitor.tests) == ("", tests)
    rcm.idle = lambda: True
    run(rcm, clock, monitor)
    assert monitor.tests > tests, "made up for as soon as nothing flows"


def test_a_test_ends_when_current_flows_all_the_same(rcm, clock, monitor, kernel):
    rcm.step()
    assert kernel.gpio.levels[TEST] == 1
    rcm.idle = lambda: False
    rcm.step()
    assert kernel.gpio.levels[TEST] == 0
    assert "current flows" in rcm.wrong(clock.now)


def test_a_fault_of_its_own_is_wrong_while_it_lasts(rcm, clock, monitor, kernel):
    run(rcm, clock, monitor)
    kernel.gpio.levels[FAULT] = 1
    assert "fault of its own" in rcm.wrong(clock.now)
    kernel.gpio.levels[FAULT] = 0
    assert rcm.wrong(clock.now) == ""


def test_a_pin_that_fails_counts_as_wrong(rcm, clock, monitor, kernel):
    run(rcm, clock, monitor)
    kernel.gpio.broken.add(TRIP)
    with pytest.raises(BusError):
        rcm.wrong(clock.now)
    rcm.plugged()
    run(rcm, clock, monitor)
    kernel.gpio.broken.clear()
    assert "failed its test" in rcm.wrong(clock.now)


def test_stopping_switches_the_test_output_off(rcm, kernel):
    rcm.step()
    rcm.stop()
    assert kernel.gpio.levels[TEST] == 0


async def test_whoever_asks_for_a_test_learns_what_came_of_it(rcm, clock, monitor):
    run(rcm, clock, monitor)
    for dead in (False, True):
        monitor.dead = dead
        asked = asyncio.ensure_future(rcm.self_test())
        await asyncio.sleep(0)
        thread = threading.Thread(target=lambda: run(rcm, clock, monitor))
        thread.start()
        assert await asyncio.wait_for(asked, 10) is not dead
        thread.join()
