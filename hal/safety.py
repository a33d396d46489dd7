"""The safety loop: a thread that does nothing but look at what others have seen, and opens contactors.

It waits for no bus, no lock held longer than a pin takes to write, and not for the event loop. Whatever may take time
(an ADC on I2C, a thermometer, a meter) happens elsewhere and leaves its newest value, with its time, in an attribute;
a value that is too old counts as bad news. The aim is that of IEC 61851-1:2017 table A.6, 100 ms from the loss of the
pilot's state C to an open contactor; it has not been measured yet.
"""

import logging
import threading
import time
from collections.abc import Callable

import msgspec

from hal.errors import ContactorBusy
from hal.interfaces import Contactor
from hal.priority import urgent

PERIOD_S = 0.01
"""How often everything is looked at."""

LOOP_DEADLINE_S = 1.0
"""How long the event loop may be stuck while current flows. No norm names it: nobody can stop the EV meanwhile."""

OVERRUN_S = 0.05
"""A round that comes so late is logged: the machine is overloaded."""

HOLD_S = 0.1
"""How long a closing that has to wait for something waits before it asks again."""

LOOP_FAULT = "InternalError"

log = logging.getLogger(__name__)

Check = Callable[[float], str]
"""Takes monotonic time, gives what is wrong or "". Must return at once; what it raises counts as wrong."""


class Watch(msgspec.Struct):
    """Something that has to be in order while a contactor is closed. `kind` is the fault; "" for what is no fault."""

    name: str
    check: Check
    kind: str
    reason: str = ""


class _Guarded(msgspec.Struct):
    contactor: Contactor
    watches: list[Watch] = msgspec.field(default_factory=list)
    holds: list[Check] = msgspec.field(default_factory=list)
    lock: threading.Lock = msgspec.field(default_factory=threading.Lock)
    closed: bool = False


Report = Callable[[int, str, str, bool], None]
"""EVSE, kind of fault, what is wrong, whether it came or went."""


class SafetyLoop:
    """Watches over the contactors of a station. `report` is called in this thread; `beat` by the event loop."""

    def __init__(
        self, report: Report, *, clock: Callable[[], float] = time.monotonic, period_s: float = PERIOD_S
    ) -> None:
        self._report = report
        self._clock = clock
        self._period_s = period_s
        self._guarded: dict[int, _Guarded] = {}
        self._beaten_at = clock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="safety", daemon=True)
        self._faults: dict[tuple[int, str], str] = {}
        self.feed: Callable[[], None] = lambda: None
        """Feeds the hardware watchdog; called every second while loop and event loop live."""
        self.pulse: Callable[[], None] = lambda: None
        """Tells the keeper that the loop lives; called in every round. Must return at once and not raise."""
        self.opened: Callable[[int], object] = lambda evse_id: None
        """Told, in this thread, that the contactor of an EVSE was opened here; must return at once and not raise."""
        self._fed_at = 0.0
        self.latest_s = 0.0
        """By how much the latest round came too late, at the worst."""

    # -- building -------------------------------------------------------------------------------------------------

    def guard(self, evse_id: int, contactor: Contactor) -> "GuardedContactor":
        """The contactor as the EVSE's state machine may have it: it closes only while nothing is wrong."""
        guarded = _Guarded(contactor)
        guarded.watches.append(Watch("event loop", self._loop_stuck, LOOP_FAULT))
        self._guarded[evse_id] = guarded
        return GuardedContactor(self, guarded)

    def watch(self, evse_id: int, name: str, check: Check, kind: str = "") -> None:
        """Look at something before and while the contactor of an EVSE is closed."""
        self._guarded[evse_id].watches.append(Watch(name, check, kind))

    def hold(self, evse_id: int, check: Check) -> None:
        """Closing waits (ContactorBusy) for as long as the check gives what for; what is closed stays closed."""
        self._guarded[evse_id].holds.append(check)

    def closed(self, evse_id: int) -> bool:
        """Whether the contactor of an EVSE was told to close."""
        return self._guarded[evse_id].closed

    # -- life -----------------------------------------------------------------------------------------------------

    def beat(self) -> None:
        """The event loop lives."""
        self._beaten_at = self._clock()

    def start(self) -> None:
        """Begin to watch."""
        self.beat()
        self._thread.start()

    def stop(self) -> None:
        """Open everything and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(1.0)
        for evse_id, guarded in self._guarded.items():
            self._open(evse_id, guarded)

    def _run(self) -> None:
        urgent()
        due = self._clock()
        while not self._stopping.is_set():
            self.look()
            due += self._period_s
            wait = due - self._clock()
            if wait < 0:
                self._late(-wait)
                due = self._clock()
            else:
                self._stopping.wait(wait)

    def _late(self, seconds: float) -> None:
        if seconds > max(self.latest_s, OVERRUN_S):
            log.warning("the safety loop came %.0f ms too late", seconds * 1000)
        self.latest_s = max(self.latest_s, seconds)

    # -- one round ------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Look at everything once; opens what must be open. Never raises."""
        now = self._clock()
        self.pulse()
        for evse_id, guarded in self._guarded.items():
            if self._wrong(evse_id, guarded, now) and guarded.closed:
                self._open(evse_id, guarded)
                self.opened(evse_id)
        if now - self._fed_at >= 1.0 and not self._loop_stuck(now):
            self._fed_at = now
            try:
                self.feed()
            except Exception as error:  # noqa: BLE001 - the machine restarts if this goes on
                log.error("the watchdog cannot be fed: %s", error)

    def _wrong(self, evse_id: int, guarded: _Guarded, now: float) -> str:
        """The first thing that is wrong; every change of a fault is reported."""
        first = ""
        for watch in guarded.watches:
            try:
                watch.reason = watch.check(now)
            except Exception as error:  # noqa: BLE001 - what cannot be looked at is wrong
                watch.reason = f"{watch.name}: {error}"
            if watch.kind:
                self._note(evse_id, watch, guarded.closed)
            first = first or watch.reason
        return first

    def _note(self, evse_id: int, watch: Watch, closed: bool) -> None:
        key = (evse_id, watch.kind + watch.name)
        if bool(watch.reason) is (key in self._faults):
            return
        if watch.reason:
            if watch.check == self._loop_stuck and not closed:
                return  # nothing to report where nothing flows
            self._faults[key] = watch.reason
        else:
            self._faults.pop(key)
        self._report(evse_id, watch.kind, watch.reason, bool(watch.reason))

    def _open(self, evse_id: int, guarded: _Guarded) -> None:
        with guarded.lock:
            try:
                guarded.contactor.open()
                guarded.closed = False
            except Exception as error:  # noqa: BLE001 - tried again in the next round
                log.error("EVSE %d: the contactor does not open: %s", evse_id, error)

    def _loop_stuck(self, now: float) -> str:
        age = now - self._beaten_at
        return f"the event loop is stuck for {age:.1f} s" if age > LOOP_DEADLINE_S else ""

    def _close(self, guarded: _Guarded) -> None:
        """Close if nothing is wrong and nothing holds it; ContactorBusy otherwise."""
        now = self._clock()
        with guarded.lock:
            for check in (*(watch.check for watch in guarded.watches), *guarded.holds):
                try:
                    reason = check(now)
                except Exception as error:  # noqa: BLE001 - what cannot be looked at is wrong
                    reason = str(error)
                if reason:
                    raise ContactorBusy(reason, HOLD_S)
            guarded.closed = True  # before the coil is driven: a close that raises half way is watched as well
            try:
                guarded.contactor.close()
            except ContactorBusy:
                guarded.closed = False  # it has not been driven
                raise


class GuardedContactor:
    """See `hal.interfaces.Contactor`: one that the safety loop watches."""

    def __init__(self, loop: SafetyLoop, guarded: _Guarded) -> None:
        self._loop = loop
        self._guarded = guarded

    def close(self) -> None:
        """Let current flow. ContactorBusy while something is wrong: whether that is a fault, the safety loop decides."""
        self._loop._close(self._guarded)

    def open(self) -> None:
        """Interrupt."""
        with self._guarded.lock:
            self._guarded.contactor.open()
            self._guarded.closed = False  # not if that raised: the safety loop tries again

    @property
    def closed(self) -> bool:
        """What the feedback contact says."""
        return self._guarded.contactor.closed
