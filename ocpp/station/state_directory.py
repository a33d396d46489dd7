"""The folder that holds everything that must survive; one running program at a time."""

import fcntl
import logging
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import IO

from ocpp.errors import StorageError

LOCK_FILE = "lock"

PRIVATE, PRIVATE_FILE = 0o700, 0o600
"""Of a folder made here, and of the files in it: they hold passwords and keys (A01.FR.10)."""

OURS = (LOCK_FILE, "station.db", "messages.jsonl", "simulation.json", "registers")
"""What names of files of the program begin with; who has a folder of his own choice may have others in it."""

log = logging.getLogger(__name__)


class StateDirectory:
    """Makes the folder if needed and claims it until `release`, or until the process ends, however it ends.

    Raises StorageError when it cannot be made, or another process works in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            lock = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE_FILE)
            self._lock = os.fdopen(lock, "a+")
            self._narrow()
        except OSError as error:
            raise StorageError(f"the state directory {path} cannot be used: {error.strerror}") from error
        try:
            self._claim(self._lock)
        except BaseException:
            self._lock.close()
            raise

    def _narrow(self) -> None:
        """Files that an earlier program or a copy left readable for others; the folder itself is its owner's to judge."""
        for file in self.path.iterdir():
            found = file.lstat().st_mode
            if not stat.S_ISREG(found) or not found & 0o077 or not file.name.startswith(OURS):
                continue
            try:
                file.chmod(PRIVATE_FILE)
            except OSError as error:
                log.warning("%s is open to others (mode %o): %s", file, stat.S_IMODE(found), error.strerror)
            else:
                log.warning("%s was open to others (mode %o) and is not any more", file, stat.S_IMODE(found))
        mode = stat.S_IMODE(self.path.stat().st_mode)
        if mode & 0o077:
            log.warning("the state directory %s is open to others (mode %o); better is: chmod 700", self.path, mode)

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
        with suppress(OSError):  # a full disk: the lock holds all the same
            os.write(lock.fileno(), str(os.getpid()).encode())

    def release(self) -> None:
        """Let others use the folder."""
        self._lock.close()
