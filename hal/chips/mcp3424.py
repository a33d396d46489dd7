"""MCP3424 (and the two-channel MCP3422/3423): 12 to 16 bits over I2C (Microchip DS22088C, section 5).

A sigma-delta converter: at 12 bits it averages over 4.2 ms, which says nothing about the peaks of a 1 kHz PWM.
"""

import time
from typing import Annotated, Literal

from msgspec import Meta

from hal.bench import PartBench
from hal.bus.i2c import Device
from hal.errors import BusError
from hal.parts import Options
from hal.worker import BusThread

REFERENCE_V = 2.048
RATES = {12: (0, 1 / 240), 14: (1, 1 / 60), 16: (2, 1 / 15)}
"""Bits -> sample rate bits, seconds of a conversion. 18 bits would take 270 ms."""

GAINS = {1: 0, 2: 1, 4: 2, 8: 3}
NOT_READY = 0x80
"""Written: start a conversion. Read: the data are those of the last one."""

POLLS = 8
"""A poll takes a twentieth of a conversion: the oscillator may be 27 % slow (table 1-1: 176 samples a second at least)."""


class Mcp3424Input(Options, frozen=True, kw_only=True, tag_field="chip", tag="mcp3424"):
    """A differential channel; for a voltage against ground CHn- is tied to ground."""

    bus: str | None = None
    address: Annotated[int, Meta(ge=0x68, le=0x6F)] = 0x68
    channel: Annotated[int, Meta(ge=0, le=3)]
    """0 to 3; the data sheet counts from 1."""
    bits: Literal[12, 14, 16] = 12
    gain: Literal[1, 2, 4, 8] = 1

    def open(self, bench: PartBench) -> "Channel":
        """Claim the channel. Raises HardwareError; the chip is not asked before the first reading."""
        path = self.bus or bench.device("i2c")
        device = bench.share(f"mcp3424 0x{self.address:02x} on {path}", lambda: bench.i2c(path, self.address))
        name = f"channel {self.channel} of the MCP3424 at {device.name}"
        bench.claim(name)
        return Channel(name, device, bench.thread(path), self)


class Channel:
    """See `hal.chips.analog.Input`. Every reading is a one-shot conversion of its own."""

    def __init__(self, name: str, device: Device, thread: BusThread, options: Mcp3424Input) -> None:
        self.name = name
        self.thread = thread
        self._device = device
        rate, self._conversion_s = RATES[options.bits]
        self._config = options.channel << 5 | rate << 2 | GAINS[options.gain]
        self._range_v = REFERENCE_V / options.gain
        self._full_scale = 1 << (options.bits - 1)

    def volts(self) -> float:
        """See `Input.volts`."""
        self._device.send(bytes([NOT_READY | self._config]))
        time.sleep(self._conversion_s)
        raw = self._await()
        if raw in (self._full_scale - 1, -self._full_scale):
            raise BusError(f"{self.name} is beyond its range of {self._range_v:g} V")
        return raw * self._range_v / self._full_scale

    def _await(self) -> int:
        for _ in range(POLLS):
            data = self._device.receive(3)
            if data[2] & ~NOT_READY & 0xFF != self._config:
                raise BusError(f"{self.name} answers for another configuration: 0x{data[2]:02x}")
            if not data[2] & NOT_READY:
                return int.from_bytes(data[:2], "big", signed=True)
            time.sleep(self._conversion_s / 20)
        raise BusError(f"{self.name}: the conversion does not end")
