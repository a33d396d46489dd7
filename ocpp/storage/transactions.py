"""Transactions, ongoing and ended not long ago, and the samples kept for their last message."""

from collections.abc import Callable
from typing import Any

import msgspec

from ocpp.storage.database import Database

_COLUMNS = "id, evse_id, connector_id, major, csms_id, active, seq_no, data, started_unix"


class TransactionRecord(msgspec.Struct, frozen=True):
    """A transaction as stored; `data` is the domain's own snapshot, `csms_id` the id a 1.6 CSMS gave it."""

    id: str
    evse_id: int | None
    connector_id: int | None
    major: int
    csms_id: int | None
    active: bool
    seq_no: int
    data: bytes
    started_unix: float


class TransactionRepository:
    """Transactions on disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, record: TransactionRecord) -> None:
        """Insert or update; belongs into the transaction of what changed it. An id from the CSMS is never unset."""
        with self._database.transaction(durable=False):
            self._database.execute(
                f"INSERT INTO transactions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                "evse_id = excluded.evse_id, connector_id = excluded.connector_id, active = excluded.active, "
                "seq_no = excluded.seq_no, data = excluded.data, csms_id = coalesce(excluded.csms_id, csms_id)",
                (
                    record.id,
                    record.evse_id,
                    record.connector_id,
                    record.major,
                    record.csms_id,
                    record.active,
                    record.seq_no,
                    record.data,
                    record.started_unix,
                ),
            )

    def get(self, transaction_id: str) -> TransactionRecord | None:
        """The transaction with that id."""
        row = self._database.one(f"SELECT {_COLUMNS} FROM transactions WHERE id = ?", (transaction_id,))
        return _record(row) if row is not None else None

    def by_csms_id(self, csms_id: int) -> TransactionRecord | None:
        """The newest transaction a CSMS gave that id."""
        row = self._database.one(
            f"SELECT {_COLUMNS} FROM transactions WHERE csms_id = ? ORDER BY active DESC, started_unix DESC LIMIT 1",
            (csms_id,),
        )
        return _record(row) if row is not None else None

    def set_csms_id(self, transaction_id: str, csms_id: int) -> None:
        """The CSMS has given the transaction an id."""
        with self._database.transaction():
            self._database.execute("UPDATE transactions SET csms_id = ? WHERE id = ?", (csms_id, transaction_id))

    def active(self) -> list[TransactionRecord]:
        """Those that have not ended, oldest first."""
        rows = self._database.query(f"SELECT {_COLUMNS} FROM transactions WHERE active = 1 ORDER BY started_unix")
        return [_record(row) for row in rows]

    def has_later(self, evse_id: int, started_unix: float) -> bool:
        """Whether a transaction began at that EVSE after that moment."""
        found = self._database.one(
            "SELECT 1 FROM transactions WHERE evse_id = ? AND started_unix > ? LIMIT 1", (evse_id, started_unix)
        )
        return found is not None

    def all(self) -> list[TransactionRecord]:
        """Every transaction that is remembered, oldest first."""
        return [
            _record(row) for row in self._database.query(f"SELECT {_COLUMNS} FROM transactions ORDER BY started_unix")
        ]

    def remove_ended(self, transaction_id: str) -> None:
        """Forget an ended transaction of which nothing waits to be delivered."""
        with self._database.transaction():
            self._database.execute(
                "DELETE FROM transactions WHERE id = ? AND active = 0 "
                "AND id NOT IN (SELECT transaction_id FROM messages WHERE transaction_id IS NOT NULL)",
                (transaction_id,),
            )

    def prune(self, keep: int) -> None:
        """Forget ended ones beyond the newest `keep`, except those that messages still wait for."""
        with self._database.transaction(durable=False):
            self._database.execute(
                "DELETE FROM transactions WHERE active = 0 AND id NOT IN (SELECT id FROM transactions WHERE active = 0 "
                "ORDER BY started_unix DESC LIMIT ?) AND id NOT IN (SELECT transaction_id FROM messages "
                "WHERE transaction_id IS NOT NULL)",
                (keep,),
            )

    # -- samples --------------------------------------------------------------------------------------------------

    def add_sample(self, transaction_id: str, data: bytes) -> None:
        """Keep a sample for the last message."""
        with self._database.transaction(durable=False):
            self._database.execute(
                "INSERT INTO transaction_samples (transaction_id, data) VALUES (?, ?)", (transaction_id, data)
            )

    def sample_count(self, transaction_id: str) -> int:
        """How many samples are kept."""
        row = self._database.one("SELECT count(*) FROM transaction_samples WHERE transaction_id = ?", (transaction_id,))
        return int(row[0]) if row is not None else 0

    def samples(self, transaction_id: str) -> list[bytes]:
        """The samples kept, oldest first."""
        rows = self._database.query(
            "SELECT data FROM transaction_samples WHERE transaction_id = ? ORDER BY position", (transaction_id,)
        )
        return [row[0] for row in rows]

    def change_samples(self, transaction_id: str, change: Callable[[bytes], bytes]) -> None:
        """Put what `change` makes of each sample in its place."""
        with self._database.transaction(durable=False):
            rows = self._database.query(
                "SELECT position, data FROM transaction_samples WHERE transaction_id = ?", (transaction_id,)
            )
            for position, data in rows:
                self._database.execute(
                    "UPDATE transaction_samples SET data = ? WHERE position = ?", (change(data), position)
                )

    def thin_samples(self, transaction_id: str) -> None:
        """Drop every second sample between the first and the last (E07.FR.10)."""
        with self._database.transaction(durable=False):
            self._database.execute(
                "DELETE FROM transaction_samples WHERE position IN (SELECT position FROM (SELECT position, "
                "row_number() OVER (ORDER BY position) AS nth, count(*) OVER () AS total FROM transaction_samples "
                "WHERE transaction_id = ?) WHERE nth % 2 = 0 AND nth < total)",
                (transaction_id,),
            )

    def drop_samples(self, transaction_id: str) -> None:
        """The samples are in the last message."""
        with self._database.transaction(durable=False):
            self._database.execute("DELETE FROM transaction_samples WHERE transaction_id = ?", (transaction_id,))


def _record(row: tuple[Any, ...]) -> TransactionRecord:
    return TransactionRecord(
        id=row[0],
        evse_id=row[1],
        connector_id=row[2],
        major=row[3],
        csms_id=row[4],
        active=bool(row[5]),
        seq_no=row[6],
        data=row[7],
        started_unix=row[8],
    )
