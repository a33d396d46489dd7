"""Changes of a session that are recorded whole, or not at all and once more later.

A change runs inside one storage transaction. When the disk does not take it, the session in memory is put back to
where it was, and the change waits, with the facts and the time it came with; while one waits, all later ones queue
behind it and no energy is delivered, because nobody could be billed for it.
"""

import copy
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec

from ocpp.clock import Clock, Timer
from ocpp.core.events import StopReason, Trigger
from ocpp.core.evse import Connector
from ocpp.errors import StorageError
from ocpp.storage.database import Database

MAX_WAITING_CHANGES = 200
"""Of one session, while the disk fails; a driver does not do more within a visit."""

STORAGE_RETRY_S = 5.0
"""How long until a disk that failed is tried again."""

log = logging.getLogger(__name__)


class Change(msgspec.Struct, frozen=True):
    """Something that happened: what it does to the session, and what it is reported as."""

    act: Callable[[], None]
    trigger: Trigger | None
    reason: StopReason | None
    force: bool
    facts: frozenset[str]
    """What the hardware saw at that moment."""
    connector: Connector | None
    """Where the cable was."""
    at: datetime


class Memory:
    """What of a session has to be put back when a change was not recorded."""

    def __init__(self, owner: object, names: tuple[str, ...]) -> None:
        self._owner = owner
        self._values: dict[str, Any] = {name: copy.copy(getattr(owner, name)) for name in names}

    def restore(self) -> None:
        """As it was."""
        for name, value in self._values.items():
            setattr(self._owner, name, value)


class Changes:
    """Carries changes out in order, or lets them wait for the disk."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        remember: Callable[[], Memory],
        carry_out: Callable[[Change], None],
        failed: Callable[[], None],
        recorded: Callable[[], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._remember = remember
        self._carry_out = carry_out
        self._failed = failed
        self._recorded = recorded
        self._waiting: deque[Change] = deque()
        self._timer: Timer | None = None
        self._failing = False

    @property
    def waiting(self) -> bool:
        """Whether something that happened is not recorded yet."""
        return bool(self._waiting)

    def make(self, change: Change) -> None:
        """Carry a change out, or queue it. What fails for another reason than the disk is raised."""
        if self._waiting:
            self._queue(change)
        elif not self._record(change):
            self._queue(change)
            self._wait()

    def _record(self, change: Change) -> bool:
        try:
            with self.whole(durable=False):
                self._carry_out(change)
        except StorageError as error:
            log.log(
                logging.DEBUG if self._failing else logging.ERROR,
                "nothing can be recorded, so no energy is delivered: %s",
                error,
            )
            self._failing = True
            self._failed()
            return False
        except Exception:
            self._failed()
            raise
        self._failing = False
        self._recorded()
        return True

    @contextmanager
    def whole(self, *, durable: bool = True) -> Iterator[None]:
        """A storage transaction; the session is put back to where it was when it does not come about."""
        memory = self._remember()
        try:
            with self._database.transaction(durable=durable):
                yield
        except BaseException:
            memory.restore()
            raise

    def _queue(self, change: Change) -> None:
        if change.trigger is None and not change.force and self._waiting:
            return  # a second look at the facts: that comes anyway once the others are through
        if len(self._waiting) >= MAX_WAITING_CHANGES:
            log.error("%s is lost: %d changes already wait for the disk", change.trigger, len(self._waiting))
            return
        self._waiting.append(change)

    def _wait(self) -> None:
        self._timer = self._clock.call_later(STORAGE_RETRY_S, self._retry)

    def _retry(self) -> None:
        self._timer = None
        while self._waiting:
            change = self._waiting.popleft()
            try:
                recorded = self._record(change)
            except Exception:
                log.exception("%s cannot be recorded at all and is left out", change.trigger)
                continue
            if not recorded:
                self._waiting.appendleft(change)
                self._wait()
                return
        log.info("the disk takes records again")
        self._recorded()

    def close(self) -> None:
        """Give up what waits: the program ends."""
        if self._timer is not None:
            self._timer.cancel()
        if self._waiting:
            log.error("%d changes of a charging session were never recorded", len(self._waiting))
            self._waiting.clear()
