"""Saving what can still be read of a damaged database file.

What is readable goes into a new file beside the damaged one, and only the whole new file takes its place: a power cut
in between costs nothing, the next start makes the rescue again or finishes it. The damaged file is kept for diagnosis.
"""

import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from ocpp.storage.migrations import TABLES
from ocpp.storage.witness import Log, Witness

MAX_KEPT_DAMAGED_FILES = 3
"""Damaged files kept for diagnosis; older ones are deleted so that they cannot fill the disk."""

MAX_SEQUENCE = 2**53
"""A larger last position in a damaged file is damage itself."""

COMPANIONS = ("-wal", "-shm")

_DAMAGED_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_DAMAGED_WORDS = (
    "malformed",
    "not a database",
    "no such table",
    "no such column",
    "already exists",
    "unsupported file format",
)

log = logging.getLogger(__name__)


class Recovery(msgspec.Struct, frozen=True):
    """What happened to a damaged database: where it was moved, and how many rows of each table were saved."""

    moved_to: Path | None
    """None where there was nothing to keep."""
    reason: str
    saved: dict[str, int] = msgspec.field(default_factory=dict)
    lost_tables: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = sum(self.saved.values())
        lost = f"; not readable: {', '.join(self.lost_tables)}" if self.lost_tables else ""
        moved = f"moved to {self.moved_to.name}, " if self.moved_to is not None else ""
        return f"database was damaged ({self.reason}); {moved}{rows} rows saved{lost}"


def is_damage(error: Exception) -> bool:
    """Whether an error of SQLite means that the file is damaged, rather than locked, full or out of reach."""
    if isinstance(error, UnicodeDecodeError):
        return True  # SQLite quotes the damaged schema in its message
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED_CODES:
        return True
    return any(word in str(error) for word in _DAMAGED_WORDS)


def rescue(path: Path, reason: str, create: Callable[[Path], sqlite3.Connection]) -> Recovery:
    """Put a new file in the place of the damaged one, with what could be read of it. `create` makes an empty one."""
    draft = path.with_name(path.name + ".rescuing")
    _remove(draft)
    os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(create(draft)) as target:
        saved, lost = _copy_readable(path, target)
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _sync(draft)
    aside = _keep_aside(path)
    os.replace(draft, _rescued(path))
    _sync(path.parent)
    finish(path)
    return Recovery(aside, " ".join(reason.split()), saved, lost)


def salvage(path: Path, reason: str, create: Callable[[Path], sqlite3.Connection]) -> Recovery:
    """What is there of a database whose file was emptied, or whose log is gone or spoilt; SQLite would drop the rest.

    A file with a log that is gone is good as far as it goes. An emptied one is put together again from its log, as far as
    that holds pages, and rescued.
    """
    if path.exists() and path.stat().st_size:
        aside = _keep_aside(path) if path.with_name(path.name + "-wal").exists() else None
        return Recovery(aside, reason)
    rebuilt = path.with_name(path.name + ".rebuilt")
    _remove(rebuilt)
    log_file = path.with_name(path.name + "-wal")
    if not log_file.exists() or not Log(log_file).rebuild(rebuilt):
        aside = _keep_aside(path) if log_file.exists() else None
        return Recovery(aside, reason)
    aside = _keep_aside(path)
    _remove(path)
    os.replace(rebuilt, path)
    found = rescue(path, reason, create)
    return Recovery(aside, found.reason, found.saved, found.lost_tables)


def finish(path: Path) -> None:
    """Complete a rescue that was cut short when its new file was whole already."""
    rescued = _rescued(path)
    if rescued.exists():
        for suffix in COMPANIONS:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        Witness(path).closed()
        os.replace(rescued, path)
        _sync(path.parent)


def _rescued(path: Path) -> Path:
    return path.with_name(path.name + ".rescued")


def _remove(path: Path) -> None:
    for suffix in ("", *COMPANIONS):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _keep_aside(path: Path) -> Path:
    """Keep the damaged file and its log under a name of their own; the oldest kept ones give way."""
    import shutil

    kept = sorted(
        (int(number), file)
        for file in path.parent.glob(f"{path.name}.damaged-*")
        if (number := file.name.rpartition("-")[2]).isdecimal()
    )
    for _, file in kept[: max(0, len(kept) - MAX_KEPT_DAMAGED_FILES + 1)]:
        _remove(file)
    aside = path.with_name(f"{path.name}.damaged-{kept[-1][0] + 1 if kept else 1}")
    for suffix in ("", "-wal"):
        source = path.with_name(path.name + suffix)
        if source.exists():
            shutil.copy2(source, aside.with_name(aside.name + suffix))
    return aside


def _copy_readable(damaged: Path, target: sqlite3.Connection) -> tuple[dict[str, int], tuple[str, ...]]:
    """Copy what can be read of each table, row by row until the damage."""
    saved: dict[str, int] = {}
    lost: list[str] = []
    with closing(sqlite3.connect(damaged)) as source:
        # One text with a damaged byte does not cost the rows behind it.
        source.text_factory = lambda raw: raw.decode(errors="replace")
        for table in TABLES:
            rows, whole = _copy_table(source, target, table)
            if rows:
                saved[table] = rows
            if not whole:
                lost.append(table)
        _copy_sequences(source, target)
    return saved, tuple(lost)


def _copy_table(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> tuple[int, bool]:
    """Gives how many rows were copied, and whether these were all."""
    rows = 0
    target.execute("BEGIN IMMEDIATE")
    try:
        there = _columns(source, table)
        columns = [column for column in _columns(target, table) if column in there]
        names, marks = ", ".join(columns), ", ".join("?" for _ in columns)
        for row in source.execute(f"SELECT {names} FROM {table}"):
            with suppress(sqlite3.IntegrityError):
                target.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", row)
                rows += 1
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        log.warning("table %s of the damaged database: %s", table, error)
        return rows, False
    finally:
        # What was read before the damage is worth keeping.
        target.execute("COMMIT")
    return rows, True


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _copy_sequences(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Numbers that were used once are never used again, even when their rows are gone."""
    try:
        sequences = [(name, last) for name, last in source.execute("SELECT name, seq FROM sqlite_sequence")]
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        log.warning("the last positions in the damaged database: %s", error)
        return
    for name, last in sequences:
        if name in TABLES and isinstance(last, int) and 0 <= last < MAX_SEQUENCE:
            found = target.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (name,)).fetchone()
            if found is None:
                target.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, last))
            elif found[0] < last:
                target.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (last, name))
