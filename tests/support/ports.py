"""Serial adapters that can be pulled out and plugged in again: ptys behind one path."""

import os
from pathlib import Path


class PtyPort:
    """What a driver opens is `path`; the other end is `send` and `receive`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plug()

    def plug(self) -> None:
        self._master, self._slave = os.openpty()
        self.path.symlink_to(os.ttyname(self._slave))

    def unplug(self) -> None:
        self.path.unlink(missing_ok=True)
        for descriptor in (self._master, self._slave):
            os.close(descriptor)

    def send(self, data: bytes) -> None:
        os.write(self._master, data)
