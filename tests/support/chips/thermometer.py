"""Emulated thermometers: LM75 and TMP102 registers, the files of a DS18B20."""

import errno
from pathlib import Path
from typing import Any


class Lm75:
    """`celsius` in steps of `step`; it converts only while its configuration says so, as after `reset` it may not."""

    def __init__(self, step: float = 0.125, configured: bytes = b"\x00") -> None:
        self.celsius = 25.0
        self.broken = False
        self.stuck_high = False
        self._step = step
        self._configured = configured
        self._configuration = b"\x01" + configured[1:]
        self._pointer = 0

    def write(self, data: bytes) -> None:
        self._check()
        self._pointer = data[0]
        if self._pointer == 1 and len(data) > 1:
            self._configuration = data[1:]

    def read(self, length: int) -> bytes:
        self._check()
        if self.stuck_high:
            return b"\xff\xff"
        if self._pointer != 0:
            return self._configuration[:length]
        celsius = self.celsius if self._configuration == self._configured else -55.0
        return (round(celsius / self._step) * round(self._step * 256)).to_bytes(2, "big", signed=True)

    def reset(self) -> None:
        self._configuration = b"\x01" + self._configured[1:]

    def _check(self) -> None:
        if self.broken:
            raise OSError(errno.EREMOTEIO, "NACK")


class Ds18b20:
    """What the kernel's driver shows."""

    def __init__(self, kernel: Any, identity: str) -> None:
        self._folder = Path(kernel.root) / "sys/bus/w1/devices" / identity
        self._folder.mkdir(parents=True)
        self.show(23125)

    def show(self, millidegrees: int, *, crc: bool = True) -> None:
        data = "72 01 4b 46 7f ff 0e 10 57"
        text = f"{data} : crc=57 {'YES' if crc else 'NO'}\n{data} t={millidegrees}\n"
        (self._folder / "w1_slave").write_text(text)

    def unplug(self) -> None:
        (self._folder / "w1_slave").unlink()
