"""Emulated ADCs: ADS1115, MCP3424 and MCP3208, from their data sheets. `pins` are voltages, or functions that give one."""

import errno
from collections.abc import Callable

Pin = float | Callable[[], float]


class _Pins:
    def __init__(self, count: int) -> None:
        self.pins: list[Pin] = [0.0] * count
        self.broken = False
        self.busy = False
        """Conversions never end."""

    def volts(self, channel: int) -> float:
        pin = self.pins[channel]
        return pin() if callable(pin) else pin

    def check(self) -> None:
        if self.broken:
            raise OSError(errno.EREMOTEIO, "NACK")


class Ads1115(_Pins):
    """Registers of two bytes: conversion (0) and configuration (1)."""

    RANGES = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256)

    def __init__(self) -> None:
        super().__init__(4)
        self._config, self._conversion, self._pointer, self._polls = 0x8583, 0, 0, 0

    def write(self, data: bytes) -> None:
        self.check()
        self._pointer = data[0]
        if self._pointer != 1 or len(data) < 3:
            return
        self._config = int.from_bytes(data[1:3], "big")
        if self._config & 0x8000:
            self._polls = 1  # the first look at it comes too early
            multiplexer = self._config >> 12 & 7
            assert multiplexer >= 4, "differential"
            full = self.RANGES[self._config >> 9 & 7]
            raw = round(self.volts(multiplexer - 4) / full * 0x8000)
            self._conversion = max(-0x8000, min(0x7FFF, raw))

    def read(self, length: int) -> bytes:
        self.check()
        if self._pointer == 0:
            return self._conversion.to_bytes(2, "big", signed=True)[:length]
        ready = self._polls == 0 and not self.busy
        self._polls = max(0, self._polls - 1)
        return (self._config & 0x7FFF | (0x8000 if ready else 0)).to_bytes(2, "big")[:length]


class Mcp3424(_Pins):
    """One configuration byte; the answer is two bytes of data and that byte, whose bit 7 says that it is not ready."""

    def __init__(self) -> None:
        super().__init__(4)
        self._config, self._raw, self._polls = 0x10, 0, 0

    def write(self, data: bytes) -> None:
        self.check()
        self._config = data[0] & 0x7F
        if data[0] & 0x80:
            bits = (12, 14, 16, 18)[self._config >> 2 & 3]
            full, gain = 1 << (bits - 1), 1 << (self._config & 3)
            raw = round(self.volts(self._config >> 5 & 3) * gain / 2.048 * full)
            self._raw, self._polls = max(-full, min(full - 1, raw)), 1

    def read(self, length: int) -> bytes:
        self.check()
        ready = self._polls == 0 and not self.busy
        self._polls = max(0, self._polls - 1)
        return self._raw.to_bytes(2, "big", signed=True) + bytes([self._config | (0 if ready else 0x80)])


class Mcp3208(_Pins):
    """`transfer` is one selection of the chip."""

    def __init__(self, reference_v: float = 3.3) -> None:
        super().__init__(8)
        self._reference_v = reference_v
        self.unplugged = False
        """Nobody drives the line: it is pulled up."""

    def transfer(self, data: bytes) -> bytes:
        if self.broken:
            raise OSError(errno.ETIMEDOUT, "no SPI")
        if self.unplugged:
            return b"\xff" * len(data)
        assert data[0] & 0xFE == 0x06, "start bit, single ended"
        raw = max(0, min(4095, int(self.volts((data[0] & 1) << 2 | data[1] >> 6) / self._reference_v * 4096)))
        return bytes([0xFF, 0xE0 | raw >> 8, raw & 0xFF])
