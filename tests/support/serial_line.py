"""A serial line between a driver and an emulated part: two pseudo terminals with a cable that can be cut and disturbed."""

import os
import select
import termios
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

SPEEDS = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)


class SerialLine:
    """`near` is the driver's device file, `far` the part's. Both stay the same when the adapter is pulled and put in.

    `to_driver` and `to_part` may change what goes over the cable: bytes in, bytes out.
    """

    def __init__(self, directory: Path, name: str = "ttyUSB0") -> None:
        self._link = directory / name
        self.near = str(self._link)
        self.to_driver: Callable[[bytes], bytes] = lambda data: data
        self.to_part: Callable[[bytes], bytes] = lambda data: data
        self._far_master, self._far_slave = _pair()
        self.far = os.ttyname(self._far_slave)
        self._near_master, self._near_slave = -1, -1
        self._lock = threading.RLock()  # what changes the data may send, too
        self._stopping = threading.Event()
        self.plug()
        self._thread = threading.Thread(target=self._pump, daemon=True)
        self._thread.start()

    @property
    def baud(self) -> int:
        """The speed that the driver has set."""
        speed = termios.tcgetattr(self._near_slave)[4]
        return next(each for each in SPEEDS if getattr(termios, f"B{each}") == speed)

    def unplug(self) -> None:
        """Pull the adapter: its device file goes, and who has it open gets an error."""
        with self._lock:
            self._link.unlink()
            os.close(self._near_master)
            os.close(self._near_slave)
            self._near_master = -1

    def plug(self) -> None:
        """Put it in again."""
        with self._lock:
            self._near_master, self._near_slave = _pair()
            self._link.symlink_to(os.ttyname(self._near_slave))

    def send(self, data: bytes) -> None:
        """Noise, or a part that speaks unasked: straight to the driver."""
        with self._lock:
            if self._near_master >= 0:
                os.write(self._near_master, data)

    def _pump(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                ends = [self._far_master, *([self._near_master] if self._near_master >= 0 else [])]
            try:
                ready = select.select(ends, [], [], 0.02)[0]
            except OSError:
                continue  # pulled meanwhile
            with self._lock:
                for end in ready:
                    self._carry(end)

    def _carry(self, end: int) -> None:
        try:
            if end == self._far_master:
                data = self.to_driver(os.read(end, 4096))
                if self._near_master >= 0 and data:
                    os.write(self._near_master, data)
            elif end == self._near_master:
                data = self.to_part(os.read(end, 4096))
                if data:
                    os.write(self._far_master, data)
        except OSError:
            pass  # pulled at this moment

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(2.0)
        for each in (self._far_master, self._far_slave):
            os.close(each)
        if self._near_master >= 0:
            self.unplug()


def _pair() -> tuple[int, int]:
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    os.set_blocking(master, False)  # whoever holds the lock must not wait
    return master, slave


def wait_until(condition: Callable[[], object], what: str = "what was waited for", deadline_s: float = 5.0) -> None:
    """Until a thread has done it; AssertionError when it has not in time."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.005)
