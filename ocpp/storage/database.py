"""The SQLite file: opening, migrating, rescuing what a damaged one still holds, and transactions.

WAL mode with synchronous = NORMAL, where a commit costs no fsync, and one fsync of the log after those commits that
have to survive a power cut ("durable"). The others survive the death of the process; a power cut loses at most their
effect, never the file's integrity. Changes that belong together share one transaction, so no half of them is ever left.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ocpp.errors import NewerDatabaseError, StorageError
from ocpp.storage.migrations import MIGRATIONS, TABLES

WAL_CHECKPOINT_PAGES = 500
"""2 MB of write-ahead log before it is folded into the file: bounds its size and the writes to an SD card."""

CACHE_KIB = 1024
"""SQLite's page cache; the whole database of a station is a few megabytes."""

MAX_KEPT_DAMAGED_FILES = 3
"""Damaged files kept for diagnosis; older ones are deleted so that they cannot fill the disk."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What happened to a damaged database: where it was moved, and how many rows of each table were saved."""

    moved_to: Path
    reason: str
    saved: dict[str, int] = field(default_factory=dict)
    lost_tables: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = sum(self.saved.values())
        lost = f"; not readable: {', '.join(self.lost_tables)}" if self.lost_tables else ""
        return f"database was damaged ({self.reason}); moved to {self.moved_to.name}, {rows} rows saved{lost}"


class Database:
    """An open database. All methods belong on one thread, that of the event loop."""

    def __init__(self, connection: sqlite3.Connection, path: Path, recovery: Recovery | None = None) -> None:
        self._connection = connection
        self._depth = 0
        self._durable = False
        self._wal: int | None = None
        self.path = path
        self.recovery = recovery
        self.fsyncs = 0
        """Durable commits so far, each one an fsync."""
        self.on_step: Callable[[str], None] | None = None
        """Called before and after every commit; tests kill the process there."""

    @classmethod
    def open(cls, path: Path) -> "Database":
        """Open or create the file, bring it to the newest version.

        A damaged file is moved aside, and what can be read of it is saved (`recovery` tells). Raises
        NewerDatabaseError when a newer program wrote it, StorageError when the place cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return cls(_connect(path), path)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise StorageError(f"the database {path} cannot be opened: {error}") from error
            return cls._rescue(path, str(error))
        except OSError as error:
            if isinstance(error, StorageError):
                raise
            raise StorageError(f"the state directory {path.parent} cannot be used: {error}") from error

    @classmethod
    def _rescue(cls, path: Path, reason: str) -> "Database":
        aside = _move_aside(path)
        connection = _connect(path)
        saved, lost = _copy_readable(aside, connection)
        recovery = Recovery(aside, reason, saved, lost)
        log.error("%s", recovery)
        return cls(connection, path, recovery)

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """Everything inside is written together, or, when it raises, not at all.

        Nested use joins the outermost one, which is durable if any of them is. Raises StorageError when the disk is
        full or broken; the caller's in-memory state is then ahead of the disk and must not be acted upon.
        """
        if self._depth:
            self._durable = self._durable or durable
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        self._depth, self._durable = 1, durable
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._depth = 0
            self._connection.rollback()
            raise
        self._depth = 0
        self._commit()

    def _commit(self) -> None:
        self._step("before commit")
        try:
            self._connection.commit()
            if self._durable:
                os.fdatasync(self._log_file())
                self.fsyncs += 1
        except (sqlite3.Error, OSError) as error:
            self._connection.rollback()
            raise StorageError(f"the database {self.path} cannot be written: {error}") from error
        self._step("after commit")

    def _log_file(self) -> int:
        """The write-ahead log's file descriptor; SQLite keeps the file for as long as the connection lives."""
        if self._wal is None:
            self._wal = os.open(f"{self.path}-wal", os.O_RDWR | os.O_CLOEXEC)
        return self._wal

    def _step(self, name: str) -> None:
        if self.on_step is not None:
            self.on_step(name)

    def _execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, parameters)
        except sqlite3.Error as error:
            raise StorageError(f"the database {self.path} cannot be used: {error}") from error

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run a statement that writes; RuntimeError outside of `transaction`."""
        if not self._depth:
            raise RuntimeError("writes belong inside Database.transaction")
        return self._execute(sql, parameters)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement that reads."""
        return self._execute(sql, parameters).fetchall()

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a statement that reads, or None."""
        row: tuple[Any, ...] | None = self._execute(sql, parameters).fetchone()
        return row

    def close(self) -> None:
        """Fold the log into the file and close it."""
        if self._wal is not None:
            os.close(self._wal)
            self._wal = None
        self._connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=128)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
        problems = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problems != "ok":
            raise sqlite3.DatabaseError(f"malformed: {problems}")
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise NewerDatabaseError(
            f"{path} was written by a newer program (schema {version}, this one knows {len(MIGRATIONS)}); "
            "install that version again, or start with an empty state directory and lose what is recorded here"
        )
    for step, statements in enumerate(MIGRATIONS[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {step}")
        connection.execute("COMMIT")


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    text = str(error)
    return "malformed" in text or "not a database" in text or "file is encrypted" in text or "no such table" in text


def _move_aside(path: Path) -> Path:
    older = sorted(path.parent.glob(f"{path.name}.damaged-*"), key=lambda file: file.stat().st_mtime)
    for file in older[: max(0, len(older) - MAX_KEPT_DAMAGED_FILES + 1)]:
        file.unlink()
    number = 1 + max((int(file.name.rpartition("-")[2]) for file in older), default=0)
    aside = path.with_name(f"{path.name}.damaged-{number}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(aside.with_name(aside.name + suffix))
    return aside


def _copy_readable(aside: Path, target: sqlite3.Connection) -> tuple[dict[str, int], tuple[str, ...]]:
    """Copy what can be read of each table, row by row until the damage."""
    saved: dict[str, int] = {}
    lost: list[str] = []
    source = sqlite3.connect(aside)
    for table in TABLES:
        try:
            saved[table] = _copy_table(source, target, table)
        except sqlite3.DatabaseError as error:
            log.warning("table %s of the damaged database: %s", table, error)
            lost.append(table)
    source.close()
    return {table: rows for table, rows in saved.items() if rows}, tuple(lost)


def _copy_table(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> int:
    columns = [row[1] for row in target.execute(f"PRAGMA table_info({table})")]
    rows = 0
    target.execute("BEGIN IMMEDIATE")
    try:
        names = ", ".join(columns)
        marks = ", ".join("?" for _ in columns)
        for row in source.execute(f"SELECT {names} FROM {table}"):
            target.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", row)
            rows += 1
    finally:
        # What was read before the damage is worth keeping.
        target.execute("COMMIT")
    return rows
