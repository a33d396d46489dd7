"""The folder that holds everything that must survive; one running program at a time."""

import fcntl
import os
from pathlib import Path
from typing import IO

from ocpp.errors import StorageError

LOCK_FILE = "lock"

PRIVATE = 0o700
"""Of a folder made here: it holds passwords and keys (A01.FR.10)."""


class StateDirectory:
    """Makes the folder if needed and claims it until `release`, or until the process ends, however it ends.

    Raises StorageError when it cannot be made, or another process works in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            self._lock = (path / LOCK_FILE).open("a+")
        except OSError as error:
            raise StorageError(f"the state directory {path} cannot be used: {error.strerror}") from error
        try:
            self._claim(self._lock)
        except BaseException:
            self._lock.close()
            raise

    def _claim(self, lock: IO[str]) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            owner = lock.read(20).strip() or "unknown"
            raise StorageError(
                f"the state directory {self.path} is already in use by process {owner}; stop it, or name another one"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()

    def release(self) -> None:
        """Let others use the folder."""
        self._lock.close()
