"""The file of a newer program, as it is found when an upgrade was taken back."""

import sqlite3
from contextlib import closing

import pytest

from ocpp.errors import NewerDatabaseError
from ocpp.storage.database import Database
from ocpp.storage.migrations import GENERATION, MIGRATIONS
from ocpp.storage.state import StateRepository


def test_a_file_of_a_later_generation_is_refused_and_left_alone(path):
    Database.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {GENERATION}")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(NewerDatabaseError, match="newer program"):
        Database.open(path)
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]


def test_a_file_of_a_newer_program_is_used_as_it_is(path, extend, caplog):
    database = Database.open(path)
    StateRepository(database).put("a", 1)
    database.close()
    extend(path)
    database = Database.open(path)
    assert "newer program" in caplog.text
    assert (database.recovery, StateRepository(database).get("a")) == (None, 1)
    assert database.one("PRAGMA user_version") == (len(MIGRATIONS) + 1,)
    assert database.one("SELECT added FROM state") == ("new",)
    database.close()


@pytest.mark.parametrize("change", ["DROP TABLE monitors", "ALTER TABLE state RENAME COLUMN value TO other"])
def test_a_file_of_a_newer_program_that_lacks_something_is_damaged(path, extend, change):
    Database.open(path).close()
    extend(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(change)
    database = Database.open(path)
    assert database.recovery is not None
    assert database.one("PRAGMA user_version") == (len(MIGRATIONS),)
    database.close()
