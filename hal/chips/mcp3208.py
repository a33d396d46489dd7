"""MCP3208 (and the four-channel MCP3204): 12 bits over SPI (Microchip DS21298E, section 5).

A successive-approximation converter with a sample-and-hold: a conversion is a moment, so that many of them in a row find the
peaks of a PWM.
"""

import time
from typing import Annotated

from msgspec import Meta

from hal.bench import PartBench
from hal.bus.spi import Device
from hal.errors import BusError
from hal.parts import Options
from hal.worker import BusThread

STEPS = 4096
SINGLE_ENDED_START = 0x06
"""Start bit and SGL/DIFF, placed so that the twelve bits of the answer end with the third byte (figure 6-1)."""

NULL_BIT = 0x10
"""Section 5.0: low before the data; high where nobody drives the line."""

MIN_SAMPLES = 8
"""Of `peaks`, however slow the machine is."""

MAX_SAMPLES = 1000


class Mcp3208Input(Options, frozen=True, kw_only=True, tag_field="chip", tag="mcp3208"):
    """A channel against ground."""

    device: str | None = None
    """The chip select, as "/dev/spidev0.0"; the board's usual one otherwise."""
    channel: Annotated[int, Meta(ge=0, le=7)]
    reference_v: Annotated[float, Meta(gt=0, le=5.5)] = 3.3
    speed_hz: Annotated[int, Meta(ge=10_000, le=2_000_000)] = 1_000_000
    """1 MHz at a supply of 2.7 V, 2 MHz at 5 V; that of the part that comes first in the station file counts."""

    def open(self, bench: PartBench) -> "Channel":
        """Claim the channel. Raises HardwareError; the chip is not asked before the first reading."""
        path = self.device or bench.device("spi")
        device = bench.share(f"mcp3208 {path}", lambda: bench.spi(path, mode=0, speed_hz=self.speed_hz))
        name = f"channel {self.channel} of the MCP3208 at {path}"
        bench.claim(name)
        return Channel(name, device, bench.thread(path), self.channel, self.reference_v)


class Channel:
    """See `hal.chips.analog.PeakInput`."""

    def __init__(self, name: str, device: Device, thread: BusThread, channel: int, reference_v: float) -> None:
        self.name = name
        self.thread = thread
        self._device = device
        self._scale = reference_v / STEPS
        self._command = bytes([SINGLE_ENDED_START | channel >> 2, (channel & 3) << 6, 0])

    def volts(self) -> float:
        """See `Input.volts`."""
        return self._convert() * self._scale

    def peaks(self, window_s: float) -> tuple[float, float]:
        """See `PeakInput.peaks`."""
        high = low = self._convert()
        count, end = 1, time.monotonic() + window_s
        while count < MIN_SAMPLES or (count < MAX_SAMPLES and time.monotonic() < end):
            value = self._convert()
            if value > high:
                high = value
            elif value < low:
                low = value
            count += 1
        return high * self._scale, low * self._scale

    def _convert(self) -> int:
        answer = self._device.transfer(self._command)
        if len(answer) != len(self._command) or answer[1] & NULL_BIT:
            raise BusError(f"{self.name} does not answer")
        return (answer[1] & 0x0F) << 8 | answer[2]
