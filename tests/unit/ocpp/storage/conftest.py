import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ocpp.storage.database import Database
from ocpp.storage.migrations import MIGRATIONS, TABLES


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "station.db"


def add_to(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for table in TABLES:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN added TEXT NOT NULL DEFAULT 'new'")
        connection.execute("CREATE TABLE added (id INTEGER PRIMARY KEY, data BLOB NOT NULL)")
        connection.execute("CREATE INDEX messages_by_added ON messages (added)")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


@pytest.fixture
def extend() -> Callable[[Path], None]:
    """Makes of a file what a newer program of the same generation would leave."""
    return add_to


@pytest.fixture(params=["own file", "file of a newer program"])
def database(path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Every repository works on both: an upgrade may be taken back."""
    database = Database.open(path)
    if request.param != "own file":
        database.close()
        add_to(path)
        database = Database.open(path)
    yield database
    database.close()
