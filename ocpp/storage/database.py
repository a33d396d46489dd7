"""The SQLite file: opening, migrating, rescuing what a damaged one still holds, and transactions.

WAL mode with synchronous = NORMAL, where a commit costs no fsync, and one fsync of the log after those commits that
have to survive a power cut ("durable"). The others survive the death of the process; a power cut loses at most their
effect, never the file's integrity. Changes that belong together share one transaction, so no half of them is ever left.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing, suppress
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any
from zlib import crc32

from ocpp.errors import NewerDatabaseError, StorageError
from ocpp.storage.migrations import GENERATION, MIGRATIONS, SCHEMA_DIGEST
from ocpp.storage.rescue import Recovery, finish, is_damage, rescue, salvage
from ocpp.storage.room import is_full, make_room
from ocpp.storage.witness import Log, Witness, wal_of

WAL_CHECKPOINT_PAGES = 500
"""2 MB of write-ahead log before it is folded into the file: bounds its size and the writes to an SD card."""

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
"""The database holds passwords and who charged: it is its owner's, whatever folder it lies in (A01.FR.10)."""

CACHE_KIB = 1024
"""SQLite's page cache; the whole database of a station is a few megabytes."""

log = logging.getLogger(__name__)


class Transaction:
    """What `with database.transaction()` enters and leaves; it holds no state, so one of each kind serves all."""

    __slots__ = ("_database", "_durable")

    def __init__(self, database: "Database", *, durable: bool) -> None:
        self._database = database
        self._durable = durable

    def __enter__(self) -> None:
        self._database._enter(self._durable)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._database._leave(kind is not None)


class Database:
    """An open database. All methods belong on one thread, that of the event loop."""

    def __init__(self, connection: sqlite3.Connection, path: Path, recovery: Recovery | None = None) -> None:
        self._connection = connection
        self._depth = 0
        self._durable = False
        self._wal: int | None = None
        self._witness = Witness(path)
        self._undo: list[Callable[[], None]] = []
        self._durable_transaction = Transaction(self, durable=True)
        self._plain_transaction = Transaction(self, durable=False)
        self.path = path
        self.recovery = recovery
        self.fsyncs = 0
        """Durable commits so far, each one an fsync."""
        self.on_step: Callable[[str], None] | None = None
        """Called before and after every commit; tests kill the process there."""

    @classmethod
    def open(cls, path: Path, expendable: Iterable[Path] = ()) -> "Database":
        """Open or create the file, bring it to the newest version.

        A damaged file is moved aside, and what can be read of it is saved (`recovery` tells). So does it when the file was
        emptied, or its log is gone or spoilt. One of a newer program is used as it is, or refused with NewerDatabaseError
        when its schema is of a later generation. On a full disk room is made, by removing `expendable` files in the end.
        Raises StorageError when the place cannot be written.
        """
        try:
            path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            room = make_room(path, expendable)
            while True:
                try:
                    return cls._open(path)
                except (sqlite3.Error, OSError) as error:
                    if not is_full(error, path.parent) or next(room, None) is None:
                        raise
        except sqlite3.Error as error:
            raise StorageError(f"the database {path} cannot be opened: {error}") from error
        except OSError as error:
            if isinstance(error, StorageError):
                raise
            raise StorageError(f"the state directory {path.parent} cannot be used: {error}") from error

    @classmethod
    def _open(cls, path: Path) -> "Database":
        finish(path)
        witness = Witness(path)
        missing, known = witness.missing(), witness.known
        recovery = salvage(path, missing, _connect) if missing else None
        _make_private(path)
        frames = Log(wal_of(path)) if known and wal_of(path).exists() else None
        try:
            connection, version = _connected(path)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            if not is_damage(error):
                raise
            recovery = rescue(path, str(error), _connect)
            connection, version = _connected(path)
        if recovery is None and known and version == 0:
            recovery = Recovery(None, "it was empty")
        if recovery is None and frames is not None:
            recovery = _lost_behind(connection, frames)
        if recovery is not None:
            log.error("%s", recovery)
        return cls(connection, path, recovery)

    def transaction(self, *, durable: bool = True) -> "Transaction":
        """Everything inside is written together, or, when it raises, not at all.

        Nested use joins the outermost one, which is durable if any of them is. Raises StorageError when the disk is
        full or broken; the caller's in-memory state is then ahead of the disk and must not be acted upon.
        """
        return self._durable_transaction if durable else self._plain_transaction

    def _enter(self, durable: bool) -> None:
        if self._depth:
            self._durable = self._durable or durable
        else:
            self._execute("BEGIN IMMEDIATE")
            self._durable = durable
        self._depth += 1

    def _leave(self, failed: bool) -> None:
        if self._depth > 1:
            self._depth -= 1
        elif failed:
            self._roll_back()
        else:
            self._commit()

    def undo(self, action: Callable[[], None]) -> None:
        """Run `action` should the transaction going on be rolled back: it puts back what memory holds of it."""
        if self._depth:
            self._undo.append(action)

    def _roll_back(self) -> None:
        """Every action runs, newest first, even when the disk is so broken that another one or the rollback fails."""
        self._depth = 0
        actions, self._undo = self._undo, []
        with ExitStack() as undo:
            for action in actions:
                undo.callback(action)
            self._connection.rollback()

    def _commit(self) -> None:
        self._step("before commit")
        try:
            self._connection.commit()
        except sqlite3.Error as error:
            self._roll_back()
            raise StorageError(f"the database {self.path} cannot be written: {error}") from error
        self._depth = 0
        self._undo.clear()
        if self._durable:
            self._write_through()
        self._step("after commit")

    def _write_through(self) -> None:
        """What is committed survives the process; when the disk does not confirm it, only a power cut can lose it."""
        try:
            os.fdatasync(self._log_file())
            self.fsyncs += 1
        except OSError as error:
            log.error("the disk does not confirm what was written to %s: %s", self.path, error)

    def _log_file(self) -> int:
        """The write-ahead log's file descriptor; SQLite keeps the file for as long as the connection lives."""
        if self._wal is None:
            self._wal = os.open(f"{self.path}-wal", os.O_RDWR | os.O_CLOEXEC)
            self._witness.opened()
        return self._wal

    def _step(self, name: str) -> None:
        if self.on_step is not None:
            self.on_step(name)

    def _execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, parameters)
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, error: sqlite3.Error) -> StorageError:
        return StorageError(f"the database {self.path} cannot be used: {error}")

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run a statement that writes; RuntimeError outside of `transaction`."""
        if not self._depth:
            raise RuntimeError("writes belong inside Database.transaction")
        return self._execute(sql, parameters)

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement as a durable transaction of its own, or as part of the one going on, which is durable then.

        Raises StorageError as `transaction`. SQLite begins and commits by itself, which saves two statements.
        """
        if self._depth:
            self._durable = True
            self._execute(sql, parameters)
            return
        self._step("before commit")
        self._execute(sql, parameters)
        self._write_through()
        self._step("after commit")

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement that reads."""
        cursor = self._execute(sql, parameters)
        try:
            return cursor.fetchall()
        except sqlite3.Error as error:  # the damage may be in a later page than the first row
            raise self._unusable(error) from error

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a statement that reads, or None."""
        cursor = self._execute(sql, parameters)
        try:
            row: tuple[Any, ...] | None = cursor.fetchone()
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return row

    def close(self) -> None:
        """Fold the log into the file and close it."""
        if self._wal is not None:
            os.close(self._wal)
            self._wal = None
        if self._witness.known:
            self._witness.closed()
        self._connection.close()


def _make_private(path: Path) -> None:
    """The file, made where it is not there yet, and everything that goes with it: log, index, damaged ones kept aside.

    SQLite gives the files that it makes beside a database the rights of that.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE))
    for each in path.parent.glob(f"{path.name}*"):
        if each.stat().st_mode & 0o077:
            try:
                each.chmod(PRIVATE_FILE)
            except OSError as error:  # somebody else's: that is no reason to stand still
                log.warning("%s is open to others: %s", each, error.strerror)


def _lost_behind(connection: sqlite3.Connection, frames: Log) -> Recovery | None:
    """Whether the log goes on behind what SQLite could read of it."""
    if frames.commits_behind(0) == 0:
        return None
    _, whole, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    lost = frames.commits_behind(max(0, int(whole)))
    return Recovery(None, f"its log was broken in the middle: {lost} changes are lost") if lost else None


def _connect(path: Path) -> sqlite3.Connection:
    return _connected(path)[0]


def _connected(path: Path) -> tuple[sqlite3.Connection, int]:
    """Gives the version the file had, too; 0 for a new one."""
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
        version = _migrate(connection, path)
        if version and not _is_whole(connection, version):
            raise sqlite3.DatabaseError("malformed: tables or columns are not those of this version")
    except BaseException:
        connection.close()
        raise
    return connection, version


def _migrate(connection: sqlite3.Connection, path: Path) -> int:
    """Bring it to the newest version, at once or not at all; gives the version it had, 0 for a new file."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version // GENERATION > len(MIGRATIONS) // GENERATION:
        raise NewerDatabaseError(
            f"{path} was written by a newer program (schema {version}, this one knows {len(MIGRATIONS)}); "
            "install that version again, or start with an empty state directory and lose what is recorded here"
        )
    if version > len(MIGRATIONS):
        log.warning("%s was written by a newer program: schema %d, this one knows %d", path, version, len(MIGRATIONS))
    if version < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")
        for statement in chain.from_iterable(MIGRATIONS[version:]):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    return version


def _is_whole(connection: sqlite3.Connection, version: int) -> bool:
    """Whether it has everything of this program's schema; the file of a newer one may have more in each table."""
    if digest(_schema(connection)) == SCHEMA_DIGEST:
        return True
    look = _columns if version > len(MIGRATIONS) else _schema
    return _expected(look) <= look(connection)


def digest(schema: set[tuple[str, str]]) -> int:
    """A number for a schema: that of an untouched file is known, which saves making another one to compare with."""
    return crc32(repr(sorted(schema)).encode())


def _schema(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    return set(connection.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"))


def _columns(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return set(connection.execute(f"SELECT t.name, c.name FROM ({tables}) AS t, pragma_table_info(t.name) AS c"))


@cache
def _expected(look: Callable[[sqlite3.Connection], set[tuple[str, str]]]) -> set[tuple[str, str]]:
    """What `look` finds in a new file."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _migrate(connection, Path(":memory:"))
        return look(connection)
