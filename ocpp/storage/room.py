"""Room for a database to be opened on a disk that is full: some is kept in reserve, and some is found."""

import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

RESERVE_BYTES = 512 * 1024
"""What opening takes (an index of 32 kB, some pages of log) and what ends the transactions that are open, ten times over."""

FULL_BYTES = 1024 * 1024
"""With less the disk is full, whatever SQLite says of it."""

log = logging.getLogger(__name__)


def is_full(error: BaseException, folder: Path) -> bool:
    """Whether an error of SQLite or the system means that the disk is full."""
    if isinstance(error, sqlite3.Error):
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if code not in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
            return False
    elif not isinstance(error, OSError):
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize < FULL_BYTES


def _reserve(path: Path) -> Path:
    return path.with_name(path.name + ".reserve")


def keep_reserve(path: Path) -> None:
    """Keep some room for the next start, where there is enough."""
    reserve, found = _reserve(path), os.statvfs(path.parent)
    if reserve.exists() or found.f_bavail * found.f_frsize < 2 * FULL_BYTES:
        return
    try:
        descriptor = os.open(reserve, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
        finally:
            os.close(descriptor)
    except OSError as error:
        reserve.unlink(missing_ok=True)
        log.info("no room is kept in reserve: %s", error)


def make_room(path: Path, expendable: Iterable[Path]) -> Iterator[Path]:
    """Remove, one by one, what may go: the reserve, damaged files kept for diagnosis, and what the caller can do without."""
    damaged = sorted(path.parent.glob(f"{path.name}.damaged-*"))
    for each in (_reserve(path), *damaged, *expendable):
        try:
            each.unlink()
        except OSError:
            continue
        log.error("the disk is full: %s was removed to make room", each.name)
        yield each
