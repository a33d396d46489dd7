"""Time stamps of transactions made by a clock that had not been set, put right once a CSMS tells the time (B03.FR.01).

What is told is put right when it is sent (`ocpp.rpc.outbox`); this is for what is kept: when a transaction began, when it was
last heard of, and its samples for the last message. Stamps of an earlier run, whose clock was set, stay as they are.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from ocpp.core.events import MeterValue
from ocpp.errors import StorageError
from ocpp.messages.moments import later

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ocpp.clock import Clock
    from ocpp.core.transaction import Transaction, TransactionStore
    from ocpp.storage.database import Database

log = logging.getLogger(__name__)


class Stamps:
    """Corrects the transactions of `ongoing`, in memory and on disk."""

    def __init__(
        self, clock: Clock, database: Database, store: TransactionStore, ongoing: Callable[[], list[Transaction]]
    ) -> None:
        self._clock = clock
        self._database = database
        self._store = store
        self._ongoing = ongoing
        clock.on_first_synchronisation(self._correct, "transactions")

    def _correct(self, correction_s: float) -> None:
        since, until = self._clock.unset_window(self._clock.unix() - correction_s)

        def right(stamp: datetime) -> datetime:
            return later(stamp, round(correction_s)) if since <= stamp.timestamp() <= until else stamp

        def right_sample(sample: bytes) -> bytes:
            value = msgspec.json.decode(sample, type=MeterValue)
            return msgspec.json.encode(msgspec.structs.replace(value, timestamp=right(value.timestamp)))

        try:
            with self._database.transaction():
                for transaction in self._ongoing():
                    _apply(transaction, right)
                    self._store.save(transaction)
                    self._store.change_samples(transaction.id, right_sample)
        except StorageError as error:
            log.error("time stamps of transactions are not put right on disk: %s", error)


def _apply(transaction: Transaction, right: Callable[[datetime], datetime]) -> None:
    transaction.started_at = right(transaction.started_at)
    if transaction.last_at is not None:
        transaction.last_at = right(transaction.last_at)
    if transaction.ended_at is not None:
        transaction.ended_at = right(transaction.ended_at)
