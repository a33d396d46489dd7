"""Until when the station was alive: the time on disk, noted every second while somebody charges, seldom otherwise; and a time
that no stamp has reached yet, so that a clock which is lost at a power cut never runs back.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from ocpp.clock import Clock, Timer
from ocpp.errors import StorageError
from ocpp.storage.state import StateRepository

TIME_KEY, FLOOR_KEY, FILE_NAME = "last_time", "clock_floor", "alive"

TIME_NOTE_INTERVAL_S = 300.0
"""How often both are noted in the database while nobody charges."""

ALIVE_INTERVAL_S = 1.0
"""How often it is noted while a transaction is going on, which an interruption counts from (E17.FR.02): as exactly as time-outs
are told. It costs one system call and no fsync: the kernel writes the block when it writes at all, every half minute or so, 12 MB
a day at most. The death of the program loses nothing of it."""

MARK_BYTES = 20
"""Of a time in the file, all digits."""

LAST_UNIX = 253402300800.0
"""The end of the year 9999, after which no time can be told."""

log = logging.getLogger(__name__)


class Alive:
    """Notes the time, in the database and in a small file in `folder`. `busy` says whether a transaction is going on."""

    def __init__(self, state: StateRepository, clock: Clock, busy: Callable[[], bool], folder: Path) -> None:
        self._state = state
        self._clock = clock
        self._busy = busy
        self._path = folder / FILE_NAME
        self._file: int | None = None
        self._timer: Timer | None = None
        self._noted = float("-inf")
        self._watches = False
        self._complained = False

    def start(self) -> None:
        """Note the time now, and from now on."""
        self._note()
        self._wait()

    def stop(self) -> None:
        """Note the time for the last time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._note(ahead_s=ALIVE_INTERVAL_S)
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def look(self) -> None:
        """Something has changed: a transaction may have begun."""
        if self._timer is not None and not self._watches and self._busy():
            self._timer.cancel()
            self._note(ahead_s=ALIVE_INTERVAL_S)
            self._wait()

    def clock_set(self) -> None:
        """What was noted is in a time that nobody tells any more."""
        if self._timer is not None:
            self._note()

    def _wait(self) -> None:
        self._watches = self._busy()
        interval = ALIVE_INTERVAL_S if self._watches else TIME_NOTE_INTERVAL_S
        self._timer = self._clock.call_later(interval, self._run)

    def _run(self) -> None:
        watched = self._watches
        self._wait()
        if self._watches:
            self._mark()
        if watched is not self._watches or self._clock.monotonic() - self._noted >= TIME_NOTE_INTERVAL_S:
            self._note()

    def _note(self, ahead_s: float | None = None) -> None:
        """`ahead_s`: how soon there is another mark at the latest."""
        now, self._noted = self._clock.unix(), self._clock.monotonic()
        self._mark()
        if ahead_s is None:
            ahead_s = ALIVE_INTERVAL_S if self._busy() else TIME_NOTE_INTERVAL_S
        try:
            self._state.put(TIME_KEY, now, durable=False)
            self._state.put(FLOOR_KEY, now + ahead_s, durable=False)
        except StorageError as error:
            log.error("the time is not noted: %s", error)

    def _mark(self) -> None:
        try:
            if self._file is None:
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.pwrite(self._file, f"{self._clock.unix():0{MARK_BYTES}.3f}".encode(), 0)
        except OSError as error:
            if not self._complained:
                self._complained = True
                log.error("that the station is alive is not noted in %s: %s", self._path, error)
        else:
            self._complained = False


def last_time(state: StateRepository, folder: Path) -> float:
    """Until when the run before was alive, in seconds since 1970; 0 where nobody knows."""
    try:
        with (folder / FILE_NAME).open(encoding="ascii") as file:
            marked = file.read(MARK_BYTES)
    except (OSError, ValueError):
        marked = "0"
    return max(_seconds(state.get(TIME_KEY, 0.0)), _seconds(marked))


def clock_floor(state: StateRepository, folder: Path) -> float:
    """A time, in seconds since 1970, that no stamp of the run before has reached; 0 where nobody knows."""
    alive = last_time(state, folder)
    return max(_seconds(state.get(FLOOR_KEY, 0.0)), alive + 2 * ALIVE_INTERVAL_S if alive else 0.0)


def _seconds(stored: object) -> float:
    """A time as stored; what is none, or none that a calendar knows, is not known."""
    try:
        found = float(stored)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        log.error("the stored time %r cannot be read", stored)
        return 0.0
    return found if 0.0 <= found < LAST_UNIX else 0.0
