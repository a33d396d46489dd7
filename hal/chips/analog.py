"""What every channel of an ADC offers, and what its voltages mean."""

import math
from typing import Protocol

from hal.errors import DriverError
from hal.worker import BusThread

Point = tuple[float, float]
"""A voltage at the ADC's pin, and what it means."""

LEAST_V = 1e-3
"""So far apart the two pin voltages of a calibration are at least."""


class Input(Protocol):
    """A claimed channel. It is read in `thread`, that of its bus: a conversion takes its time."""

    name: str
    thread: BusThread

    def volts(self) -> float:
        """What is at the pin, in V. BusError when the chip does not answer, or the pin is beyond the range."""


class PeakInput(Input, Protocol):
    """A channel fast enough to find the peaks of a PWM by itself."""

    def peaks(self, window_s: float) -> tuple[float, float]:
        """The highest and the lowest voltage within that time, in V. BusError as for `volts`."""


class Calibration:
    """The line through two points: call it with the voltage at the pin. DriverError when they make none."""

    def __init__(self, owner: str, points: tuple[Point, Point]) -> None:
        (x0, y0), (x1, y1) = points
        if not abs(x1 - x0) > LEAST_V or not all(map(math.isfinite, (x0, x1, y0, y1))):
            raise DriverError(f"{owner}: a calibration needs two points with different voltages at the pin")
        self._slope = (y1 - y0) / (x1 - x0)
        self._offset = y0 - self._slope * x0

    def __call__(self, volts: float) -> float:
        """What that voltage at the pin means."""
        return self._slope * volts + self._offset
