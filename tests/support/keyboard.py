"""An emulated input device of the kernel: a FIFO in the testbed that can be grabbed."""

import errno
import os
import struct
import time
from typing import Any

EVIOCGRAB = 0x40044590
KEYS = {
    **{str(n): n + 1 for n in range(1, 10)},
    "0": 11,
    "A": 30,
    "B": 48,
    "C": 46,
    "D": 32,
    "E": 18,
    "F": 33,
    "\n": 28,
}
SYN, KEY, MISC = 0, 1, 4


class InputDevice:
    """`busy`: somebody else has grabbed it. `path` is what a driver opens."""

    def __init__(self, kernel: Any, name: str = "event0") -> None:
        self._testbed = kernel.testbed
        self._file = f"{kernel.root}/dev/input/{name}"
        self.path = f"/dev/input/{name}"
        self.busy = False
        self.grabbed = False
        self._handlers: list[Any] = []
        self.plug()

    def plug(self) -> None:
        from gi.repository import UMockdev

        os.makedirs(os.path.dirname(self._file), exist_ok=True)
        os.mkfifo(self._file)
        handler = UMockdev.IoctlBase()
        handler.connect("handle-ioctl", self._handle)
        self._handlers.append(handler)
        self._testbed.attach_ioctl(self.path, handler)
        self._descriptor = os.open(self._file, os.O_RDWR)

    def unplug(self) -> None:
        """The driver's descriptor sees the end of the file."""
        self._testbed.detach_ioctl(self.path)
        os.unlink(self._file)
        os.close(self._descriptor)

    def type(self, text: str) -> None:
        """Press and release keys, with the scan codes and separators that come with them."""
        events = b""
        for character in text:
            code = KEYS[character]
            for value in (1, 0):
                events += self._event(MISC, 4, 0x70000 + code) + self._event(KEY, code, value) + self._event(SYN, 0, 0)
        os.write(self._descriptor, events)

    @staticmethod
    def _event(kind: int, code: int, value: int) -> bytes:
        now = time.time_ns()
        return struct.pack("llHHi", now // 10**9, now % 10**9 // 1000, kind, code, value)

    def _handle(self, handler: Any, client: Any) -> bool:
        if client.get_request() != EVIOCGRAB:
            client.complete(-1, errno.ENOTTY)
        elif self.busy:
            client.complete(-1, errno.EBUSY)
        else:
            self.grabbed = True
            client.complete(0, 0)
        return True
