"""What can make a PWM, as an option of a driver: `pwm = {via = "sysfs", channel = "pwmchip0/0"}`."""

from typing import Annotated, Protocol

from msgspec import Meta

from hal.bench import PartBench
from hal.bus.pwm import Channel
from hal.chips.pca9685 import Pca9685
from hal.parts import Options
from hal.worker import BusThread


class PwmOutput(Protocol):
    """A claimed channel, at `rest` until it is set and when the bench closes."""

    name: str
    thread: BusThread | None
    """Where its calls belong; None: anywhere, they return at once."""

    def set(self, fraction: float) -> None:
        """Be on for that fraction of every period. BusError when that fails."""

    def refresh(self) -> None:
        """Look whether the chip still does what it was told, and tell it again if not. BusError."""


class SysfsPwm(Options, frozen=True, kw_only=True, tag_field="via", tag="sysfs"):
    """A PWM channel of the processor."""

    channel: str | None = None
    inverted: bool = False

    def open(self, bench: PartBench, frequency_hz: float, rest: float) -> PwmOutput:
        """Claim the channel. Raises HardwareError."""
        return _Sysfs(bench.pwm(self.channel, frequency_hz=frequency_hz, inverted=self.inverted, rest=rest))


class Pca9685Pwm(Options, frozen=True, kw_only=True, tag_field="via", tag="pca9685"):
    """A channel of a PCA9685, whose other channels run at the same frequency."""

    bus: str | None = None
    address: Annotated[int, Meta(ge=0x03, le=0x77)] = 0x40
    channel: Annotated[int, Meta(ge=0, le=15)]
    inverted: bool = False
    external_clock_hz: Annotated[float, Meta(ge=1e6, le=50e6)] | None = None
    """The clock at EXTCLK; the internal oscillator of 25 MHz otherwise."""

    def open(self, bench: PartBench, frequency_hz: float, rest: float) -> PwmOutput:
        """Claim the channel and put it to rest. Raises HardwareError."""
        chip = Pca9685.of(bench, self.bus, self.address, frequency_hz, self.external_clock_hz)
        return _Pca9685Output(bench, chip, self.channel, inverted=self.inverted, rest=rest)


PwmOptions = SysfsPwm | Pca9685Pwm
"""`via` says which they are."""


class _Sysfs:
    def __init__(self, channel: Channel) -> None:
        self.name = channel.name
        self.thread: BusThread | None = None
        self.set = channel.set

    def refresh(self) -> None:
        """The kernel does not forget."""


class _Pca9685Output:
    def __init__(self, bench: PartBench, chip: Pca9685, channel: int, *, inverted: bool, rest: float) -> None:
        self.name = f"channel {channel} of {chip.name}"
        self.thread = chip.thread
        self.refresh = chip.refresh
        self._chip, self._channel, self._inverted = chip, channel, inverted
        chip.claim(bench, channel, rest=1.0 - rest if inverted else rest)
        self.set(rest)

    def set(self, fraction: float) -> None:
        """See `PwmOutput.set`."""
        self._chip.set(self._channel, 1.0 - fraction if self._inverted else fraction)
