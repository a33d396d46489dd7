"""The durable queue of transaction-related messages: on disk before they are sent, gone when answered or given up.

Order never changes, over any crash. A message that the CSMS fails to process is sent again by the retry rule
(E13.FR.02-04; 1.6 section 3.7.1); one whose answer was lost with the connection is sent again with the same content
and does not count as an attempt. One with which connections die goes last, and what follows in its transaction behind it.

What gives way when the bound is reached, in this order: messages about no transaction, intermediate messages already
queued (`droppable`, every second one, never the first or last of a transaction: E04.FR.07-08), then new intermediate
messages. Messages that start or end a transaction are always taken; `full` tells the station to accept no new ones.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import msgspec

from ocpp.clock import PLAUSIBLE_SINCE, Clock
from ocpp.errors import CallError
from ocpp.messages import Catalogue, catalogue
from ocpp.messages.moments import later
from ocpp.rpc.suspects import Suspects
from ocpp.storage.database import Database
from ocpp.storage.messages import MessageRepository, StoredMessage
from ocpp.storage.state import StateRepository
from ocpp.versions import OcppVersion

MAX_MESSAGES = 20_000
"""About 14 days offline with four EVSEs metering every four minutes; some 20 MB on disk."""

UNSET_RUNS_KEY = "unset_runs"
MAX_UNSET_RUNS = 32
"""Runs whose clock was not set of which is known what it told first; a board without a clock that restarts so often without
a CSMS has other troubles.
"""

MAX_RETRY_WAIT_S = 24 * 3600.0
"""A wrongly configured retry interval must not block the queue for longer than a day."""

log = logging.getLogger(__name__)


class RetryRule(Protocol):
    """Where the attempts and the interval of the version spoken come from."""

    def attempts(self) -> int:
        """How often one message is sent before it is given up; at least 1."""

    def interval(self) -> float:
        """Seconds before a retry, multiplied by the number of preceding transmissions."""


class Courier(Protocol):
    """What the protocol strategy does with stored messages of its major version."""

    def prepare(self, stored: StoredMessage, request: Any) -> Any | None:
        """The request as it goes out now (late transaction ids, offline flag); None: it cannot be sent, drop it."""

    def delivered(self, stored: StoredMessage, request: Any, response: Any) -> None:
        """The CSMS answered. Runs in the storage transaction that removes the message."""

    def given_up(self, stored: StoredMessage, request: Any, error: CallError | None) -> None:
        """The message will not be sent again. Runs in the storage transaction that removes the message."""


class Outbox:
    """Transaction-related messages of one major version, oldest first."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        major: int,
        run: str,
        retry: RetryRule,
        wake: Callable[[], None] = lambda: None,
        suspects: Suspects | None = None,
        max_messages: int = MAX_MESSAGES,
    ) -> None:
        self._database = database
        self._messages = MessageRepository(database)
        self._state = StateRepository(database)
        self._clock = clock
        self._catalogue: Catalogue = catalogue(OcppVersion.V16 if major == 1 else OcppVersion.V21)
        self._major = major
        self._run = run
        self._retry = retry
        self._max_messages = max_messages
        self._suspects = suspects or Suspects(clock.monotonic)
        self._held: dict[int, str | None] = {}
        """Messages that go last, by order, with their transactions, which wait for them."""
        self._not_before = 0.0
        self._head: tuple[StoredMessage, Any] | None = None
        self._count = self._messages.count()
        self.wake = wake
        self.courier: Courier | None = None
        self.last_order = self._messages.last_order()
        clock.on_first_synchronisation(self._correct_times)

    def __len__(self) -> int:
        return self._count

    @property
    def full(self) -> bool:
        """True while the bound is reached: no new transaction should begin."""
        return self._count >= self._max_messages

    def drop_foreign(self) -> int:
        """Drop what was queued for the other major version (DESIGN section 2.2); returns how many."""
        with self._database.transaction():
            dropped = self._messages.drop_for_major(2 if self._major == 1 else 1)
        if dropped:
            log.error("%d queued messages of another OCPP major version dropped: this CSMS cannot take them", dropped)
            self._recount()
        return dropped

    def put(self, request: msgspec.Struct, transaction: str | None, *, droppable: bool = False) -> bool:
        """Store a message; False when it was given up because the bound is reached (droppable ones only).

        Belongs inside the caller's storage transaction, together with the state it tells about. One that belongs to no
        transaction survives the end of the process; a power cut may lose it until the next one is written through.
        """
        if self._count >= self._max_messages and not self._make_room(droppable):
            log.warning("queue full (%d messages): a new %s was given up", self._count, type(request).__name__)
            return False
        with self._database.transaction(durable=transaction is not None):
            self._database.undo(partial(self._take_back, self.last_order))
            self.last_order = self._messages.add(
                major=self._major,
                action=self._catalogue.action_of(request),
                payload=self._catalogue.encode(request),
                transaction=transaction,
                droppable=droppable,
                created_unix=self._clock.unix(),
                run=self._run,
                clock_unset=not self._clock.synchronised,
            )
            if not self._clock.synchronised:
                self._note_run()
        self._count += 1
        self.wake()
        return True

    def _make_room(self, droppable: bool) -> bool:
        with self._database.transaction(durable=False):
            self._database.undo(self._recount)
            dropped = self._messages.drop_unrelated() or self._messages.thin_out()
        self._recount()
        if dropped:
            log.warning("queue full: %d messages dropped, none that starts or ends a transaction", dropped)
        return bool(dropped) or not droppable

    def _take_back(self, last_order: int) -> None:
        self.last_order = last_order
        self._recount()

    def _recount(self) -> None:
        self._count = self._messages.count()
        self._head = None

    def due(self) -> bool:
        """Whether the oldest message may be sent now."""
        return self._count > 0 and self._clock.monotonic() >= self._not_before

    @property
    def retry_in(self) -> float | None:
        """Seconds until the oldest message may be sent again; None when it need not wait."""
        if not self._count:
            return None
        remaining = self._not_before - self._clock.monotonic()
        if remaining <= 0 and self._held:
            remaining = min(self._suspects.wait(order) for order in self._held)
        return remaining if remaining > 0 else None

    def retry_now(self) -> None:
        """A new connection: the wait of the last failure is over."""
        self._not_before = 0.0

    def head(self) -> tuple[StoredMessage, Any] | None:
        """The oldest message, and what to send for it; messages that cannot be sent are dropped on the way.

        Those with which connections have died come last, and with them what follows in their transactions.
        """
        while self._count:
            if self._head is None or self._held:
                row = self._oldest()
                if row is None:
                    return None
                self._head = (row, self._decode(row))
            stored, request = self._head
            prepared = self._prepare(stored, request)
            if prepared is not None:
                return stored, prepared
            self._give_up(stored, request, None)
        return None

    def _oldest(self) -> StoredMessage | None:
        rows = self._messages.first(1) if not self._held else self._messages.first_beside(self._held)
        if rows:
            return rows[0]
        if not self._held:
            self._count = 0
            return None
        for order in sorted(self._held):
            stored = self._messages.get(order)
            if stored is None:  # it gave way to others
                del self._held[order]
            elif not self._suspects.wait(order):
                return stored
        return None

    def is_held(self, stored: StoredMessage) -> bool:
        """Whether that message goes last."""
        return stored.order in self._held

    def broke(self, stored: StoredMessage) -> None:
        """The connection died while that message was in flight."""
        name = f"{stored.action} of transaction {stored.transaction}" if stored.transaction else stored.action
        if self._suspects.died(stored.order, name):
            self._held[stored.order] = stored.transaction
        self._head = None

    def _released(self, stored: StoredMessage) -> None:
        self._held.pop(stored.order, None)
        self._suspects.answered(stored.order)

    def _decode(self, stored: StoredMessage) -> Any:
        """What breaks its schema goes out all the same: what to do with it is for the CSMS to say."""
        try:
            return self._catalogue.recall(stored.action, stored.payload)
        except (ValueError, LookupError):
            log.exception("stored %s (order %d) cannot be read", stored.action, stored.order)
            return None

    def _prepare(self, stored: StoredMessage, request: Any) -> Any | None:
        if request is None or self.courier is None:
            return None
        if stored.correction_s:
            began = float(self._state.get(UNSET_RUNS_KEY, {}).get(stored.run, 0.0))
            window = self._clock.unset_window(stored.created_unix, began)
            request = shifted(request, round(stored.correction_s), window)
        return self.courier.prepare(stored, request)

    def delivered(self, stored: StoredMessage, request: Any, response: Any) -> None:
        """The oldest message was answered: forget it and tell the courier, in one storage transaction.

        `response` None: the answer tells nothing, but that the CSMS has the message.
        """
        with self._database.transaction(durable=False):
            removed = self._messages.remove([stored.order])
            if self.courier is not None and response is not None:
                self.courier.delivered(stored, request, response)
        self._released(stored)
        self._forget_head(removed)

    def failed(self, stored: StoredMessage, request: Any, error: CallError | None) -> None:
        """The CSMS failed to process the oldest message (`error` None: it did not answer in time)."""
        with self._database.transaction(durable=False):
            attempts = self._messages.record_attempt(stored.order)
        if error is not None:
            self._released(stored)
        if attempts >= max(1, self._retry.attempts()):
            self._give_up(stored, request, error)
            return
        self._head = None
        wait = min(self._retry.interval() * attempts, MAX_RETRY_WAIT_S)
        self._not_before = self._clock.monotonic() + wait
        log.warning("%s failed (%s); attempt %d follows in %.0f s", stored.action, error, attempts + 1, wait)

    def _give_up(self, stored: StoredMessage, request: Any, error: CallError | None) -> None:
        log.error("%s of transaction %s given up: %s", stored.action, stored.transaction, error or "no answer")
        with self._database.transaction():
            removed = self._messages.remove([stored.order])
            if self.courier is not None:
                self.courier.given_up(stored, request, error)
        self._released(stored)
        self._forget_head(removed)

    def _forget_head(self, removed: int) -> None:
        """`removed` is 0 when the message gave way to others while it was in flight."""
        self._head = None
        self._count -= removed
        self._not_before = 0.0

    def refresh(self) -> None:
        """Read the oldest message again: something it depends on has changed."""
        self._head = None

    def has_transaction(self, transaction: str | None = None) -> bool:
        """Whether messages of that transaction wait, or of any (E14.FR.04)."""
        return self._messages.has_transaction(transaction)

    def mark_offline(self) -> None:
        """Everything that waits while the connection is lost counts as made offline (E11.FR.07)."""
        with self._database.transaction(durable=False):
            self._messages.mark_offline()
        self._head = None

    def _note_run(self) -> None:
        """Keep what the clock told first: stamps before that, of earlier runs, are not this run's to correct."""
        runs = self._state.get(UNSET_RUNS_KEY, {})
        if self._run not in runs:
            kept = dict(list(runs.items())[1 - MAX_UNSET_RUNS :])
            self._state.put(UNSET_RUNS_KEY, {**kept, self._run: self._clock.began}, durable=False)

    def _correct_times(self, correction_s: float) -> None:
        with self._database.transaction():
            corrected = self._messages.correct_times(self._run, correction_s)
            corrected += self._messages.correct_older(PLAUSIBLE_SINCE, correction_s)
        self._head = None
        if corrected:
            log.info("clock set: time stamps of %d queued messages corrected by %.0f s", corrected, correction_s)


def shifted(value: Any, seconds: float, window: tuple[float, float]) -> Any:
    """A copy of a message with every time stamp in it that lies in the window (seconds since 1970) moved by that much."""
    if isinstance(value, datetime):
        return later(value, seconds) if window[0] <= value.timestamp() <= window[1] else value
    if isinstance(value, msgspec.Struct):
        fields = {name: shifted(getattr(value, name), seconds, window) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **fields)
    if isinstance(value, list):
        return [shifted(item, seconds, window) for item in value]
    return value
