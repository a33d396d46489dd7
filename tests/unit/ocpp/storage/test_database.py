import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ocpp.errors import StorageError
from ocpp.storage.database import WAL_CHECKPOINT_PAGES, Database, digest
from ocpp.storage.migrations import MIGRATIONS, SCHEMA_DIGEST, TABLES
from ocpp.storage.state import StateRepository

COUNT = "SELECT count(*) FROM state"


def keys(database: Database) -> list[str]:
    return [row[0] for row in database.query("SELECT key FROM state ORDER BY key")]


def put(database: Database, key: str) -> None:
    database.execute("INSERT INTO state VALUES (?, '1')", (key,))


def put_and_fail(database: Database, key: str) -> None:
    with database.transaction():
        put(database, key)
        raise ZeroDivisionError


def put_too_much(database: Database, key: str) -> None:
    with database.transaction():
        put(database, key)
        database.execute("INSERT INTO state VALUES ('big', ?)", ("x" * 1_000_000,))


def other_connection(database: Database) -> sqlite3.Connection:
    return sqlite3.connect(database.path, isolation_level=None)


def write(database: Database, key: str, value: str = "1") -> None:
    database.write("INSERT INTO state VALUES (?, ?)", (key, value))


def write_and_fail(database: Database, key: str) -> None:
    with database.transaction():
        write(database, key)
        raise ZeroDivisionError


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database.open(path)
    yield database
    database.close()


# -- opening ----------------------------------------------------------------------------------------------------------


def test_a_new_database_makes_its_directory_and_has_every_table(database):
    found = {row[0] for row in database.query("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert set(TABLES) <= found
    assert database.path.parent.is_dir()
    assert database.recovery is None


def test_every_table_of_the_schema_is_among_those_saved_from_a_damaged_file(database):
    found = {row[0] for row in database.query("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {name for name in found if not name.startswith("sqlite_")} == set(TABLES)


def test_the_file_says_which_schema_it_has(database):
    assert database.one("PRAGMA user_version") == (len(MIGRATIONS),)


def test_the_digest_is_that_of_the_schema(database):
    schema = set(database.query("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"))
    assert digest(schema) == SCHEMA_DIGEST


def test_what_was_written_is_there_after_reopening(path):
    database = Database.open(path)
    with database.transaction():
        put(database, "a")
    database.close()
    again = Database.open(path)
    assert keys(again) == ["a"]
    again.close()


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
def test_a_file_of_any_older_schema_is_brought_up_to_date(path, version):
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    for statements in MIGRATIONS[:version]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.commit()
    connection.close()
    database = Database.open(path)
    assert database.recovery is None
    assert database.one("PRAGMA user_version") == (len(MIGRATIONS),)
    assert database.one("PRAGMA quick_check") == ("ok",)
    database.close()


def test_a_directory_that_cannot_be_made_is_told_in_words(tmp_path):
    (tmp_path / "state").write_text("a file where the directory should be")
    with pytest.raises(StorageError, match="state directory"):
        Database.open(tmp_path / "state" / "station.db")


def test_a_path_that_is_a_directory_is_told_in_words(tmp_path):
    with pytest.raises(StorageError, match="cannot be opened"):
        Database.open(tmp_path)


# -- transactions -----------------------------------------------------------------------------------------------------


def test_a_write_outside_of_a_transaction_is_a_mistake_of_the_program(database):
    with pytest.raises(RuntimeError, match="writes belong inside"):
        put(database, "a")


def test_a_transaction_that_raises_leaves_nothing(database):
    with pytest.raises(ZeroDivisionError):
        put_and_fail(database, "a")
    assert keys(database) == []


def test_the_database_is_usable_after_a_transaction_that_raised(database):
    with pytest.raises(ZeroDivisionError), database.transaction():
        raise ZeroDivisionError
    with database.transaction():
        put(database, "a")
    assert keys(database) == ["a"]


def test_an_exception_in_a_nested_transaction_takes_the_outer_one_with_it(database):
    with pytest.raises(ZeroDivisionError), database.transaction():
        put_and_fail(database, "a")
    assert keys(database) == []


def test_nothing_is_visible_to_others_before_the_outermost_transaction_ends(database):
    other = other_connection(database)
    with database.transaction():
        with database.transaction():
            put(database, "a")
        assert other.execute("SELECT count(*) FROM state").fetchone() == (0,)
    assert other.execute("SELECT count(*) FROM state").fetchone() == (1,)
    other.close()


def test_a_durable_transaction_is_one_fsync_however_much_it_holds(database):
    with database.transaction():
        for number in range(20):
            with database.transaction():
                put(database, f"{number:02}")
    assert database.fsyncs == 1


def test_a_transaction_that_need_not_survive_a_power_cut_costs_no_fsync(database):
    with database.transaction(durable=False):
        put(database, "a")
    assert database.fsyncs == 0


def test_a_durable_transaction_inside_makes_the_outer_one_durable(database):
    with database.transaction(durable=False), database.transaction():
        put(database, "a")
    assert database.fsyncs == 1


def test_a_transaction_is_durable_only_when_asked_again(database):
    with database.transaction():
        put(database, "a")
    with database.transaction(durable=False):
        put(database, "b")
    assert database.fsyncs == 1


def test_a_write_is_a_durable_transaction_of_its_own(database):
    steps: list[tuple[str, int]] = []
    database.on_step = lambda name: steps.append((name, other_connection(database).execute(COUNT).fetchone()[0]))
    before = database.fsyncs
    write(database, "a")
    assert database.fsyncs == before + 1
    assert steps == [("before commit", 0), ("after commit", 1)]


def test_a_write_inside_joins_the_transaction_and_makes_it_durable(database):
    before = database.fsyncs
    with database.transaction(durable=False):
        write(database, "a")
        assert other_connection(database).execute(COUNT).fetchone()[0] == 0
    assert (database.fsyncs, keys(database)) == (before + 1, ["a"])
    with pytest.raises(ZeroDivisionError):
        write_and_fail(database, "b")
    assert keys(database) == ["a"]


def test_a_write_for_which_there_is_no_room_leaves_what_was_there(database):
    write(database, "a")
    fill(database)
    before = database.fsyncs
    with pytest.raises(StorageError, match="full"):
        write(database, "big", "x" * 1_000_000)
    assert (database.fsyncs, keys(database)) == (before, ["a"])
    database.query("PRAGMA max_page_count = 1000000")
    write(database, "b")
    assert keys(database) == ["a", "b"]


def test_the_log_is_on_disk_before_a_durable_transaction_ends(database, monkeypatch):
    synced: list[tuple[str, list[str]]] = []
    real = os.fdatasync

    def fdatasync(descriptor: int) -> None:
        synced.append((os.readlink(f"/proc/self/fd/{descriptor}"), keys(database)))
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    with database.transaction():
        put(database, "a")
    assert synced == [(f"{database.path}-wal", ["a"])]


def test_the_log_that_is_synced_is_still_the_right_file_after_a_checkpoint(database):
    with database.transaction():
        put(database, "a")
    other = other_connection(database)
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    with database.transaction():
        put(database, "b")
    assert os.fstat(database._log_file()).st_ino == Path(f"{database.path}-wal").stat().st_ino
    assert os.fstat(database._log_file()).st_size > 0


def test_steps_are_announced_around_every_commit(database):
    steps: list[tuple[str, int]] = []
    other = other_connection(database)
    database.on_step = lambda name: steps.append((name, other.execute("SELECT count(*) FROM state").fetchone()[0]))
    with database.transaction(), database.transaction(durable=False):
        put(database, "a")
    assert steps == [("before commit", 0), ("after commit", 1)]
    other.close()


def test_the_write_ahead_log_stays_bounded(database):
    page = database.one("PRAGMA page_size")[0]
    for number in range(3000):
        with database.transaction(durable=False):
            database.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (str(number % 50), "x" * 3000))
    frame = page + 24
    assert Path(f"{database.path}-wal").stat().st_size < 2 * WAL_CHECKPOINT_PAGES * frame


def test_closing_folds_the_log_into_the_file(path):
    database = Database.open(path)
    with database.transaction():
        put(database, "a")
    database.close()
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, f"{path.name}.witness"]


# -- a disk that fails ------------------------------------------------------------------------------------------------


def fill(database: Database) -> None:
    """From now on the file may not grow: what SQLite does on a full disk."""
    pages = database.one("PRAGMA page_count")[0]
    database.query(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_is_told_in_words_and_leaves_what_was_there(database):
    with database.transaction():
        put(database, "a")
    fill(database)
    with pytest.raises(StorageError, match="full"):
        put_too_much(database, "b")
    assert keys(database) == ["a"]


def test_the_station_goes_on_when_there_is_room_again(database):
    fill(database)
    with pytest.raises(StorageError):
        put_too_much(database, "b")
    database.query("PRAGMA max_page_count = 1000000")
    with database.transaction():
        put(database, "a")
    assert keys(database) == ["a"]


def test_a_sync_that_fails_is_told_and_not_counted(database, monkeypatch, caplog):
    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with database.transaction():
        put(database, "a")
    monkeypatch.setattr(os, "fdatasync", broken)
    with database.transaction():
        put(database, "b")
    assert "does not confirm" in caplog.text
    assert (database.fsyncs, keys(database)) == (1, ["a", "b"])


def test_a_failed_sync_does_not_keep_the_next_transaction_from_working(database, monkeypatch):
    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", broken)
        with database.transaction():
            put(database, "a")
    with database.transaction():
        put(database, "b")
    assert keys(database) == ["a", "b"]


def test_a_database_that_another_program_holds_is_told_in_words(database):
    database.query("PRAGMA busy_timeout = 0")
    other = other_connection(database)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked"), database.transaction():
        put(database, "a")
    other.execute("ROLLBACK")
    other.close()


def test_a_database_that_another_program_held_works_again_afterwards(database):
    database.query("PRAGMA busy_timeout = 0")
    other = other_connection(database)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError), database.transaction():
        put(database, "a")
    other.execute("ROLLBACK")
    other.close()
    with pytest.raises(ZeroDivisionError):
        put_and_fail(database, "a")
    assert keys(database) == []


def test_reading_needs_no_transaction(database):
    StateRepository(database).put("a", 1)
    assert database.query("SELECT value FROM state") == [("1",)]
    assert database.one("SELECT value FROM state WHERE key = 'b'") is None


def test_a_statement_that_is_wrong_is_a_storage_error(database):
    with pytest.raises(StorageError, match="no such table"):
        database.query("SELECT * FROM absent")


def test_an_error_while_rows_are_read_is_told_in_words(database):
    with database.transaction():
        database.execute("INSERT INTO state VALUES ('a', CAST(x'ff' AS TEXT))")
    with pytest.raises(StorageError, match="cannot be used"):
        database.query("SELECT value FROM state")
    with pytest.raises(StorageError, match="cannot be used"):
        database.one("SELECT value FROM state")


def fail_with(database: Database, *actions: Callable[[], object]) -> None:
    with database.transaction():
        for action in actions:
            database.undo(action)
        raise ZeroDivisionError


def test_memory_is_put_back_newest_change_first(database):
    undone: list[str] = []
    with pytest.raises(ZeroDivisionError):
        fail_with(database, lambda: undone.append("first"), lambda: undone.append("second"))
    assert undone == ["second", "first"]


def test_memory_is_put_back_even_when_one_part_of_that_fails(database):
    undone: list[str] = []

    def fail() -> None:
        raise StorageError("the disk is broken")

    with pytest.raises(StorageError):
        fail_with(database, lambda: undone.append("first"), fail, lambda: undone.append("second"))
    assert undone == ["second", "first"]
    with database.transaction():
        put(database, "a")
    assert keys(database) == ["a"]


def test_what_was_committed_is_not_put_back_later(database):
    undone: list[str] = []
    with database.transaction():
        database.undo(lambda: undone.append("committed"))
    with pytest.raises(ZeroDivisionError):
        fail_with(database)
    assert undone == []
