"""The pilot on every kind of PWM and ADC, with an emulated line between them."""

import time

import pytest
from support.chips.adc import Ads1115, Mcp3208, Mcp3424
from support.chips.pca9685 import Pca9685
from support.pilot_line import CALIBRATION, PilotLine
from support.pwm import PwmChip
from support.spi import SpiDevice

from hal.drivers import make
from hal.errors import BusError, DriverError
from hal.iec61851 import PilotState

FAIL_PIN = 22
PWMS = {"sysfs": {"via": "sysfs", "channel": "pwmchip0/0"}, "pca9685": {"via": "pca9685", "channel": 3}}
ADCS = {
    "ads1115": {"high": {"chip": "ads1115", "channel": 0}, "low": {"chip": "ads1115", "channel": 1}},
    "mcp3424": {
        "high": {"chip": "mcp3424", "channel": 0},
        "low": {"chip": "mcp3424", "channel": 1},
        "calibration": [[0.125, -12.0], [1.525, 12.0]],
    },
    "mcp3208": {"high": {"chip": "mcp3208", "channel": 2}},
}


class Circuit:
    """The parts around the line: both PWMs, all three ADCs."""

    def __init__(self, kernel) -> None:
        self.kernel = kernel
        self.generators = {"sysfs": PwmChip(kernel), "pca9685": Pca9685()}
        self.adcs = {"ads1115": Ads1115(), "mcp3424": Mcp3424(), "mcp3208": Mcp3208()}
        kernel.i2c.parts.update(
            {0x40: self.generators["pca9685"], 0x48: self.adcs["ads1115"], 0x68: self.adcs["mcp3424"]}
        )
        SpiDevice(kernel, self.adcs["mcp3208"])
        self.line = PilotLine(lambda: 1.0)
        self.adcs["ads1115"].pins[:2] = [self.line.high_pin, self.line.low_pin]
        # The MCP3424 measures up to 2.048 V: its divider is another one.
        self.adcs["mcp3424"].pins[:2] = [lambda: self.line.high_pin() / 2, lambda: self.line.low_pin() / 2]
        self.adcs["mcp3208"].pins[2] = self.line.pin

    def pilot(self, bench, pwm="sysfs", adc="ads1115", **options):
        channel = PWMS[pwm].get("channel")
        generator = self.generators[pwm]
        self.line.duty = lambda: generator.duty(channel if pwm == "pca9685" else 0)
        return make(bench, "CP", "pilot", {"pwm": PWMS[pwm], "calibration": CALIBRATION, **ADCS[adc], **options})


@pytest.fixture
def circuit(kernel):
    return Circuit(kernel)


def write(pilot) -> None:
    """What the PWM's thread does next."""
    pilot._write()


def look(pilot, times=3) -> PilotState:
    for _ in range(times):
        pilot.sample()
    return pilot.state


every_kind = pytest.mark.parametrize(("pwm", "adc"), [(pwm, adc) for pwm in PWMS for adc in ADCS])


@every_kind
def test_it_offers_nothing_from_the_start_and_then_what_it_is_told(circuit, bench, pwm, adc):
    pilot = circuit.pilot(bench, pwm, adc)
    assert circuit.line.duty() == 1.0
    pilot.offer(16.0)
    write(pilot)
    assert circuit.line.duty() == pytest.approx(16 / 60, abs=0.0002)
    pilot.offer(None)
    write(pilot)
    assert circuit.line.duty() == 1.0


@every_kind
def test_it_sees_every_state_with_and_without_pwm(circuit, bench, pwm, adc):
    pilot = circuit.pilot(bench, pwm, adc)
    for state in "BACADEA":
        circuit.line.state = state
        assert look(pilot) is PilotState(state)
    pilot.offer(16.0)
    write(pilot)
    for state in "BCDBCEBA":
        circuit.line.state = state
        assert look(pilot) is PilotState(state)


@every_kind
def test_an_ev_without_a_diode_is_state_e(circuit, bench, pwm, adc):
    pilot = circuit.pilot(bench, pwm, adc)
    circuit.line.state, circuit.line.diode = "B", False
    assert look(pilot) is PilotState.B, "not seen without PWM"
    pilot.offer(16.0)
    write(pilot)
    assert look(pilot) is PilotState.E


@every_kind
def test_out_of_service_is_minus_12_v_and_is_seen_as_f(circuit, bench, pwm, adc):
    pilot = circuit.pilot(bench, pwm, adc)
    pilot.fail(True)
    write(pilot)
    assert circuit.line.duty() == 0.0
    assert look(pilot) is PilotState.F
    pilot.fail(False)
    write(pilot)
    assert look(pilot) is PilotState.A


def test_a_pin_of_its_own_can_put_the_line_to_minus_12_v(circuit, kernel, bench):
    pilot = circuit.pilot(bench, fail_pin=f"gpiochip0/{FAIL_PIN}")
    pilot.fail(True)
    write(pilot)
    assert kernel.gpio.levels[FAIL_PIN] == 1
    circuit.line.negative = True
    assert look(pilot) is PilotState.F
    pilot.fail(False)
    write(pilot)
    assert kernel.gpio.levels[FAIL_PIN] == 0


def test_a_state_counts_after_three_samples_and_is_told_once(circuit, bench):
    pilot, told = circuit.pilot(bench), []
    pilot.changed = lambda: told.append(pilot.state)
    circuit.line.state = "B"
    assert look(pilot, 2) is PilotState.A
    assert look(pilot, 1) is PilotState.B
    look(pilot, 5)
    assert told == [PilotState.B]


@pytest.mark.parametrize("adc", ADCS)
def test_while_the_adc_fails_what_was_seen_grows_old_and_it_is_logged_once(circuit, bench, adc, caplog):
    pilot = circuit.pilot(bench, adc=adc)
    caplog.set_level("INFO")
    look(pilot)
    seen = pilot.seen_at
    circuit.adcs[adc].broken = True
    look(pilot, 5)
    assert pilot.seen_at == seen
    circuit.adcs[adc].broken = False
    look(pilot)
    assert pilot.seen_at > seen
    assert [each.message.split(":")[1] for each in caplog.records] == [
        " the line is not seen",
        " the line is seen again",
    ]


def test_it_has_seen_nothing_before_its_first_sample(circuit, bench):
    assert circuit.pilot(bench).seen_at == float("-inf")


def test_a_pin_beyond_the_adcs_range_is_not_seen_either(circuit, bench):
    pilot = circuit.pilot(bench)
    circuit.adcs["ads1115"].pins[0] = 5.0
    look(pilot)
    assert pilot.seen_at == float("-inf")


def test_a_pwm_that_does_not_obey_is_wrong_until_it_does(circuit, bench, caplog):
    caplog.set_level("INFO")
    pilot = circuit.pilot(bench)
    circuit.generators["sysfs"].unplug(0)
    for _ in range(3):
        pilot.offer(16.0)
        write(pilot)
    assert "the PWM does not obey" in pilot.wrong(0.0)
    circuit.generators["sysfs"].plug(0)
    pilot._look_after()
    assert pilot.wrong(0.0) == ""
    assert circuit.line.duty() == pytest.approx(16 / 60, abs=0.0001)
    assert len(caplog.records) == 2


def test_a_pca9685_that_has_lost_its_settings_gets_them_back(circuit, bench):
    pilot = circuit.pilot(bench, "pca9685")
    pilot.offer(32.0)
    write(pilot)
    circuit.generators["pca9685"].reset()
    pilot._look_after()
    assert circuit.line.duty() == pytest.approx(32 / 60, abs=0.0002)


def test_a_pca9685_that_vanishes_is_wrong_without_a_command(circuit, bench):
    pilot = circuit.pilot(bench, "pca9685")
    circuit.generators["pca9685"].broken = True
    pilot._look_after()
    assert "does not answer" in pilot.wrong(0.0)
    circuit.generators["pca9685"].broken = False
    pilot._look_after()
    assert pilot.wrong(0.0) == ""


def test_a_low_side_that_does_not_follow_is_stuck(circuit, bench):
    pilot = circuit.pilot(bench)
    circuit.line.state, circuit.line.holds_low = "B", -12.0
    look(pilot)
    now = bench.clock.monotonic()
    assert pilot.wrong(now + 0.5) == "", "the peak-hold has its time"
    assert "stuck at -12.0 V" in pilot.wrong(now + 1.5)
    circuit.line.holds_low = None
    look(pilot)
    assert pilot.wrong(now + 1.5) == ""


def test_an_adc_that_is_stuck_while_pwm_is_on_is_wrong(circuit, bench):
    pilot = circuit.pilot(bench, frozen_s=2.0)
    now = bench.clock.monotonic()
    circuit.line.state = "C"
    look(pilot)
    assert pilot.wrong(now + 10) == "", "a steady line is steady"
    pilot.offer(16.0)
    write(pilot)
    look(pilot)
    assert pilot.wrong(now + 1.0) == ""
    assert "it is stuck" in pilot.wrong(now + 10)
    circuit.adcs["ads1115"].pins[0] = lambda: circuit.line.high_pin() + 0.0002
    look(pilot)
    pilot._moved_at += 9.0
    assert pilot.wrong(now + 10) == ""


def test_whether_an_adc_is_stuck_is_looked_at_only_where_that_is_asked_for(circuit, bench):
    pilot = circuit.pilot(bench)
    pilot.offer(16.0)
    write(pilot)
    look(pilot)
    assert pilot.wrong(bench.clock.monotonic() + 100) == ""


def test_a_slow_adc_needs_a_channel_for_the_low_side(circuit, bench):
    with pytest.raises(DriverError, match="name a channel `low`"):
        circuit.pilot(bench, low=None)


def test_a_calibration_needs_two_points(circuit, bench):
    with pytest.raises(DriverError, match="two points"):
        circuit.pilot(bench, calibration=[[1.0, -12.0], [1.0, 12.0]])


def test_a_generator_that_is_not_there_is_an_error(circuit, kernel, bench):
    del kernel.i2c.parts[0x40]
    with pytest.raises(BusError, match="0x40"):
        circuit.pilot(bench, "pca9685")


@every_kind
def test_in_its_threads_it_does_all_that_by_itself(circuit, bench, pwm, adc):
    pilot, told = circuit.pilot(bench, pwm, adc), []
    pilot.changed = lambda: told.append((pilot.state.value, time.monotonic()))
    pilot.start()
    bench.start()
    circuit.line.state = "B"
    until(lambda: told)
    pilot.offer(16.0)
    until(lambda: circuit.line.duty() == pytest.approx(16 / 60, abs=0.0002))
    circuit.line.state = "C"
    until(lambda: len(told) == 2)
    circuit.line.state = "A"
    until(lambda: len(told) == 3)
    assert [state for state, _ in told] == ["B", "C", "A"]
    pilot.stop()
    bench.close()
    assert circuit.line.duty() == 1.0


def until(condition, seconds=5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)
