"""A pulse meter on an emulated line: counting, bounce, restarts, faults."""

import pytest

from hal.bench import Bench
from hal.boards import board
from hal.drivers import make
from hal.errors import ClaimError, MeterError
from ocpp.clock import ManualClock

PIN = 22
MS = 1_000_000
IMPORT, POWER = "Energy.Active.Import.Register", "Power.Active.Import"


class Rig:
    """The contact pulls the line low. Times of edges are the test's."""

    def __init__(self, kernel, path) -> None:
        self.kernel, self.path = kernel, path
        self.now_ms = 1000
        self.kernel.gpio.levels[PIN] = 1
        self.boot()

    def boot(self) -> None:
        self.clock = ManualClock()
        self.bench = Bench(board("linux"), self.clock, lambda work: work())
        self.part = self.make("M1")

    def make(self, name, **options):
        given = {"pin": f"gpiochip0/{PIN}", "pulses_per_kwh": 1000, "state_file": str(self.path), **options}
        return make(self.bench, name, "s0-meter", given)

    def pulse(self, width_ms: int = 30, distance_ms: int = 360) -> None:
        self.now_ms += distance_ms - width_ms
        self.kernel.gpio.press(PIN, 0, self.now_ms * MS)
        self.now_ms += width_ms
        self.kernel.gpio.press(PIN, 1, self.now_ms * MS)

    def poll(self, after_s: float = 1.0) -> None:
        self.clock.tick(after_s)
        self.part.poll(0.01)

    def value(self, measurand: str = IMPORT):
        return next(each.value for each in self.part.read().quantities if each.measurand == measurand)


@pytest.fixture
def rig(kernel, tmp_path):
    made = Rig(kernel, tmp_path / "m1.count")
    yield made
    made.bench.close()


def test_pulses_are_energy_and_their_distance_is_power(rig):
    for _ in range(5):
        rig.pulse()
    rig.poll()
    assert rig.value() == 5
    assert rig.value(POWER) == 10_000
    assert rig.part.values()["pulses"] == "5"


def test_bounce_is_not_counted(rig):
    for _ in range(4):
        rig.pulse(width_ms=2, distance_ms=4)
    rig.pulse()
    rig.poll()
    assert rig.value() == 1


def test_without_a_pulse_it_says_that_nothing_flows_and_is_no_fault(rig):
    for _ in range(40):
        rig.poll()
    assert (rig.value(), rig.value(POWER)) == (0, 0)
    assert rig.part.read_at == rig.clock.monotonic()


def test_the_count_survives_a_restart_and_even_a_crash(rig):
    for _ in range(7):
        rig.pulse()
    rig.poll()
    rig.bench.close()
    rig.boot()
    rig.pulse()
    rig.poll()
    assert rig.value() == 8
    crashed = rig.bench  # nothing is closed or stopped
    rig.boot()
    rig.poll()
    assert rig.value() == 8
    crashed.close()


def test_a_stop_loses_no_pulse_that_was_counted(rig):
    rig.poll()
    rig.pulse()
    rig.part._count(0.01)
    rig.part.stop()
    rig.boot()
    rig.poll()
    assert rig.value() == 1


def test_a_missing_count_is_said(rig, tmp_path, caplog):
    rig.bench.close()
    rig.path = tmp_path / "other"
    rig.boot()
    assert "M1: no count in" in caplog.text


def test_it_goes_on_from_what_the_display_showed(rig, tmp_path):
    rig.bench.close()
    rig.bench = Bench(board("linux"), rig.clock, lambda work: work())
    rig.part = rig.make("M1", state_file=str(tmp_path / "new"), start_wh=123_456)
    rig.pulse()
    rig.poll()
    assert rig.value() == 123_457


def test_two_meters_do_not_share_a_count(rig):
    with pytest.raises(ClaimError, match=r"file .* claimed twice: by M1 and by M2"):
        rig.make("M2", pin="gpiochip0/23")


def test_a_short_circuit_is_a_fault_and_goes_when_it_goes(rig, caplog):
    rig.pulse()
    rig.poll()
    rig.kernel.gpio.press(PIN, 0)
    for _ in range(75):
        rig.poll()
    with pytest.raises(MeterError, match="short circuit"):
        rig.part.read()
    assert caplog.text.count("short circuit") == 1
    rig.kernel.gpio.press(PIN, 1)
    rig.poll()
    assert rig.part.error == ""
    rig.part.read()


def test_a_line_that_cannot_be_read_is_a_fault_and_recovers(rig, caplog):
    rig.poll()
    rig.kernel.gpio.broken.add(PIN)
    for _ in range(12):
        rig.poll()
    with pytest.raises(MeterError, match="gpiochip0/22"):
        rig.part.read()
    rig.kernel.gpio.broken.clear()
    rig.poll()
    assert rig.value() == 0
    assert sum("gpiochip0/22" in each.message for each in caplog.records) == 1
