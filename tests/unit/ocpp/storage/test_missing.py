"""A log that is gone or spoilt, a database that was emptied, a disk that is full: said, saved as far as it goes, and gone on."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from ocpp.storage.database import Database
from ocpp.storage.migrations import MIGRATIONS
from ocpp.storage.room import RESERVE_BYTES, keep_reserve
from ocpp.storage.state import StateRepository
from ocpp.storage.witness import WAL_HEADER, wal_of


def killed(path: Path, *, folded: int = 0, logged: int = 20) -> None:
    """Leave the files as a killed program does: `folded` values in the file, `logged` ones in its log."""
    if folded:
        database = Database.open(path)
        for number in range(folded):
            StateRepository(database).put(f"folded {number}", "x" * 300)
        database.close()
    database = Database.open(path)
    for number in range(logged):
        StateRepository(database).put(f"logged {number}", "x" * 300)
    copy = path.parent.with_name("copy")
    shutil.copytree(path.parent, copy)
    database.close()
    shutil.rmtree(path.parent)
    copy.rename(path.parent)
    path.with_name(path.name + "-shm").unlink()


def kept(database: Database, kind: str) -> int:
    return int(database.query("SELECT count(*) FROM state WHERE key LIKE ?", (f"{kind}%",))[0][0])


def reopened(path: Path) -> tuple[Database, str]:
    database = Database.open(path)
    assert database.query("PRAGMA user_version") == [(len(MIGRATIONS),)]
    return database, database.recovery.reason if database.recovery is not None else ""


def said(path: Path) -> str:
    """What is said of a database that is opened and closed."""
    database, reason = reopened(path)
    database.close()
    return reason


def test_a_killed_program_loses_nothing_and_nothing_is_said(path):
    killed(path, folded=5)
    database, reason = reopened(path)
    assert (reason, kept(database, "folded"), kept(database, "logged")) == ("", 5, 20)
    database.close()


def test_a_program_that_ended_in_order_is_opened_without_a_word(path):
    for _ in range(3):
        database, reason = reopened(path)
        assert reason == ""
        StateRepository(database).put("a", 1)
        database.close()


def test_a_program_that_only_looks_after_one_that_was_killed_leaves_nothing_to_say(path):
    killed(path, folded=5)
    for _ in range(2):
        database, reason = reopened(path)
        assert (reason, kept(database, "logged")) == ("", 20)
        database.close()


def test_a_database_of_a_release_that_left_no_witness_is_opened_without_a_word(path):
    killed(path, folded=5)
    path.with_name(path.name + ".witness").unlink()
    wal_of(path).unlink()
    assert said(path) == ""


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_log_that_is_missing_is_said(path, how):
    killed(path, folded=5)
    wal_of(path).unlink() if how == "gone" else wal_of(path).write_bytes(b"")
    database, reason = reopened(path)
    assert reason == "its log is gone"
    assert (kept(database, "folded"), kept(database, "logged")) == (5, 0)
    database.close()
    assert said(path) == ""


SPOILT = {
    "random": lambda content: random.Random(1).randbytes(len(content)),
    "zeros": lambda content: bytes(len(content)),
    "short": lambda content: content[:10],
    "a random head": lambda content: random.Random(1).randbytes(WAL_HEADER.size) + content[WAL_HEADER.size :],
    "one bit of the head": lambda content: content[:9] + bytes([content[9] ^ 1]) + content[10:],
    "random frames": lambda content: content[:32] + random.Random(1).randbytes(len(content) - 32),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_log_that_nobody_can_read_is_said_and_kept_for_diagnosis(path, kind):
    killed(path, folded=5)
    spoilt = SPOILT[kind](wal_of(path).read_bytes())
    wal_of(path).write_bytes(spoilt)
    database, reason = reopened(path)
    assert reason == "its log cannot be read"
    assert kept(database, "folded") == 5
    assert database.recovery is not None
    assert database.recovery.moved_to is not None
    assert Path(f"{database.recovery.moved_to}-wal").read_bytes() == spoilt
    database.close()


def test_a_log_that_is_broken_in_the_middle_says_how_much_is_lost(path):
    killed(path, folded=5, logged=20)
    content = bytearray(wal_of(path).read_bytes())
    middle = 32 + (len(content) - 32) // (24 + 4096) // 2 * (24 + 4096) + 1000
    content[middle] ^= 0xFF
    wal_of(path).write_bytes(content)
    database, reason = reopened(path)
    lost = 20 - kept(database, "logged")
    assert 0 < lost < 20
    assert reason == f"its log was broken in the middle: {lost} changes are lost"
    database.close()


@pytest.mark.parametrize("tail", [1, 30, 2000])
def test_a_log_whose_last_frame_is_torn_is_as_a_kill_leaves_it(path, tail):
    killed(path, folded=5)
    frame = wal_of(path).read_bytes()[-4120:]
    with wal_of(path).open("ab") as file:  # a change that was under way when the program died: no end of a transaction
        file.write(frame[:4] + bytes(4) + frame[8 : 8 + tail])
    database, reason = reopened(path)
    assert (reason, kept(database, "logged")) == ("", 20)
    database.close()


@pytest.mark.parametrize("how", ["emptied", "gone"])
def test_a_database_that_was_emptied_is_put_together_again_from_its_log(path, how):
    killed(path)
    path.write_bytes(b"") if how == "emptied" else path.unlink()
    database, reason = reopened(path)
    assert reason == "the file is empty or gone"
    assert kept(database, "logged") == 20
    database.close()
    assert said(path) == ""


def test_a_database_that_was_emptied_and_has_no_log_is_said(path):
    killed(path, folded=5)
    wal_of(path).unlink()
    path.write_bytes(b"")
    database, reason = reopened(path)
    assert (reason, kept(database, "folded")) == ("the file is empty or gone", 0)
    database.close()


def test_a_log_that_was_made_empty_with_its_database_is_said(path):
    killed(path)
    for each in (path, wal_of(path)):
        each.write_bytes(b"")
    assert said(path) == "the file is empty or gone"


def test_a_database_without_tables_in_the_place_of_one_with_them_is_said(path):
    killed(path, folded=5, logged=0)
    wal_of(path).unlink(missing_ok=True)
    import sqlite3

    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    assert said(path) == "it was empty"


# -- a full disk ------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """Four megabytes of a file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no file system can be mounted here; run as root, with CAP_SYS_ADMIN")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill_up(folder: Path) -> None:
    descriptor = os.open(folder / "filler", os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except OSError:
        os.close(descriptor)


def test_a_start_on_a_full_disk_takes_what_was_kept_in_reserve(small_disk):
    path = small_disk / "state" / "station.db"
    killed(path, folded=5)
    keep_reserve(path)
    fill_up(small_disk)
    database = Database.open(path)
    assert kept(database, "logged") == 20
    for number in range(20):  # there is room for some transactions to end
        StateRepository(database).put(f"more {number}", "x" * 300)
    database.close()


def test_a_start_on_a_full_disk_removes_what_is_expendable_one_by_one(small_disk):
    path = small_disk / "state" / "station.db"
    killed(path, folded=5)
    old = [path.parent / f"messages.jsonl.{number}" for number in (2, 1)]
    for each in old:
        each.write_bytes(b"x" * RESERVE_BYTES)
    fill_up(small_disk)
    database = Database.open(path, old)
    assert [each.exists() for each in old] == [False, True]
    assert kept(database, "folded") == 5
    database.close()


def test_a_full_disk_with_nothing_to_spare_is_told_in_words(small_disk):
    from ocpp.errors import StorageError

    path = small_disk / "state" / "station.db"
    killed(path, folded=5)
    fill_up(small_disk)
    with pytest.raises(StorageError):
        Database.open(path)
    (small_disk / "filler").unlink()
    database = Database.open(path)
    assert (kept(database, "logged"), database.recovery) == (20, None)
    database.close()


def test_room_is_kept_only_where_there_is_enough(small_disk):
    path = small_disk / "state" / "station.db"
    Database.open(path).close()
    keep_reserve(path)
    reserve = path.with_name("station.db.reserve")
    assert reserve.stat().st_size == RESERVE_BYTES
    reserve.unlink()
    fill_up(small_disk)
    keep_reserve(path)
    assert not reserve.exists()
