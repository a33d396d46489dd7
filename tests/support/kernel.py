"""Emulated kernel devices for hardware tests: I2C, GPIO and SPI through umockdev, so that drivers run unmodified.

Works under `umockdev-wrapper` only (`make test-hardware`). An I2C part is an object with `write(data)` and
`read(length)`, which may raise OSError; a SPI part has `transfer(data)`. GPIO lines have levels that tests read and set.
"""

import contextlib
import errno
import gc
import os
import struct
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

I2C_SLAVE, I2C_FUNCS, I2C_RDWR = 0x0703, 0x0705, 0x0707
I2C_M_RD = 1


def available() -> bool:
    """Whether this process runs under umockdev-wrapper, with its Python binding."""
    if "umockdev" not in os.environ.get("LD_PRELOAD", ""):
        return False
    try:
        import gi  # noqa: F401
    except ImportError:
        return False
    return True


_thread = threading.local()


def _at_once() -> bool:
    """A kernel answers before any thread goes on: the one that plays it goes before those of the drivers. Always True."""
    if not hasattr(_thread, "quick"):
        _thread.quick = True
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    return True


def _descriptors() -> set[int]:
    """Of this process: those that are open."""
    return {int(each) for each in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{each}")}


class Part(Protocol):
    def write(self, data: bytes) -> None: ...

    def read(self, length: int) -> bytes: ...


class Registers:
    """An I2C part with registers of one byte, auto-incrementing."""

    def __init__(self, content: bytes = bytes(256)) -> None:
        self.content = bytearray(content)
        self.pointer = 0

    def write(self, data: bytes) -> None:
        self.pointer = data[0]
        self.content[self.pointer : self.pointer + len(data) - 1] = data[1:]

    def read(self, length: int) -> bytes:
        return bytes(self.content[self.pointer : self.pointer + length])


class I2cBus:
    """`parts` by address; an address without one answers EREMOTEIO, as a NACK does. `broken`: every transfer times out."""

    def __init__(self) -> None:
        self.parts: dict[int, Part] = {}
        self.broken = False

    def handle(self, handler: Any, client: Any) -> bool:
        try:
            client.complete(*self._do(client.get_request(), client.get_arg()))
        except OSError as error:
            client.complete(-1, error.errno or errno.EIO)
        except Exception:  # a defect of the test's part must not hang the driver
            client.complete(-1, errno.EIO)
            raise
        return True

    def _do(self, request: int, argument: Any) -> tuple[int, int]:
        if request == I2C_FUNCS:
            argument.resolve(0, 8).update(0, struct.pack("L", 0x0EFF0009))
            return 0, 0
        if request == I2C_SLAVE:
            return 0, 0
        if request != I2C_RDWR:
            return -1, errno.ENOTTY
        if self.broken:
            return -1, errno.ETIMEDOUT
        data = argument.resolve(0, 16)
        count = struct.unpack_from("I", bytes(data.retrieve()), 8)[0]
        messages = data.resolve(0, 16 * count)
        for index in range(count):
            address, flags, length = struct.unpack_from("HHH", bytes(messages.retrieve()), 16 * index)
            part = self.parts.get(address)
            if part is None:
                return -1, errno.EREMOTEIO
            buffer = messages.resolve(16 * index + 8, length)
            if flags & I2C_M_RD:
                buffer.update(0, part.read(length).ljust(length, b"\xff")[:length])
            else:
                part.write(bytes(buffer.retrieve()))
        return count, 0


def _gpio(number: int, size: int, direction: int = 3) -> int:
    return (direction << 30) | (size << 16) | (0xB4 << 8) | number


CHIP_INFO, LINE_INFO, GET_LINE = _gpio(1, 68, 2), _gpio(5, 256), _gpio(7, 592)
SET_CONFIG, GET_VALUES, SET_VALUES = _gpio(0xD, 272), _gpio(0xE, 16), _gpio(0xF, 16)
ACTIVE_LOW = 2


class GpioChip:
    """`levels` are those on the wire, whatever a driver inverts. `set_at` tells when a driver last drove a line."""

    def __init__(self, testbed: Any, name: str, lines: int = 64) -> None:
        self.testbed = testbed
        self._name = name
        self._lines = lines
        self._count = 0
        self.handlers: list[Any] = []
        self._descriptors: dict[int, int] = {}
        self._flags: dict[int, int] = {}
        self.levels = [0] * lines
        self.set_at: dict[int, float] = {}
        self.driven: Callable[[], object] = lambda: None
        """Called whenever a driver has driven a line: whatever hangs on the lines acts on it."""
        self.broken: set[int] = set()
        """Lines whose every access fails."""
        self.follows: dict[int, int] = {}
        """Input -> the output that it follows, as an auxiliary contact follows its coil."""

    def press(self, line: int, level: int, at_ns: int | None = None) -> None:
        """Somebody outside drives an input: its level, and an edge for whoever waits, now or with a time of its own."""
        self.levels[line] = level
        if line in self._descriptors:
            rising = bool(level) is not bool(self._flags.get(line, 0) & ACTIVE_LOW)
            event = struct.pack("QIIII6I", at_ns or time.monotonic_ns(), 1 if rising else 2, line, 1, 1, *[0] * 6)
            os.write(self._descriptors[line], event)

    def handle(self, handler: Any, client: Any) -> bool:
        request, argument = client.get_request(), client.get_arg()
        if request == CHIP_INFO:
            argument.resolve(0, 68).update(0, struct.pack("32s32sI", self._name.encode(), b"emulated", self._lines))
            client.complete(0, 0)
        elif request == LINE_INFO:
            data = argument.resolve(0, 256)
            line = struct.unpack_from("I", bytes(data.retrieve()), 64)[0]
            data.update(0, struct.pack("32s32sIIQ", b"", b"", line, 0, self._flags.get(line, 4)))
            client.complete(0, 0)
        elif request == GET_LINE:
            self._request_line(argument, client)
        else:
            client.complete(-1, errno.ENOTTY)
        return True

    def _request_line(self, argument: Any, client: Any) -> None:
        from gi.repository import UMockdev

        data = argument.resolve(0, 592)
        raw = bytes(data.retrieve())
        line, flags = struct.unpack_from("I", raw, 0)[0], struct.unpack_from("Q", raw, 288)[0]
        self._flags[line] = flags | 1
        name = f"{self._name}-line{self._count}"
        self._count += 1
        handler = UMockdev.IoctlBase()
        handler.connect("handle-ioctl", lambda _, each, line=line: _at_once() and self._access(line, each))
        self.handlers.append(handler)
        os.mkfifo(f"{self.testbed.get_root_dir()}/dev/{name}")  # so that poll() and reading edges work
        self.testbed.attach_ioctl(f"/dev/{name}", handler)
        descriptor = os.open(f"/dev/{name}", os.O_RDWR)
        self._descriptors[line] = descriptor
        data.update(588, struct.pack("i", descriptor))
        client.complete(0, 0)

    def _access(self, line: int, client: Any) -> bool:
        request, data = client.get_request(), client.get_arg().resolve(0, 16)
        inverted = 1 if self._flags[line] & ACTIVE_LOW else 0
        if line in self.broken:
            client.complete(-1, errno.EIO)
        elif request == GET_VALUES:
            mask = struct.unpack("QQ", bytes(data.retrieve()))[1]
            data.update(0, struct.pack("QQ", (self.levels[line] ^ inverted) & mask, mask))
            client.complete(0, 0)
        elif request == SET_VALUES:
            bits = struct.unpack("QQ", bytes(data.retrieve()))[0]
            self.levels[line] = (bits & 1) ^ inverted
            self.set_at[line] = time.monotonic()
            self.driven()
            for contact, coil in self.follows.items():
                if coil == line:
                    self.levels[contact] = self.levels[line]
            client.complete(0, 0)
        elif request == SET_CONFIG:
            client.complete(0, 0)
        else:
            client.complete(-1, errno.ENOTTY)
        return True


class Kernel:
    """A testbed with `/dev/i2c-1`, `/dev/gpiochip0` and whatever files a test puts below /sys."""

    def __init__(self) -> None:
        import gi

        gi.require_version("UMockdev", "1.0")
        from gi.repository import UMockdev

        self.testbed = UMockdev.Testbed.new()
        self._left_open: set[int] = set()
        """Pseudo terminals behind device files, which the testbed does not close."""
        self._handlers: list[Any] = []
        self.i2c = I2cBus()
        self.gpio = GpioChip(self.testbed, "gpiochip0")
        self.add("i2c-1", "i2c-dev", self.i2c.handle)
        self.add("gpiochip0", "gpio", self.gpio.handle)

    def add(self, name: str, subsystem: str, handle: Any) -> None:
        """A device file whose ioctls `handle(handler, client)` answers."""
        from gi.repository import UMockdev

        device = f"P: /devices/virtual/{subsystem}/{name}\nN: {name}\nE: SUBSYSTEM={subsystem}\n"
        before = _descriptors()
        self.testbed.add_from_string(device)
        self._left_open |= _descriptors() - before
        handler = UMockdev.IoctlBase()
        handler.connect("handle-ioctl", lambda *args: _at_once() and handle(*args))
        self._handlers.append(handler)
        self.testbed.attach_ioctl(f"/dev/{name}", handler)

    def close(self) -> None:
        """Give back what the testbed holds: a process may have so many files open and no more."""
        self._handlers.clear()
        self.gpio.handlers.clear()
        self.testbed = self.gpio.testbed = None
        gc.collect()
        for descriptor in self._left_open:
            os.close(descriptor)

    @property
    def root(self) -> str:
        """Where the testbed keeps what drivers see as /sys and /dev."""
        return str(self.testbed.get_root_dir())
