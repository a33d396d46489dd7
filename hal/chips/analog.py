"""What every channel of an ADC offers."""

from typing import Protocol

from hal.worker import BusThread


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
