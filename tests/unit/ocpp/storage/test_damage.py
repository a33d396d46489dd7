"""Damaged files: the station starts with what can be saved, and keeps the evidence."""

import logging
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from ocpp.storage.database import Database
from ocpp.storage.messages import MessageRepository
from ocpp.storage.rescue import MAX_KEPT_DAMAGED_FILES
from ocpp.storage.state import StateRepository

PAGE = 4096


def add_message(messages: MessageRepository, number: int) -> int:
    return messages.add(
        major=2,
        action="TransactionEvent",
        payload=b'{"n": %d, "fill": "%s"}' % (number, b"x" * 500),
        transaction="T1",
        droppable=False,
        created_unix=float(number),
        run="run",
        clock_unset=False,
    )


def fill(path: Path, messages: int = 60) -> None:
    database = Database.open(path)
    StateRepository(database).put("boot", "PowerUp")
    repository = MessageRepository(database)
    with database.transaction():
        for number in range(messages):
            add_message(repository, number)
    database.close()


def root_page(path: Path, table: str) -> int:
    connection = sqlite3.connect(path)
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    connection.close()
    return int(root)


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def break_table(path: Path, table: str) -> None:
    overwrite(path, (root_page(path, table) - 1) * PAGE, b"\xff" * PAGE)


def damaged(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir() if ".damaged-" in file.name)


def test_a_file_that_is_no_database_is_moved_aside_and_a_new_one_begun(path):
    path.parent.mkdir()
    path.write_bytes(b"this is no database at all" * 1000)
    database = Database.open(path)
    assert database.recovery is not None
    assert database.recovery.moved_to.read_bytes().startswith(b"this is no database")
    assert MessageRepository(database).count() == 0
    database.close()


def test_a_damaged_table_costs_that_table_only(path):
    fill(path)
    break_table(path, "token_cache")
    database = Database.open(path)
    assert database.recovery is not None
    assert database.recovery.lost_tables == ("token_cache",)
    assert database.recovery.saved["messages"] == 60
    assert [message.created_unix for message in MessageRepository(database).first(3)] == [0.0, 1.0, 2.0]
    assert StateRepository(database).get("boot") == "PowerUp"
    database.close()


def test_the_messages_saved_keep_their_order_and_content(path):
    fill(path)
    original = sqlite3.connect(path)
    before = original.execute("SELECT position, payload FROM messages ORDER BY position").fetchall()
    original.close()
    break_table(path, "token_cache")
    database = Database.open(path)
    assert [(message.order, message.payload) for message in MessageRepository(database).first(100)] == before
    database.close()


def test_what_happened_is_logged_in_words(path, caplog):
    fill(path)
    break_table(path, "token_cache")
    with caplog.at_level(logging.WARNING):
        database = Database.open(path)
    assert "database was damaged" in caplog.text
    assert "61 rows saved; not readable: token_cache" in str(database.recovery)
    database.close()


def test_the_next_start_finds_a_healthy_database(path):
    fill(path)
    break_table(path, "token_cache")
    Database.open(path).close()
    database = Database.open(path)
    assert database.recovery is None
    assert MessageRepository(database).count() == 60
    database.close()


def leaf_pages(path: Path, table: str) -> list[int]:
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(
            "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", (table,)
        ).fetchall()
    except sqlite3.OperationalError:
        pytest.skip("this SQLite tells no pages (dbstat is not compiled in)")
    finally:
        connection.close()
    return [row[0] for row in rows]


def test_the_rows_before_the_damage_are_saved(path):
    fill(path)
    overwrite(path, (leaf_pages(path, "messages")[-1] - 1) * PAGE, b"\xff" * PAGE)
    database = Database.open(path)
    orders = [message.order for message in MessageRepository(database).first(100)]
    assert orders == list(range(1, len(orders) + 1))
    assert 0 < len(orders) < 60
    assert database.recovery is not None
    assert "messages" in database.recovery.lost_tables
    database.close()


def test_the_account_of_the_rescue_counts_the_rows_of_a_table_that_was_read_in_part(path):
    fill(path)
    overwrite(path, (leaf_pages(path, "messages")[-1] - 1) * PAGE, b"\xff" * PAGE)
    database = Database.open(path)
    assert database.recovery is not None
    assert database.recovery.saved.get("messages") == MessageRepository(database).count()
    database.close()


def test_an_order_is_not_used_again_after_a_rescue(path):
    database = Database.open(path)
    messages = MessageRepository(database)
    last = [add_message(messages, number) for number in range(5)][-1]
    messages.remove([message.order for message in messages.first(10)])
    database.close()
    break_table(path, "token_cache")
    database = Database.open(path)
    assert add_message(MessageRepository(database), 6) > last
    database.close()


def test_only_a_few_damaged_files_are_kept_the_oldest_give_way(path):
    path.parent.mkdir()
    for number in range(MAX_KEPT_DAMAGED_FILES + 3):
        path.write_bytes(b"broken %d" % number * 1000)
        Database.open(path).close()
        path.unlink()
    kept = damaged(path)
    assert len(kept) == MAX_KEPT_DAMAGED_FILES
    assert kept[-1].endswith(f"-{MAX_KEPT_DAMAGED_FILES + 3}")


def leave_a_log(path: Path) -> None:
    """The station dies with rows in the write-ahead log, as in a power cut: files copied while it lives."""
    database = Database.open(path)
    with database.transaction():
        StateRepository(database).put("boot", "PowerUp")
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    shutil.copy(f"{path}-wal", f"{copy}-wal")
    database.close()
    shutil.move(copy, path)
    shutil.move(f"{copy}-wal", f"{path}-wal")


def test_rows_that_are_only_in_the_log_are_there_after_a_power_cut(path):
    leave_a_log(path)
    database = Database.open(path)
    assert database.recovery is None
    assert StateRepository(database).get("boot") == "PowerUp"
    database.close()


def test_what_a_rescue_cut_short_left_behind_does_not_keep_the_station_from_starting(path):
    """A power cut while a file is being rescued leaves the moved file's log beside it."""
    path.parent.mkdir()
    path.write_bytes(b"broken again" * 1000)
    path.with_name(f"{path.name}.damaged-1").write_bytes(b"broken" * 1000)
    path.with_name(f"{path.name}.damaged-1-wal").write_bytes(b"broken" * 1000)
    Database.open(path).close()
    assert f"{path.name}.damaged-2" in damaged(path)


def damage_at_random(path: Path, seed: int) -> None:
    """Overwrite a few stretches. The schema version is spared: a file that claims to be newer is refused on purpose."""
    rng = random.Random(seed)
    size = path.stat().st_size
    for _ in range(rng.randint(1, 6)):
        offset = rng.randrange(size if rng.random() < 0.7 else PAGE)
        data = rng.randbytes(rng.choice((1, 16, 512, PAGE)))
        if not (offset < 64 and offset + len(data) > 60):
            overwrite(path, offset, data)
    if rng.random() < 0.2:
        with path.open("r+b") as file:
            file.truncate(rng.randrange(size))


def test_a_station_starts_and_writes_whatever_part_of_the_file_is_damaged(tmp_path):
    whole = tmp_path / "whole.db"
    fill(whole, messages=20)
    refused: dict[int, str] = {}
    for seed in range(150):
        path = tmp_path / str(seed) / "station.db"
        path.parent.mkdir()
        shutil.copy(whole, path)
        damage_at_random(path, seed)
        try:
            database = Database.open(path)
        except (OSError, ValueError) as error:
            refused[seed] = repr(error)[:100]
            continue
        StateRepository(database).put("after", True)
        add_message(MessageRepository(database), 1)
        database.close()
        again = Database.open(path)
        assert StateRepository(again).get("after") is True, seed
        again.close()
        shutil.rmtree(path.parent)
    assert refused == {}


def test_a_damaged_format_number_in_the_header_counts_as_damage(path):
    fill(path)
    overwrite(path, 44, b"\xff\xff\xff\xff")
    database = Database.open(path)
    assert database.recovery is not None
    database.close()


def test_a_text_with_a_damaged_byte_does_not_cost_the_rows_behind_it(path):
    fill(path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE messages SET run = CAST(x'72ff6e' AS TEXT) WHERE position = 2")
    connection.commit()
    connection.close()
    break_table(path, "token_cache")
    database = Database.open(path)
    assert [message.order for message in MessageRepository(database).first(100)] == list(range(1, 61))
    database.close()


def test_a_file_beside_it_with_a_strange_name_is_no_kept_one(path):
    fill(path)
    strange = path.with_name(f"{path.name}.damaged-\u00b2")
    strange.touch()
    break_table(path, "token_cache")
    Database.open(path).close()
    assert strange.exists()
