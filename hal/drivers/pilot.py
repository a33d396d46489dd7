"""A control pilot of a PWM, an ADC and an amplifier to +/-12 V (IEC 61851-1:2017, annex A)."""

import logging
import math
from collections.abc import Callable
from typing import Annotated

from msgspec import Meta

from hal._native.sampling import STATES, LevelDecoder
from hal.bench import PartBench
from hal.bus.gpio import Line
from hal.chips.adc import AdcInput
from hal.chips.analog import Calibration, Input, Point
from hal.chips.pwm import PwmOptions
from hal.errors import DriverError, HardwareError
from hal.iec61851 import PilotState, duty_for_current
from hal.parts import Options, Part, Role

FREQUENCY_HZ = 1000.0
"""Table A.2; within 0.5 %."""

STEADY = 1.0
"""All of every period: +12 V, nothing is offered."""

REFRESH_S = 0.5
"""How often the PWM is looked after."""

PERIODS = 2.5
"""Of the PWM, within which a fast ADC finds both peaks."""

SETTLING_S = 1.0
"""The peak-hold of the low side has let go of -12 V so long after the PWM has ended, unless it is stuck."""

STUCK_V = 3.0
"""So far apart the two sides of a line without PWM are at the most."""

F_LIMIT_V, E_LIMIT_V = -10.5, 1.5
"""A low side below the one, and a high side below the other, without PWM: the line is at steady -12 V."""

log = logging.getLogger(__name__)


class PilotOptions(Options, frozen=True, kw_only=True):
    """`high` is the channel with the positive peak, `low` that with the negative one; see docs/hal/drivers/pilot.md."""

    pwm: PwmOptions
    high: AdcInput
    low: AdcInput | None = None
    """None: the channel `high` is fast enough to find both peaks by itself (MCP3208)."""
    calibration: tuple[Point, Point]
    low_calibration: tuple[Point, Point] | None = None
    """Of the channel `low`, where it differs."""
    fail_pin: str | None = None
    """An output that puts the line to -12 V; None: a PWM with a duty cycle of 0 does."""
    fail_inverted: bool = False
    interval_s: Annotated[float, Meta(ge=0.002, le=0.02)] = 0.01
    confirm: Annotated[int, Meta(ge=1, le=4)] = 3
    """Samples in a row that make a state."""
    hysteresis_v: Annotated[float, Meta(ge=0, le=1)] = 0.3
    frozen_s: Annotated[float, Meta(ge=0, le=60)] = 0.0
    """While PWM is on, an ADC that shows exactly the same for so long is stuck; 0: not looked at."""
    ventilated: bool = False
    """State D is served here."""


class Pilot(Part):
    """See `hal.interfaces.ControlPilot`. Commands are carried out in the PWM's thread, a moment later.

    While the ADC fails `seen_at` grows old; while the PWM does not do what it was told, or the low side is stuck, `wrong`
    says so. Either way the safety loop opens the contactor. It goes on by itself when the fault has gone.
    """

    role = Role.PILOT
    options_type = PilotOptions

    def __init__(self, bench: PartBench, options: PilotOptions) -> None:
        super().__init__(bench, options)
        self.ventilated = options.ventilated
        self.changed: Callable[[], object] = lambda: None
        """Called in the ADC's thread when the state is another."""
        self.seen_at = -math.inf
        self._interval_s, self._frozen_s = options.interval_s, options.frozen_s
        self._decoder = LevelDecoder(options.confirm, options.hysteresis_v)
        self._state = PilotState.A
        self._high_scale = Calibration(self.name, options.calibration)
        self._low_scale = Calibration(self.name, options.low_calibration or options.calibration)
        self._volts = self._pins = (math.nan, math.nan)
        self._moved_at = bench.clock.monotonic()
        self._fail_line: Line | None = (
            bench.output(options.fail_pin, inverted=options.fail_inverted) if options.fail_pin is not None else None
        )
        self._output = options.pwm.open(bench, FREQUENCY_HZ, STEADY)
        self._high: Input = options.high.open(bench)
        self._low: Input | None = options.low.open(bench) if options.low is not None else None
        self._read = self._reader()
        self._wish = self._shown = (STEADY, False)
        self._shown_at = bench.clock.monotonic()
        self._writing = False
        self._pwm_error = self._adc_error = ""

    def _reader(self) -> Callable[[], tuple[float, float]]:
        high, low = self._high, self._low
        if low is not None:
            return lambda: (high.volts(), low.volts())
        peaks = getattr(high, "peaks", None)
        if peaks is None:
            raise DriverError(f"{self.name}: {high.name} is too slow to see both peaks of a PWM; name a channel `low`")
        return lambda: peaks(PERIODS / FREQUENCY_HZ)

    # -- commands -------------------------------------------------------------------------------------------------

    def offer(self, current_a: float | None) -> None:
        """See `ControlPilot.offer`."""
        duty = STEADY if current_a is None else duty_for_current(current_a) / 100.0
        self._wish = (duty, self._wish[1])
        self._carry_out()

    def fail(self, failed: bool) -> None:
        """See `ControlPilot.fail`."""
        self._wish = (self._wish[0], failed)
        self._carry_out()

    def _carry_out(self) -> None:
        if not self._writing:
            self._writing = True
            (self._output.thread or self._high.thread).soon(self._write)

    def _write(self) -> None:
        """Show what is wished; in the PWM's thread."""
        self._writing = False
        wish = self._wish
        duty, failed = wish
        try:
            if self._fail_line is not None:
                self._fail_line.write(failed)
                self._output.set(duty)
            else:
                self._output.set(0.0 if failed else duty)
        except HardwareError as error:
            self._pwm_fails(str(error))
            return
        if wish != self._shown:
            self._shown_at = self.bench.clock.monotonic()
        self._shown = wish
        self._pwm_fails("")

    def _look_after(self) -> None:
        try:
            self._output.refresh()
        except HardwareError as error:
            self._pwm_fails(str(error))
            return
        if self._pwm_error or self._wish != self._shown:
            self._write()

    def _pwm_fails(self, error: str) -> None:
        if error and not self._pwm_error:
            log.error("%s: the PWM does not obey: %s", self.name, error)
        elif self._pwm_error and not error:
            log.info("%s: the PWM obeys again", self.name)
        self._pwm_error = error

    # -- what is seen ---------------------------------------------------------------------------------------------

    @property
    def state(self) -> PilotState:
        """See `ControlPilot.state`."""
        return self._state

    @property
    def _pwm(self) -> bool:
        duty, failed = self._shown
        return 0.0 < duty < STEADY and not failed

    def sample(self) -> None:
        """Look at the line once; in the ADC's thread."""
        now = self.bench.clock.monotonic()  # before the conversion: what is seen is no newer than this
        try:
            pins = self._read()
        except HardwareError as error:
            self._adc_fails(str(error))
            return
        self._adc_fails("")
        if pins != self._pins:
            self._pins, self._moved_at = pins, now
        self._decode(self._high_scale(pins[0]), self._low_scale(pins[1]))
        self.seen_at = now

    def _decode(self, high: float, low: float) -> None:
        self._volts = (high, low)
        pwm = self._pwm
        if not pwm and low <= F_LIMIT_V and high < E_LIMIT_V:
            high = low  # a peak-hold of the positive side does not show -12 V
        state = PilotState(STATES[self._decoder.see(high, low, pwm)])
        if state is not self._state:
            log.debug("%s: %s to %s at %.1f V and %.1f V", self.name, self._state, state, *self._volts)
            self._state = state
            self.changed()

    def _adc_fails(self, error: str) -> None:
        if error and not self._adc_error:
            log.error("%s: the line is not seen: %s", self.name, error)
        elif self._adc_error and not error:
            log.info("%s: the line is seen again", self.name)
        self._adc_error = error

    def wrong(self, now: float) -> str:
        """What is wrong with the generator or the circuit, or "". Touches no bus."""
        if self._pwm_error:
            return f"the PWM does not obey: {self._pwm_error}"
        high, low = self._volts
        still_s = now - max(self._moved_at, self._shown_at)
        if self._frozen_s and self._pwm and still_s > self._frozen_s:
            return f"the ADC has shown exactly the same for {still_s:.1f} s: it is stuck"
        quiet = self._shown[0] == STEADY and not self._shown[1] and now - self._shown_at > SETTLING_S
        if quiet and high - low > STUCK_V:
            return f"the low side is stuck at {low:.1f} V without PWM"
        return ""

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """See `Part.start`."""
        self._high.thread.urgent = True
        self._high.thread.every(self._interval_s, self.sample)
        (self._output.thread or self._high.thread).every(REFRESH_S, self._look_after)

    def stop(self) -> None:
        """See `Part.stop`; the PWM rests at +12 V, or whatever the fail pin's circuit makes of it."""
        self._wish = (STEADY, self._wish[1])
        self._output.set(STEADY)

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        duty, failed = self._shown
        return {
            "state": self._state.value,
            "high": f"{self._volts[0]:.2f} V",
            "low": f"{self._volts[1]:.2f} V",
            "duty cycle": f"{0.0 if failed else duty * 100:.1f} %",
        }
