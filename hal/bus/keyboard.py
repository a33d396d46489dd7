"""Keyboards as the kernel's input devices (Documentation/input/event-codes.rst), taken away from everybody else."""

import fcntl
import os
import select
import struct

from hal.errors import BusError

EVENT = struct.Struct("llHHi")
"""struct input_event: time in two longs, type, code, value."""

EV_KEY = 1
PRESSED = 1
EVIOCGRAB = 0x40044590
MAX_EVENTS = 64
"""Of one read."""


class Keyboard:
    """An open input device; BusError when it cannot be opened or grabbed, or is gone."""

    def __init__(self, path: str) -> None:
        self.name = path
        self._descriptor = -1
        self.reopen()

    def reopen(self) -> None:
        """Open the device again after it was unplugged; BusError while it is not there."""
        self.close()
        try:
            self._descriptor = os.open(self.name, os.O_RDONLY | os.O_NONBLOCK)
            fcntl.ioctl(self._descriptor, EVIOCGRAB, 1)
        except OSError as error:
            self.close()
            raise BusError(f"{self.name} cannot be opened for us alone: {error.strerror}") from error

    def read(self, timeout_s: float) -> list[int]:
        """The codes of the keys that were pressed, in order; waits up to `timeout_s` for the first. For a thread."""
        if self._descriptor < 0:
            raise BusError(f"{self.name} is not open")
        try:
            if not select.select([self._descriptor], [], [], timeout_s)[0]:
                return []
            data = os.read(self._descriptor, EVENT.size * MAX_EVENTS)
        except OSError as error:
            raise BusError(f"{self.name}: {error.strerror}") from error
        if not data:
            raise BusError(f"{self.name} is gone")
        whole = data[: len(data) // EVENT.size * EVENT.size]
        return [code for _, _, kind, code, value in EVENT.iter_unpack(whole) if (kind, value) == (EV_KEY, PRESSED)]

    def close(self) -> None:
        """Close the device, which sets it free for others."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
