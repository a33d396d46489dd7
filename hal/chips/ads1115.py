"""ADS1115: four channels of 16 bits over I2C, up to 860 samples a second (TI SBAS444, section 8.6 for the registers).

A sigma-delta converter: what it gives is an average of about 1.2 ms, which says nothing about the peaks of a 1 kHz PWM.
"""

import time
from typing import Annotated

from msgspec import Meta

from hal.bench import PartBench
from hal.bus.i2c import Device
from hal.errors import BusError, DriverError
from hal.parts import Options
from hal.worker import BusThread

RANGES = {6.144: 0, 4.096: 1, 2.048: 2, 1.024: 3, 0.512: 4, 0.256: 5}
"""Full scale in V -> PGA bits. The pin must never be above the supply, whatever the range."""

CONVERSION, CONFIG = 0, 1
START, SINGLE_ENDED, SINGLE_SHOT, RATE_860, NO_COMPARATOR = 0x8000, 0x4000, 0x0100, 0x00E0, 0x0003
READY = 0x8000

CONVERSION_S = 0.0012
"""A conversion at 860 a second; the oscillator may be 10 % off, which the polls cover."""

POLLS = 6
POLL_S = 0.0002


class Ads1115Input(Options, frozen=True, kw_only=True, tag_field="chip", tag="ads1115"):
    """A channel against ground."""

    bus: str | None = None
    address: Annotated[int, Meta(ge=0x48, le=0x4B)] = 0x48
    channel: Annotated[int, Meta(ge=0, le=3)]
    range_v: float = 4.096
    """Full scale: 6.144, 4.096, 2.048, 1.024, 0.512 or 0.256 V."""

    def open(self, bench: PartBench) -> "Channel":
        """Claim the channel. Raises HardwareError; the chip is not asked before the first reading."""
        if self.range_v not in RANGES:
            raise DriverError(f"{bench.owner}: range_v = {self.range_v:g} must be one of {', '.join(map(str, RANGES))}")
        path = self.bus or bench.device("i2c")
        device = bench.share(f"ads1115 0x{self.address:02x} on {path}", lambda: bench.i2c(path, self.address))
        name = f"channel {self.channel} of the ADS1115 at {device.name}"
        bench.claim(name)
        return Channel(name, device, bench.thread(path), self.channel, self.range_v)


class Channel:
    """See `hal.chips.analog.Input`. Every reading is a conversion of its own, so that channels may have ranges of their own."""

    def __init__(self, name: str, device: Device, thread: BusThread, channel: int, range_v: float) -> None:
        self.name = name
        self.thread = thread
        self._device = device
        self._range_v = range_v
        config = START | SINGLE_ENDED | channel << 12 | RANGES[range_v] << 9 | SINGLE_SHOT | RATE_860 | NO_COMPARATOR
        self._config = config.to_bytes(2, "big")

    def volts(self) -> float:
        """See `Input.volts`."""
        self._device.write(CONFIG, self._config)
        time.sleep(CONVERSION_S)
        self._await()
        raw = int.from_bytes(self._device.read(CONVERSION, 2), "big", signed=True)
        if raw in (0x7FFF, -0x8000):
            raise BusError(f"{self.name} is beyond its range of {self._range_v:g} V")
        return raw * self._range_v / 0x8000

    def _await(self) -> None:
        for _ in range(POLLS):
            if int.from_bytes(self._device.read(CONFIG, 2), "big") & READY:
                return
            time.sleep(POLL_S)
        raise BusError(f"{self.name}: the conversion does not end")
