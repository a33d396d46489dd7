"""The queue of transaction messages: durable put against raw SQLite, delivery, recovery of a long queue."""

import os
import sqlite3
from collections import deque
from datetime import UTC, datetime

import pytest

from ocpp.clock import ManualClock
from ocpp.messages import v16
from ocpp.rpc.endpoint import _Waiting
from ocpp.rpc.outbox import Outbox
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


def test_durable_put_floor(benchmark, role, tmp_path):
    role("queue: durable put", "floor", "raw SQLite WAL insert, fdatasync")
    connection = sqlite3.connect(tmp_path / "raw.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE messages (position INTEGER PRIMARY KEY, action TEXT, payload BLOB, created REAL)")
    log = os.open(tmp_path / "raw.db-wal", os.O_RDWR)

    def put():
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT INTO messages (action, payload, created) VALUES (?, ?, ?)", ("StopTransaction", PAYLOAD, 0.0)
        )
        connection.execute("COMMIT")
        os.fdatasync(log)

    benchmark.pedantic(put, rounds=1000)
    os.close(log)
    connection.close()


def test_durable_put(benchmark, role, database):
    role("queue: durable put", "ours", "Outbox.put")
    outbox = _outbox(database)
    before = database.fsyncs
    benchmark.pedantic(lambda: outbox.put(REQUEST, "t"), rounds=1000)
    outbox.put(REQUEST, "t")
    fsyncs = database.fsyncs - before - 1000
    benchmark.extra_info["metrics"]["fsyncs"] = fsyncs


def test_put_of_others(benchmark, role, database):
    """A notification that is queued while the station is offline: no transaction depends on it, so it costs no fsync."""
    role("queue: put of a notification while offline", "ours", "Outbox.put, droppable")
    outbox = _outbox(database)
    before = database.fsyncs
    benchmark.pedantic(lambda: outbox.put(NOTIFICATION, None, droppable=True), rounds=1000)
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
        queue.append(_Waiting(REQUEST, done, 0))
        queue.popleft()

    benchmark(put_and_take)


def test_put_and_deliver_floor(benchmark, role, tmp_path):
    role("queue: put and deliver, no write-through", "floor", "raw SQLite WAL insert, select, delete")
    connection = sqlite3.connect(tmp_path / "raw.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE messages (position INTEGER PRIMARY KEY, action TEXT, payload BLOB, created REAL)")

    def round_trip():
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT INTO messages (action, payload, created) VALUES (?, ?, ?)", ("StopTransaction", PAYLOAD, 0.0)
        )
        connection.execute("COMMIT")
        row = connection.execute("SELECT * FROM messages ORDER BY position LIMIT 1").fetchone()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM messages WHERE position = ?", (row[0],))
        connection.execute("COMMIT")

    benchmark(round_trip)
    connection.close()


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

    benchmark.pedantic(recover, rounds=3)
