"""An emulated PCA9685 (NXP data sheet, rev. 4)."""

import errno

MODE1, MODE2, LED0, ALL_LED, PRE_SCALE = 0x00, 0x01, 0x06, 0xFA, 0xFE
CHANNELS = 16


class Pca9685:
    """`duty` is what a channel's pin shows; `broken`: it does not answer; `reset`: its supply has dipped."""

    def __init__(self, oscillator_hz: float = 25e6, external_hz: float = 0.0) -> None:
        self._oscillator_hz = oscillator_hz
        self._external_hz = external_hz
        self.broken = False
        self.writes = 0
        self.reset()

    def reset(self) -> None:
        self._registers = bytearray(256)
        self._registers[MODE1], self._registers[MODE2], self._registers[PRE_SCALE] = 0x11, 0x04, 0x1E
        for channel in range(CHANNELS):
            self._registers[LED0 + 4 * channel + 3] = 0x10
        self._pointer = 0
        self._external = False

    def write(self, data: bytes) -> None:
        if self.broken:
            raise OSError(errno.EREMOTEIO, "NACK")
        self._pointer = data[0]
        self.writes += 1
        for value in data[1:]:
            self._store(self._pointer, value)
            if self._registers[MODE1] & 0x20:
                self._pointer = (self._pointer + 1) & 0xFF

    def read(self, length: int) -> bytes:
        if self.broken:
            raise OSError(errno.EREMOTEIO, "NACK")
        return bytes(self._registers[self._pointer : self._pointer + length])

    def _store(self, register: int, value: int) -> None:
        if register == PRE_SCALE and not self.asleep:
            return
        if register == MODE1 and value & 0x40 and self.asleep:
            self._external = True  # sticky: only a reset clears EXTCLK
        self._registers[register] = value
        if ALL_LED <= register < ALL_LED + 4:
            for channel in range(CHANNELS):
                self._registers[LED0 + 4 * channel + register - ALL_LED] = value

    @property
    def asleep(self) -> bool:
        return bool(self._registers[MODE1] & 0x10)

    @property
    def frequency_hz(self) -> float:
        clock = self._external_hz if self._external else self._oscillator_hz
        return clock / (4096 * (self._registers[PRE_SCALE] + 1))

    def duty(self, channel: int) -> float:
        """The fraction of a period in which the pin is high."""
        on_low, on_high, off_low, off_high = self._registers[LED0 + 4 * channel :][:4]
        if off_high & 0x10 or self.asleep:
            return 0.0
        if on_high & 0x10:
            return 1.0
        on, off = on_low | (on_high & 15) << 8, off_low | (off_high & 15) << 8
        return ((off - on) % 4096) / 4096
