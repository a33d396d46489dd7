"""The state directory: one program in it, and its secrets for nobody else, however it came to be."""

import logging
import os
import stat

import pytest

from hal.registers import RegisterFile
from hal.simulated.simulation_file import SimulationFile
from ocpp.errors import StorageError
from ocpp.station.logging import MessageLog
from ocpp.station.state_directory import StateDirectory
from ocpp.storage.database import Database


@pytest.fixture(autouse=True)
def wide_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def use(path):
    """Make every file that a station keeps there."""
    directory = StateDirectory(path)
    database = Database.open(path / "station.db")
    with database.transaction():
        database.execute("INSERT OR REPLACE INTO state VALUES ('a', '1')")
    log = MessageLog(path / "messages.jsonl")
    log.record(True, b"[]", "2026-01-01T00:00:00Z")
    SimulationFile(path / "simulation.json").write({})
    registers = RegisterFile(path / "registers")
    registers.open()
    found = {each.name: mode(each) for each in path.iterdir()}
    registers.close()
    log.close()
    database.close()
    directory.release()
    return found


@pytest.mark.req("A01.FR.10")
@pytest.mark.parametrize("wide", [None, 0o755, 0o777])
def test_files_are_for_their_owner_only_whatever_the_folder(tmp_path, wide):
    path = tmp_path / "state"
    if wide is not None:
        path.mkdir(mode=wide)
    found = use(path)
    assert {"lock", "station.db", "station.db-wal", "station.db-shm", "messages.jsonl"} <= set(found)
    assert {"simulation.json", "registers"} <= set(found)
    assert {name: each for name, each in found.items() if each != 0o600} == {}


def test_files_that_were_open_to_others_are_not_any_more(tmp_path):
    use(tmp_path)
    other = Database.open(tmp_path / "station.db")  # its log is there, as that of a program that was killed
    kept = [tmp_path / "station.db.damaged-1", tmp_path / "messages.jsonl.1"]
    for each in kept:
        each.write_bytes(b"")
    for each in tmp_path.iterdir():
        each.chmod(0o644)
    (tmp_path / "somebody-elses.txt").write_bytes(b"")
    use(tmp_path)
    other.close()
    open_to_others = [each.name for each in tmp_path.iterdir() if mode(each) & 0o077]
    assert open_to_others == ["somebody-elses.txt"]


@pytest.mark.parametrize(("wide", "told"), [(0o700, False), (0o755, True), (0o710, True)])
def test_a_folder_that_is_open_to_others_is_warned_about(tmp_path, caplog, wide, told):
    path = tmp_path / "state"
    path.mkdir()
    path.chmod(wide)
    with caplog.at_level(logging.WARNING):
        StateDirectory(path).release()
    assert ("is open to others" in caplog.text) is told


def test_a_rescued_database_and_what_is_kept_of_it_are_for_their_owner_only(tmp_path):
    path = tmp_path / "station.db"
    path.write_bytes(b"SQLite format 3\x00" + b"x" * 5000)
    path.chmod(0o644)
    database = Database.open(path)
    assert database.recovery is not None
    assert {each.name: mode(each) for each in tmp_path.iterdir() if mode(each) != 0o600} == {}
    database.close()


def test_two_programs_do_not_share_a_folder(tmp_path):
    first = StateDirectory(tmp_path)
    with pytest.raises(StorageError, match=f"in use by process {os.getpid()}"):
        StateDirectory(tmp_path)
    first.release()
    StateDirectory(tmp_path).release()
