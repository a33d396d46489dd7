"""Until when the station was alive: the time on disk, noted often while somebody charges, seldom otherwise."""

import logging
from collections.abc import Callable

from ocpp.clock import Clock, Timer
from ocpp.errors import StorageError
from ocpp.storage.state import StateRepository

TIME_KEY = "last_time"

TIME_NOTE_INTERVAL_S = 300.0
"""How often the time is noted, so that a clock that is lost at a power cut never runs back."""

ALIVE_INTERVAL_S = 10.0
"""How often it is noted while a transaction is going on, which an interruption counts from (E17.FR.02). It costs no fsync:
one page of the log, 20 MB a day at most; the death of the program loses none of it, a power cut half a minute."""

log = logging.getLogger(__name__)


class Alive:
    """Notes the time. `busy` says whether a transaction is going on."""

    def __init__(self, state: StateRepository, clock: Clock, busy: Callable[[], bool]) -> None:
        self._state = state
        self._clock = clock
        self._busy = busy
        self._timer: Timer | None = None
        self._noted = float("-inf")

    def start(self) -> None:
        """Note the time now, and from now on."""
        self.note()
        self._wait()

    def stop(self) -> None:
        """Note the time for the last time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.note()

    def note(self) -> None:
        """Put the time on disk."""
        self._noted = self._clock.monotonic()
        try:
            self._state.put(TIME_KEY, self._clock.unix(), durable=False)
        except StorageError as error:
            log.error("the time is not noted: %s", error)

    def _wait(self) -> None:
        self._timer = self._clock.call_later(ALIVE_INTERVAL_S, self._run)

    def _run(self) -> None:
        self._wait()
        if self._busy() or self._clock.monotonic() - self._noted >= TIME_NOTE_INTERVAL_S:
            self.note()


def last_time(state: StateRepository) -> float:
    """Until when the run before was alive, in seconds since 1970; 0 where nobody knows."""
    stored = state.get(TIME_KEY, 0.0)
    try:
        return float(stored)
    except (TypeError, ValueError):
        log.error("the stored time %r cannot be read", stored)
        return 0.0
