"""The process dies (SIGKILL) before or after every commit of a session, in turn; what is found afterwards is whole."""

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ocpp.storage import database as database_module
from ocpp.storage import rescue as rescue_module
from ocpp.storage.database import Database
from ocpp.storage.messages import MessageRepository
from ocpp.storage.state import StateRepository
from ocpp.storage.tokens import TokenRepository
from ocpp.storage.transactions import TransactionRecord, TransactionRepository

# Newer Pythons warn of a fork beside threads (those of a parallel test run); the child touches none of them.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

UPDATES = 3


class Session:
    """A charging session as the domain writes it: a message and the state it tells about, in one transaction."""

    def __init__(self, database: Database, tell: Callable[[str], None] = lambda fact: None) -> None:
        self.database = database
        self.messages = MessageRepository(database)
        self.transactions = TransactionRepository(database)
        self.tokens = TokenRepository(database)
        self.tell = tell

    def event(self, seq_no: int, *, active: bool) -> None:
        with self.database.transaction():
            self.messages.add(
                major=2,
                action="TransactionEvent",
                payload=json.dumps({"seqNo": seq_no}).encode(),
                transaction="T1",
                droppable=0 < seq_no <= UPDATES,
                created_unix=float(seq_no),
                run="run",
                clock_unset=False,
            )
            self.transactions.save(
                TransactionRecord("T1", 1, 1, 2, None, active, seq_no, b"%d" % seq_no, started_unix=0.0)
            )
        self.tell(f"stored {seq_no}")

    def deliver(self) -> None:
        message = self.messages.first(1)[0]
        self.tell(f"sent {json.loads(message.payload)['seqNo']}")
        with self.database.transaction(durable=False):
            self.messages.remove([message.order])
        self.tell(f"removed {json.loads(message.payload)['seqNo']}")

    def run(self) -> None:
        self.tokens.replace_list(1, {("A", ""): b"1", ("B", ""): b"1"})
        self.tell("list 1")
        self.event(0, active=True)
        for seq_no in range(1, UPDATES + 1):
            self.event(seq_no, active=True)
            self.deliver()
        self.tokens.update_list(2, {("A", ""): None, ("B", ""): b"2", ("C", ""): b"2"})
        self.tell("list 2")
        self.event(UPDATES + 1, active=False)
        while self.messages.count():
            self.deliver()


def in_a_child(work: Callable[[Callable[[str], None]], None]) -> tuple[list[str], int]:
    """What a child process told before it ended, and the signal that ended it (0: none)."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            work(lambda fact: os.write(writing, f"{fact}\n".encode()) and None)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read().splitlines()
    status = os.waitpid(child, 0)[1]
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, told
    return told, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run_until(path: Path, fatal: int | None) -> tuple[list[str], int]:
    """Run the session in a child that dies at the step of that number; `None`: at none, and steps are told."""

    def work(tell: Callable[[str], None]) -> None:
        database = Database.open(path)
        steps = 0

        def step(name: str) -> None:
            nonlocal steps
            if steps == fatal:
                die()
            steps += 1
            if fatal is None:
                tell(f"step {name}")

        database.on_step = step
        Session(database, tell).run()
        database.close()

    return in_a_child(work)


def count_steps(tmp_path: Path) -> int:
    told, signalled = run_until(tmp_path / "whole.db", None)
    assert not signalled
    return sum(fact.startswith("step") for fact in told)


def numbers(told: list[str], what: str) -> list[int]:
    return [int(fact.split()[1]) for fact in told if fact.startswith(what)]


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> int:
    return count_steps(tmp_path_factory.mktemp("count"))


def test_the_session_has_a_step_before_and_after_every_commit(steps):
    lists, events = 2, UPDATES + 2
    assert steps == 2 * (lists + events + events)


@pytest.mark.req("E04.FR.01")
def test_nothing_is_lost_doubled_or_reordered_wherever_the_process_dies(tmp_path, steps):
    for fatal in range(steps):
        path = tmp_path / f"{fatal}.db"
        told, signalled = run_until(path, fatal)
        assert signalled == signal.SIGKILL
        database = Database.open(path)
        session = Session(database)
        waiting = session.messages.first(100)
        found = [json.loads(message.payload)["seqNo"] for message in waiting]
        stored, removed = numbers(told, "stored"), numbers(told, "removed")
        context = (fatal, told, found)

        assert found == sorted(set(found)), context
        assert [message.order for message in waiting] == sorted(message.order for message in waiting), context
        assert set(stored) - set(numbers(told, "sent")) <= set(found), context
        assert not set(removed) & set(found), context
        assert database.recovery is None, context
        database.close()


@pytest.mark.req("E04.FR.04")
def test_the_transaction_on_disk_agrees_with_its_newest_message_wherever_the_process_dies(tmp_path, steps):
    for fatal in range(steps):
        path = tmp_path / f"{fatal}.db"
        told, _ = run_until(path, fatal)
        database = Database.open(path)
        session = Session(database)
        record = session.transactions.get("T1")
        seen = {json.loads(message.payload)["seqNo"] for message in session.messages.first(100)}
        seen |= set(numbers(told, "stored")) | set(numbers(told, "sent"))
        if record is None:
            assert not seen, (fatal, told)
        else:
            assert record.seq_no == max(seen), (fatal, told)
            assert record.data == b"%d" % record.seq_no
            assert record.active == (record.seq_no <= UPDATES)
        database.close()


@pytest.mark.req("D01.FR.10")
def test_the_local_list_is_the_old_one_or_the_new_one_wherever_the_process_dies(tmp_path, steps):
    states = {0: (None, None, None), 1: (b"1", b"1", None), 2: (None, b"2", b"2")}
    for fatal in range(steps):
        path = tmp_path / f"{fatal}.db"
        told, _ = run_until(path, fatal)
        database = Database.open(path)
        tokens = TokenRepository(database)
        version = tokens.list_version()
        assert tuple(tokens.list_entry((token, "")) for token in "ABC") == states[version], (fatal, told)
        assert version >= max(numbers(told, "list"), default=0), (fatal, told)
        database.close()


def test_a_new_file_is_whole_wherever_the_process_dies_while_it_is_made(tmp_path):
    """The schema is written in one transaction per step: dying between statements leaves the version before."""
    statements = sum(len(step) for step in database_module.MIGRATIONS)
    for fatal in range(statements + 1):
        path = tmp_path / f"{fatal}.db"

        def work(tell: Callable[[str], None], path: Path = path, fatal: int = fatal) -> None:
            seen = 0

            def trace(sql: str) -> None:
                nonlocal seen
                if sql.startswith("CREATE"):
                    if seen == fatal:
                        die()
                    seen += 1

            connect = sqlite3.connect

            def traced(*arguments: object, **more: object) -> sqlite3.Connection:
                connection = connect(*arguments, **more)
                connection.set_trace_callback(trace)
                return connection

            sqlite3.connect = traced
            Database.open(path).close()

        in_a_child(work)
        database = Database.open(path)
        assert database.recovery is None
        assert StateRepository(database).get("a") is None
        database.close()


@pytest.mark.parametrize("survived", range(len(rescue_module.TABLES)))
def test_a_rescue_that_is_cut_short_can_be_made_again(tmp_path, survived):
    """Dying while a damaged file is being rescued must not cost what could still be read of it."""
    path = tmp_path / "station.db"
    database = Database.open(path)
    session = Session(database)
    session.event(0, active=True)
    session.tokens.replace_list(7, {("A", ""): b"1"})
    database.close()
    break_token_cache(path)

    def work(tell: Callable[[str], None]) -> None:
        copy, copied = rescue_module._copy_table, 0

        def copy_or_die(source: object, target: object, table: str) -> tuple[int, bool]:
            nonlocal copied
            if copied == survived:
                die()
            copied += 1
            return copy(source, target, table)

        rescue_module._copy_table = copy_or_die
        Database.open(path)

    _, signalled = in_a_child(work)
    assert signalled == signal.SIGKILL
    database = Database.open(path)
    assert MessageRepository(database).count() == 1
    assert TransactionRepository(database).get("T1") is not None
    assert TokenRepository(database).list_entry(("A", "")) == b"1"
    database.close()


def break_token_cache(path: Path) -> None:
    connection = sqlite3.connect(path)
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'token_cache'").fetchone()[0]
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
