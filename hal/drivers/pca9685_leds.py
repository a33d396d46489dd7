"""LEDs with brightness on a PCA9685."""

from typing import Annotated

from msgspec import Meta

from hal.bench import PartBench
from hal.chips.pca9685 import Pca9685
from hal.drivers.indicator import LedName, LedOptions, Leds
from hal.errors import HardwareError

GAMMA = 2.2
"""Eyes see a fraction of the time to its power of 1 / 2.2."""

REFRESH_S = 2.0


class Pca9685LedOptions(LedOptions, frozen=True, kw_only=True):
    """`channels`: LED -> channel. `frequency_hz` is the whole chip's, which may carry a pilot as well."""

    channels: Annotated[dict[LedName, Annotated[int, Meta(ge=0, le=15)]], Meta(min_length=1)]
    bus: str | None = None
    address: Annotated[int, Meta(ge=0x03, le=0x77)] = 0x40
    frequency_hz: Annotated[float, Meta(ge=100, le=1500)] = 1000.0
    inverted: bool = False
    brightness: Annotated[float, Meta(gt=0, le=1)] = 1.0


class Pca9685Leds(Leds):
    """LEDs with brightness. The chip is told in its bus's thread, of several wishes the newest."""

    options_type = Pca9685LedOptions

    def __init__(self, bench: PartBench, options: Pca9685LedOptions) -> None:
        super().__init__(bench, options, list(options.channels))
        self._channels: dict[str, int] = {str(led): channel for led, channel in options.channels.items()}
        self._brightness, self._inverted = options.brightness, options.inverted
        path = options.bus or bench.device("i2c")
        self._thread = bench.thread(path)
        self._chip = Pca9685.of(bench, path, options.address, options.frequency_hz)
        self._shown: dict[str, float] = {}
        self._waiting = False
        for channel in options.channels.values():
            self._chip.claim(bench, channel, rest=1.0 if self._inverted else 0.0)
        self._write()

    def start(self) -> None:
        """See `Part.start`."""
        self._thread.every(REFRESH_S, self._refresh)

    def drive(self) -> None:
        """See `Leds.drive`."""
        if not self._waiting:
            self._waiting = True
            self._thread.soon(self._write)

    def stop(self) -> None:
        """See `Part.stop`: the chip darkens them when the bench closes."""
        self._player.stop()

    def _write(self) -> None:
        """In the bus's thread."""
        self._waiting = False
        try:
            for led, level in self.levels.items():
                if self._shown.get(led) != level:
                    fraction = self._brightness * level**GAMMA
                    self._chip.set(self._channels[led], 1.0 - fraction if self._inverted else fraction)
                    self._shown[led] = level
        except HardwareError as error:
            self._shown.clear()
            self.failed(error)
        else:
            self.works()

    def _refresh(self) -> None:
        """In the bus's thread."""
        try:
            self._chip.refresh()
        except HardwareError as error:
            self._shown.clear()
            self.failed(error)
        else:
            self._write()
