"""An emulated control pilot line: a generator's duty cycle on one side, an EV on the other, ADC pins in between."""

from collections.abc import Callable

LEVELS = {"A": 12.0, "B": 9.0, "C": 6.0, "D": 3.0, "E": 0.0}

CALIBRATION = ((0.25, -12.0), (3.05, 12.0))
"""What the emulated divider does: volts at the pin, volts on the line."""


class PilotLine:
    """`state` is what the EV makes of the line; `diode`: it has one."""

    def __init__(self, duty: Callable[[], float]) -> None:
        self.duty = duty
        self.state = "A"
        self.diode = True
        self.negative = False
        """A switch puts the line to -12 V."""
        self.holds_low: float | None = None
        """The peak-hold of the low side is stuck there."""
        self._phase = 0

    @property
    def high(self) -> float:
        """The positive peak, as a peak-hold circuit that does not go below 0 V shows it."""
        return 0.0 if self.negative or self.duty() == 0.0 else LEVELS[self.state]

    @property
    def low(self) -> float:
        """The negative peak."""
        if self.holds_low is not None:
            return self.holds_low
        if self.state == "E":
            return 0.0
        if self.negative or self.duty() == 0.0:
            return -12.0
        if self.duty() == 1.0:
            return LEVELS[self.state]
        return -12.0 if self.diode else -LEVELS[self.state]

    def high_pin(self) -> float:
        return _pin(self.high)

    def low_pin(self) -> float:
        return _pin(self.low)

    def pin(self) -> float:
        """The line itself, one sample after the other through the periods of the PWM."""
        self._phase = (self._phase + 37) % 100
        steady = self.negative or self.duty() in (0.0, 1.0)
        if steady:
            return self.low_pin() if self.high == 0.0 else self.high_pin()
        return self.high_pin() if self._phase < self.duty() * 100 else self.low_pin()


def _pin(volts: float) -> float:
    (x0, y0), (x1, y1) = CALIBRATION
    return x0 + (volts - y0) * (x1 - x0) / (y1 - y0)
