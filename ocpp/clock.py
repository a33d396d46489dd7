"""Time for the whole stack: monotonic, UTC, corrected by the CSMS; and the timers that go with it.

Everything that waits or stamps gets its time from a `Clock`, so that a test runs a day in a second and a station
without a battery-backed clock (1970 at boot, then a jump) keeps order and durations right.

Wall-clock times are whole seconds: OCPP allows at most three decimals, CSMSs differ in what they make of them, and
durations come from `monotonic` anyway.
"""

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

RELEASED = datetime(2026, 1, 1, tzinfo=UTC)
"""The beginning of the year in which this line of releases is built; it moves on with them."""

PLAUSIBLE_SINCE = RELEASED.timestamp()
"""A wall clock before this instant has not been set: this release did not exist then."""

PLAUSIBLE_UNTIL = RELEASED.replace(year=RELEASED.year + 50).timestamp()
"""Nor does it run when its hardware has long gone: a CSMS that names such a time (9999) does not know it."""

MIN_UNIX = datetime.min.replace(tzinfo=UTC).timestamp()
MAX_UNIX = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
"""The first and the last instant that a calendar can tell."""

log = logging.getLogger(__name__)


def instant(unix: float) -> datetime:
    """The date-time of some seconds since 1970, cut to whole seconds; beyond the years 1 and 9999 it is their end."""
    return datetime.fromtimestamp(int(min(max(unix, MIN_UNIX), MAX_UNIX)) if unix == unix else 0, UTC)


def plausible(utc: datetime) -> bool:
    """Whether somebody who knows the time could have named that one."""
    return PLAUSIBLE_SINCE <= utc.timestamp() <= PLAUSIBLE_UNTIL


def moment(value: datetime | None) -> str | None:
    """An instant as JSON writes it."""
    return value.isoformat().replace("+00:00", "Z") if value is not None else None


class Timer(Protocol):
    """What `Clock.call_later` returns."""

    def cancel(self) -> None:
        """Forget the call; harmless when it has run already."""


class Clock:
    """Monotonic time, UTC as the CSMS tells it, and timers.

    The system's clock is only a source: what the CSMS says (`synchronise`) and what is already on disk
    (`not_before`) correct it. Subclasses supply `monotonic`, `_system_time` and `call_later`.
    """

    def __init__(self) -> None:
        self._offset = 0.0
        self._synchronised = False
        self._doubted = False
        self._began = 0.0
        self._corrections: dict[object, Callable[[float], object]] = {}

    def monotonic(self) -> float:
        """Seconds that only ever grow, at the pace of real time; meaningless between two runs."""
        raise NotImplementedError

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        """Run `callback` on the loop in `delay` seconds of monotonic time."""
        raise NotImplementedError

    def _system_time(self) -> float:
        raise NotImplementedError

    def unix(self) -> float:
        """Seconds since 1970 in corrected UTC, with fractions."""
        return self._system_time() + self._offset

    def now(self) -> datetime:
        """Corrected UTC, cut to whole seconds. Never raises: what no calendar can tell is the nearest that it can."""
        return instant(self.unix())

    @property
    def synchronised(self) -> bool:
        """True once a CSMS has told the time in this run, or while the system's clock is plausible."""
        return self._synchronised or self._system_time() >= PLAUSIBLE_SINCE

    @property
    def quality(self) -> str:
        """For people: "csms", "system" or "unset"."""
        if self._synchronised:
            return "csms"
        return "system" if self.synchronised else "unset"

    def synchronise(self, utc: datetime) -> float:
        """Take the CSMS's time; returns the correction in seconds (positive: the clock was behind).

        Differences below one second are ignored: CSMSs cut to seconds and the network takes time. An implausible time is
        not taken, with a warning that is given once.
        """
        if not plausible(utc):
            self._doubt(utc)
            return 0.0
        correction = utc.timestamp() - self.unix()
        was_set = self.synchronised
        self._synchronised = True
        if -1.0 < correction < 1.5:
            return 0.0
        self._offset += correction
        if not was_set:
            for listener in tuple(self._corrections.values()):
                listener(correction)
        return correction

    def _doubt(self, utc: datetime) -> None:
        log.log(logging.DEBUG if self._doubted else logging.WARNING, "%s is not taken as the time", moment(utc))
        self._doubted = True

    def not_before(self, unix: float) -> None:
        """Never tell a time before `unix`, behind every stamp on record, while the clock is not set; what is no time is
        ignored. What is stamped from now on, until the clock is set, can be told from what was stamped before.
        """
        if self.synchronised:
            return
        if 0 <= unix <= PLAUSIBLE_UNTIL and self.unix() < unix:
            self._offset += unix - self.unix()
        self._began = float(int(self.unix()))

    @property
    def began(self) -> float:
        """What a clock that is not set told first in this run, as seconds since 1970."""
        return self._began

    def unset_window(self, until: float, began: float | None = None) -> tuple[float, float]:
        """Between which readings stamps were made by a clock that is not set, which told `until` last and `began` first
        (default: this run's). A clock that was never near the present made all of them.
        """
        since = self._began if began is None else began
        return (since if until >= PLAUSIBLE_SINCE else 0.0), until + 1.0

    def on_first_synchronisation(self, listener: Callable[[float], object], key: object = None) -> None:
        """Call `listener(correction_s)` when a clock that was never set gets its time; one of the same `key` is replaced.

        Stamps made before are wrong by that correction.
        """
        self._corrections[key if key is not None else listener] = listener

    def shift(self, seconds: float) -> None:
        """Let the wall clock jump, as an operator or a faulty time source would; monotonic time does not."""
        self._offset += seconds

    async def sleep(self, delay: float) -> None:
        """Wait `delay` seconds of monotonic time."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not done.done():
                done.set_result(None)

        timer = self.call_later(max(0.0, delay), wake)
        try:
            await done
        finally:
            timer.cancel()


class SystemClock(Clock):
    """The machine's own clocks and the running event loop's timers."""

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        """See `Clock.call_later`."""
        return asyncio.get_running_loop().call_later(delay, callback)

    def _system_time(self) -> float:
        return time.time()


class _ManualTimer:
    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class ManualClock(Clock):
    """A clock that stands still until it is told to `advance`; for tests and for simulations faster than life."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC), monotonic: float = 1000.0) -> None:
        super().__init__()
        self._start = start.timestamp() - monotonic
        self._monotonic = monotonic
        self._timers: list[tuple[float, int, _ManualTimer]] = []
        self._ids = itertools.count()

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return self._monotonic

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        """See `Clock.call_later`."""
        timer = _ManualTimer(callback)
        heapq.heappush(self._timers, (self._monotonic + delay, next(self._ids), timer))
        return timer

    def _system_time(self) -> float:
        return self._start + self._monotonic

    @property
    def next_timer(self) -> float | None:
        """Seconds until the next timer is due; None when nothing waits."""
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return self._timers[0][0] - self._monotonic if self._timers else None

    def tick(self, seconds: float) -> None:
        """Advance without letting the event loop run in between: for code that uses no tasks."""
        end = self._monotonic + seconds
        while self._run_next(end):
            pass
        self._monotonic = end

    async def advance(self, seconds: float | timedelta) -> None:
        """Advance, running due timers in order and letting every task settle after each."""
        delta = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
        end = self._monotonic + delta
        await self.settle()
        while self._run_next(end):
            await self.settle()
        self._monotonic = end
        await self.settle()

    async def settle(self, turns: int = 20) -> None:
        """Give every ready task its turns without moving the time."""
        for _ in range(turns):
            await asyncio.sleep(0)

    def _run_next(self, end: float) -> bool:
        remaining = self.next_timer
        if remaining is None or self._monotonic + remaining > end + 1e-9:
            return False
        due, _, timer = heapq.heappop(self._timers)
        self._monotonic = max(self._monotonic, due)
        callback, timer.callback = timer.callback, None
        if callback is not None:
            callback()
        return True
