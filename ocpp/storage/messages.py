"""The durable queue of outgoing transaction-related messages, in the order they were made."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ocpp.storage.database import Database

_SELECT = (
    "SELECT position, major, action, payload, transaction_id, droppable, attempts, created_unix, run, clock_unset, "
    "correction_s, offline FROM messages"
)
"""In the order of the fields of `StoredMessage`."""

_OLDEST = f"{_SELECT} ORDER BY position LIMIT ?"


class StoredMessage(msgspec.Struct, frozen=True):
    """A queued message. `order` only grows and is never used again.

    `correction_s` is what its time stamps are wrong by: it was made before the clock was set. `offline`: it waited
    while the connection was lost. `droppable`: it may give way when the queue is full.
    """

    order: int
    major: int
    action: str
    payload: bytes
    transaction: str | None
    droppable: bool
    attempts: int
    created_unix: float
    run: str
    clock_unset: bool
    correction_s: float
    offline: bool


class MessageRepository:
    """Messages on disk. Reading never loads more than it is asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        *,
        major: int,
        action: str,
        payload: bytes,
        transaction: str | None,
        droppable: bool,
        created_unix: float,
        run: str,
        clock_unset: bool,
    ) -> int:
        """Append a message; gives its order. Only what belongs to a transaction is worth a write-through of its own."""
        with self._database.transaction(durable=transaction is not None):
            cursor = self._database.execute(
                "INSERT INTO messages (major, action, payload, transaction_id, droppable, created_unix, run, clock_unset)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (major, action, payload, transaction, droppable, created_unix, run, clock_unset),
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def first(self, count: int) -> list[StoredMessage]:
        """The oldest messages, at most `count`."""
        return [_message(row) for row in self._database.query(_OLDEST, (count,))]

    def first_beside(self, held: Mapping[int, str | None]) -> list[StoredMessage]:
        """The oldest message that is none of `held`, and none of a transaction that one of them belongs to."""
        orders = ",".join(str(order) for order in held)
        transactions = sorted({each for each in held.values() if each is not None})
        places = ",".join("?" * len(transactions))
        rows = self._database.query(
            f"{_SELECT} WHERE position NOT IN ({orders}) AND (transaction_id IS NULL OR transaction_id NOT IN ({places})) "
            "ORDER BY position LIMIT 1",
            tuple(transactions),
        )
        return [_message(row) for row in rows]

    def get(self, order: int) -> StoredMessage | None:
        """The message with that order."""
        row = self._database.one(f"{_SELECT} WHERE position = ?", (order,))
        return _message(row) if row is not None else None

    def last_order(self) -> int:
        """The order of the newest message; 0 for an empty queue."""
        row = self._database.one("SELECT max(position) FROM messages")
        return int(row[0]) if row is not None and row[0] is not None else 0

    def count(self) -> int:
        """How many wait."""
        row = self._database.one("SELECT count(*) FROM messages")
        return int(row[0]) if row is not None else 0

    def has_transaction(self, transaction: str | None) -> bool:
        """Whether a message of that transaction waits; None: of any transaction."""
        condition, values = ("IS NOT NULL", ()) if transaction is None else ("= ?", (transaction,))
        return (
            self._database.one(f"SELECT 1 FROM messages WHERE transaction_id {condition} LIMIT 1", values) is not None
        )

    def remove(self, orders: Iterable[int]) -> int:
        """Forget messages that were answered or given up; gives how many were still there."""
        with self._database.transaction(durable=False):
            execute = self._database.execute
            return sum([execute("DELETE FROM messages WHERE position = ?", (order,)).rowcount for order in orders])

    def record_attempt(self, order: int) -> int:
        """Count a failed attempt; gives how many there were."""
        with self._database.transaction(durable=False):
            self._database.execute("UPDATE messages SET attempts = attempts + 1 WHERE position = ?", (order,))
        row = self._database.one("SELECT attempts FROM messages WHERE position = ?", (order,))
        return int(row[0]) if row is not None else 0

    def mark_offline(self) -> None:
        """Everything that waits was overtaken by a loss of the connection."""
        with self._database.transaction(durable=False):
            self._database.execute("UPDATE messages SET offline = 1 WHERE offline = 0")

    def correct_times(self, run: str, seconds: float) -> int:
        """Note by how much the stamps of that run's messages are wrong, made while its clock was not set."""
        with self._database.transaction():
            cursor = self._database.execute(
                "UPDATE messages SET correction_s = correction_s + ?, clock_unset = 0 WHERE run = ? AND clock_unset = 1",
                (seconds, run),
            )
        return cursor.rowcount

    def correct_older(self, before_unix: float, seconds: float) -> int:
        """The same for messages of other runs that were made before that instant: their clocks were never near the present,
        and nobody else will set them.
        """
        with self._database.transaction():
            cursor = self._database.execute(
                "UPDATE messages SET correction_s = correction_s + ?, clock_unset = 0 "
                "WHERE clock_unset = 1 AND created_unix < ?",
                (seconds, before_unix),
            )
        return cursor.rowcount

    def drop_for_major(self, major: int) -> int:
        """Drop what was queued for a major version that is not spoken; gives how many."""
        with self._database.transaction():
            return self._database.execute("DELETE FROM messages WHERE major = ?", (major,)).rowcount

    def drop_unrelated(self) -> int:
        """Drop every message that belongs to no transaction; gives how many."""
        with self._database.transaction():
            return self._database.execute("DELETE FROM messages WHERE transaction_id IS NULL").rowcount

    def thin_out(self) -> int:
        """Drop every second droppable message of each transaction, first one first (E04.FR.08); gives how many."""
        with self._database.transaction():
            return self._database.execute(
                "DELETE FROM messages WHERE position IN (SELECT position FROM (SELECT position, row_number() OVER "
                "(PARTITION BY transaction_id ORDER BY position) AS nth FROM messages WHERE droppable = 1) "
                "WHERE nth % 2 = 1)"
            ).rowcount


def _message(row: tuple[Any, ...]) -> StoredMessage:
    order, major, action, payload, transaction, droppable, attempts, created_unix, run, unset, correction_s, offline = (
        row
    )
    return StoredMessage(
        order,
        major,
        action,
        payload,
        transaction,
        bool(droppable),
        attempts,
        created_unix,
        run,
        bool(unset),
        correction_s,
        bool(offline),
    )
