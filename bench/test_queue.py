"""The queue of transaction messages: durable put against raw SQLite, delivery, recovery of a long queue."""

import os
import sqlite3
import time
from collections import deque
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.memory import resident_kib

from ocpp.clock import ManualClock
from ocpp.messages import v16
from ocpp.rpc.outbox import Outbox
from ocpp.rpc.waiting import WaitingCall
from ocpp.storage.database import Database

REQUEST = v16.StopTransactionRequest(
    transaction_id=17, id_tag="04A2B3C4", meter_stop=12345, timestamp=datetime(2026, 1, 1, tzinfo=UTC), reason="Local"
)
NOTIFICATION = v16.MeterValuesRequest(
    connector_id=1,
    meter_value=[
        v16.MeterValue(timestamp=datetime(2026, 1, 1, tzinfo=UTC), sampled_value=[v16.SampledValue(value="1")])
    ],
)
PAYLOAD = (
    b'{"transactionId":17,"idTag":"04A2B3C4","meterStop":12345,"timestamp":"2026-01-01T00:00:00Z","reason":"Local"}'
)
INSERT = (
    "INSERT INTO messages (major, action, payload, transaction_id, droppable, created_unix, run, clock_unset)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
CLEAR_REFS = Path("/proc/self/clear_refs")


class _Retry:
    def attempts(self):
        return 3

    def interval(self):
        return 60.0


class _Courier:
    def prepare(self, stored, request):
        return request

    def delivered(self, stored, request, response):
        pass

    def given_up(self, stored, request, error):
        pass


def _outbox(database):
    outbox = Outbox(database, ManualClock(), major=1, run="bench", retry=_Retry(), max_messages=10**7)
    outbox.courier = _Courier()
    return outbox


@pytest.fixture
def database(tmp_path):
    database = Database.open(tmp_path / "bench.db")
    yield database
    database.close()


@contextmanager
def raw_database(place):
    """A connection to an empty database of the same tables, as the floor uses it."""
    Database.open(place / "raw.db").close()
    with closing(sqlite3.connect(place / "raw.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")  # the log is there from now on
        connection.execute("COMMIT")
        yield connection


@pytest.fixture
def raw(tmp_path):
    with raw_database(tmp_path) as connection:
        yield connection


def _insert(connection, transaction):
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(INSERT, (1, "StopTransaction", PAYLOAD, transaction, False, 0.0, "bench", False))
    connection.execute("COMMIT")


@pytest.fixture(scope="module")
def durable_puts(tmp_path_factory):
    """Seconds of durable puts, ours and raw ones in turn, so that both find the disk in the same mood; and our fsyncs."""
    place = tmp_path_factory.mktemp("durable")
    with closing(Database.open(place / "bench.db")) as database, raw_database(place) as connection:
        outbox, log = _outbox(database), os.open(place / "raw.db-wal", os.O_RDWR)
        ours, raw, before = [], [], database.fsyncs
        for _ in range(1000):
            start = time.perf_counter()
            outbox.put(REQUEST, "t")
            between = time.perf_counter()
            _insert(connection, "t")
            os.fdatasync(log)
            raw.append(time.perf_counter() - between)
            ours.append(between - start)
        os.close(log)
        return ours, raw, (database.fsyncs - before) / len(ours)


def test_durable_put_floor(role, measured, durable_puts):
    role("queue: durable put", "floor", "raw SQLite WAL insert, fdatasync")
    measured(*durable_puts[1])


def test_durable_put(role, measured, durable_puts):
    role("queue: durable put", "ours", "Outbox.put")
    measured(*durable_puts[0], fsyncs=durable_puts[2])


def test_put_of_others_floor(benchmark, role, raw):
    role("queue: put of a notification while offline", "floor", "raw SQLite WAL insert")
    benchmark.pedantic(lambda: _insert(raw, None), rounds=1000, warmup_rounds=100)


def test_put_of_others(benchmark, role, database):
    """A notification that is queued while the station is offline: no transaction depends on it, so it costs no fsync."""
    role("queue: put of a notification while offline", "ours", "Outbox.put, droppable")
    outbox = _outbox(database)
    before = database.fsyncs
    benchmark.pedantic(lambda: outbox.put(NOTIFICATION, None, droppable=True), rounds=1000, warmup_rounds=100)
    benchmark.extra_info["metrics"]["fsyncs"] = database.fsyncs - before


def test_in_memory_floor(benchmark, role):
    role("queue: put and take in memory", "floor", "append and popleft of a deque")
    queue = deque()

    def put_and_take():
        queue.append(REQUEST)
        queue.popleft()

    benchmark(put_and_take)


def test_in_memory(benchmark, role):
    """What a call costs in the queue of those that wait for their turn; the future is what its caller waits for."""
    role("queue: put and take in memory", "ours", "a waiting call, without its future")
    queue, done = deque(), None

    def put_and_take():
        queue.append(WaitingCall(REQUEST, "StopTransaction", done, 0))
        queue.popleft()

    benchmark(put_and_take)


def test_put_and_deliver_floor(benchmark, role, raw):
    role("queue: put and deliver, no write-through", "floor", "raw SQLite WAL insert, select, delete")

    def round_trip():
        _insert(raw, "t")
        row = raw.execute("SELECT * FROM messages ORDER BY position LIMIT 1").fetchone()
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("DELETE FROM messages WHERE position = ?", (row[0],))
        raw.execute("COMMIT")

    benchmark(round_trip)


def test_put_and_deliver(benchmark, role, database, monkeypatch):
    role("queue: put and deliver, no write-through", "ours", "Outbox.put, head, delivered")
    monkeypatch.setattr(os, "fdatasync", lambda file: None)
    outbox = _outbox(database)

    def round_trip():
        outbox.put(REQUEST, "t")
        outbox.delivered(*outbox.head(), None)

    benchmark(round_trip)


def test_recovery(benchmark, role, tmp_path):
    role("queue: 100,000 messages after a crash", "ours", "open, and the oldest is ready")
    database = Database.open(tmp_path / "long.db")
    outbox = _outbox(database)
    with database.transaction():
        for _ in range(100_000):
            outbox.put(REQUEST, "t")
    database.close()

    def recover():
        reopened = Database.open(tmp_path / "long.db")
        assert _outbox(reopened).head() is not None
        reopened.close()

    before = resident_kib("VmRSS")
    CLEAR_REFS.write_text("5")  # the high-water mark starts from here
    recover()
    benchmark.extra_info["metrics"]["MiB more"] = max(0, resident_kib("VmHWM") - before) / 1024
    benchmark.pedantic(recover, rounds=3)
