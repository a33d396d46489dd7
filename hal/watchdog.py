"""What restarts machine or program when the safety loop dies: the kernel's watchdog device and systemd's."""

import os
import socket

from hal.errors import BusError

MAGIC_CLOSE = b"V"
"""Written before closing it: the watchdog stops, where the kernel allows that (CONFIG_WATCHDOG_NOWAYOUT is off)."""


class Watchdog:
    """An open watchdog device: the machine restarts unless it is fed. BusError when it cannot be opened."""

    def __init__(self, path: str) -> None:
        try:
            self._handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            raise BusError(f"{path} cannot be opened: {error.strerror}") from error

    def feed(self) -> None:
        """Not yet. OSError when the device is gone."""
        os.write(self._handle, b"\0")

    def close(self) -> None:
        """Stop it: the program ends on purpose."""
        os.write(self._handle, MAGIC_CLOSE)
        os.close(self._handle)


def notify(message: str) -> None:
    """Tell systemd ("READY=1", "WATCHDOG=1"), where it has started the program (sd_notify). OSError when it is gone."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.sendto(message.encode(), address)
