"""One EVSE: pilot, contactor, lock and meter working together, safely."""

import logging
import math
from collections.abc import Callable

from hal.clock import Clock, Timer
from hal.errors import ContactorBusy
from hal.iec61851 import CONNECTED, PilotDecision, PilotMachine, PilotState, offerable
from hal.interfaces import Contactor, ControlPilot, EvseListener, Lock, Meter, PhaseSwitch, Reading
from hal.phases import PAUSE_S, PhaseChange
from hal.reports import Reports

log = logging.getLogger(__name__)

CONTACTOR_FAULT = "PowerSwitchFailure"
METER_FAULT = "PowerMeterFailure"
DRIVER_FAULT = "InternalError"
"""A driver other than the contactor's raised where none may."""

FEEDBACK_S = 0.2
"""A contactor's feedback is looked at so long after it was told: the slowest take 0.1 s."""


class Evse:
    """Takes commands from above, reports to a listener, and opens the contactor on its own whenever it must.

    Whoever drives the parts calls `pilot_changed` when the line shows something new. Commands never raise. What was
    allowed is forgotten when the EV goes, the line is faulty or energy is blocked: it has to be allowed anew.
    """

    def __init__(
        self,
        evse_id: int,
        *,
        pilot: ControlPilot,
        contactor: Contactor,
        meter: Meter,
        locks: dict[int, Lock],
        clock: Clock,
        listener: EvseListener,
        ventilated: bool = False,
        carries: Callable[[], float] = lambda: math.inf,
        phase_switch: PhaseSwitch | None = None,
    ) -> None:
        """`carries`: what the parts on the way can carry now, in A: a cable, hot terminals."""
        self.id = evse_id
        self._pilot = pilot
        self._contactor = contactor
        self._meter = meter
        self._locks = locks
        self._clock = clock
        self._reports = Reports(evse_id, clock, listener)
        self._machine = PilotMachine(ventilated=ventilated)
        self._carries = carries
        self._phases = PhaseChange(phase_switch)
        self._deadline: Timer | None = None
        self._feedback: Timer | None = None
        self._wanted_a: float | None = None
        self._available = True
        self._shows_failed = False
        self._blocks: set[str] = set()
        self._latched: dict[str, str] = {}
        self._clearing: set[str] = set()
        self._meter_failed = False
        self._last_reading = Reading(())
        self._last_most = math.inf

    # -- commands -------------------------------------------------------------------------------------------------

    def allow_energy(self, limit_a: float, phases: int = 3) -> None:
        """Offer up to `limit_a` A per phase; below 6 A, and while energy is blocked, the EV is paused.

        Where phases can be switched, the EV is paused for that, too.
        """
        self._phases.want(phases)
        refused = self._refusal()
        if refused:
            log.info("EVSE %d: %g A are not offered: %s", self.id, limit_a, refused)
        self._wanted_a = None if refused else limit_a
        self._guarded(self._offer)

    def stop_energy(self) -> None:
        """Withdraw the offer; the contactor opens when the EV has let go, three seconds later at the latest."""
        self._wanted_a = None
        self._guarded(self._offer)

    def carries_changed(self) -> None:
        """What the parts on the way can carry is another: offer what is left of what was allowed."""
        if not self._reports.silent:
            self._guarded(self._offer)

    def cut(self) -> None:
        """Open the contactor now, under load if need be."""
        self._shut()
        self._reports.state(self._machine)

    def was_opened(self) -> None:
        """The safety loop has opened the contactor; if it was a mistake of a moment, it is closed again."""
        self._machine.not_closed()
        self._time_is_up()

    def block(self, kind: str) -> bool:
        """A fault that endangers people or things, found by somebody else: cut, and offer nothing until `unblock`.

        True when it has to be reported by who found it: not if it was known and reported here.
        """
        news = kind not in self.blocked_by
        self._blocks.add(kind)
        self.cut()
        return news

    def unblock(self, kind: str) -> bool:
        """The fault is gone; energy has to be allowed anew. A contactor that is still welded is reported again.

        True when that has to be reported by who found it.
        """
        self._blocks.discard(kind)
        if kind not in self._latched:
            return True
        self._clear({kind})
        if kind in self._latched:
            self._reports.fault(0, kind, self._latched[kind], active=True)
        return False

    def set_available(self, available: bool) -> None:
        """Out of service: nothing is offered and, once no EV is there, the line is put into state F."""
        self._available = available
        self._guarded(self._offer)
        self._guarded(self._show_availability)

    def shut_down(self) -> None:
        """Cut, for good: no more timers and reports."""
        self._reports.silent = True
        self._shut()
        self._cancel_feedback()

    async def lock(self, connector_id: int) -> bool:
        """Lock the cable; True where there is nothing to lock."""
        lock = self._locks.get(connector_id)
        return await lock.lock() if lock is not None else True

    async def unlock(self, connector_id: int) -> bool:
        """Release the cable; True where there is nothing to release."""
        lock = self._locks.get(connector_id)
        return await lock.unlock() if lock is not None else True

    def locked(self, connector_id: int) -> bool:
        """What the lock's feedback says; False where there is none."""
        lock = self._locks.get(connector_id)
        return lock.locked if lock is not None else False

    def has_lock(self, connector_id: int) -> bool:
        """Whether the connector has a lock."""
        return connector_id in self._locks

    def read_meter(self) -> Reading:
        """The newest reading; the last good one while the meter fails, which is reported as a fault, once."""
        try:
            self._last_reading = self._meter.read()
        except Exception as error:
            if not self._meter_failed:
                log.exception("EVSE %d: the meter fails", self.id)
                self._meter_failed = True
                self._reports.fault(0, METER_FAULT, str(error), active=True)
        else:
            if self._meter_failed:
                self._meter_failed = False
                self._reports.fault(0, METER_FAULT, "", active=False)
        return self._last_reading

    def meter_fault_known(self, active: bool) -> None:
        """Somebody else has reported that the meter fails, or works again: not reported again here."""
        self._meter_failed = active

    @property
    def pilot_state(self) -> PilotState:
        """The state the line is in."""
        return self._machine.state

    @property
    def plugged(self) -> bool:
        """Whether an EV is connected; a faulty line does not unplug it."""
        return self._machine.plugged

    @property
    def offered_a(self) -> float:
        """The current offered now; 0 for none."""
        return self._machine.offered_a or 0.0

    @property
    def energy_flows(self) -> bool:
        """Whether the power path is closed."""
        return self._machine.closed

    @property
    def blocked_by(self) -> frozenset[str]:
        """The faults because of which nothing is offered."""
        return frozenset(self._blocks) | frozenset(self._latched)

    @property
    def available(self) -> bool:
        """Whether it is in service."""
        return self._available

    # -- what the parts show --------------------------------------------------------------------------------------

    def pilot_changed(self, connector_id: int = 1) -> None:
        """The line may show another state, at that connector."""
        if not self._machine.plugged:
            self._reports.connector_id = connector_id
        self._guarded(self._see)

    # -- details --------------------------------------------------------------------------------------------------

    def _refusal(self) -> str:
        if self.blocked_by:
            return ", ".join(sorted(self.blocked_by))
        return "" if self._machine.state in CONNECTED else f"the pilot is in state {self._machine.state}"

    def _offer(self) -> None:
        held = not self._available or self._phases.holds(self._clock.monotonic())
        offered = None if held else offerable(self._within(self._wanted_a))
        # The pilot goes first: an EV that answers at once must not find a decision half carried out.
        self._pilot.offer(offered)
        self._carry_out(self._machine.offer(offered, self._clock.monotonic()))

    def _within(self, wanted_a: float | None) -> float | None:
        if wanted_a is None:
            return None
        most = self._carries()
        if most < wanted_a and most != self._last_most:
            log.info("EVSE %d: %g A of %g A are offered: the parts on the way carry no more", self.id, most, wanted_a)
        self._last_most = most
        return min(wanted_a, most)

    def _see(self) -> None:
        was_plugged = self._machine.plugged
        decision = self._machine.see(self._pilot.state, self._clock.monotonic())
        self._carry_out(decision)
        if self._machine.state not in CONNECTED:
            self._wanted_a = None
            self._pilot.offer(None)
        if self._machine.plugged is was_plugged:
            return
        self._show_availability()
        if was_plugged:
            self._clear(set(self._latched))

    def _show_availability(self) -> None:
        failed = not self._available and not self._machine.plugged
        if failed is not self._shows_failed:
            self._shows_failed = failed
            self._pilot.fail(failed)
            self._carry_out(self._machine.see(self._pilot.state, self._clock.monotonic()))

    def _carry_out(self, decision: PilotDecision) -> None:
        self._cancel_deadline()
        if decision.open:
            self._open()
        elif decision.close:
            self._close()
        elif decision.open_by is not None:
            wait = max(0.0, decision.open_by - self._clock.monotonic())
            self._deadline = self._clock.call_later(wait, self._time_is_up)
        if self._phases.pending and not self._machine.closed:
            self._phases.carry_out(self._clock.monotonic())
            self._clock.call_later(PAUSE_S, self.carries_changed)
        self._reports.state(self._machine)

    def _time_is_up(self) -> None:
        self._guarded(lambda: self._carry_out(self._machine.decide(self._clock.monotonic())))

    def _guarded(self, action: Callable[[], None]) -> None:
        """Any exception near a contactor opens it and keeps it open; none reaches the caller."""
        try:
            action()
        except Exception as error:
            log.exception("EVSE %d: a driver raised", self.id)
            self._fail(DRIVER_FAULT, str(error))

    # -- contactor ------------------------------------------------------------------------------------------------

    def _close(self) -> None:
        try:
            if self._feedback is None and self._contactor.closed:
                self._fail(CONTACTOR_FAULT, "welded: closed before it was told to")
                return
            self._contactor.close()
        except ContactorBusy as busy:
            self._close_later(busy)
            return
        except Exception as error:
            log.exception("EVSE %d: the contactor does not close", self.id)
            self._fail(CONTACTOR_FAULT, f"does not close: {error}")
            return
        self._await_feedback()

    def _close_later(self, busy: ContactorBusy) -> None:
        """Decide again when the contactor's pause is over; the EV may have changed its mind by then."""
        log.debug("EVSE %d: %s", self.id, busy)
        self._machine.not_closed()
        self._deadline = self._clock.call_later(busy.wait_s, self._time_is_up)

    def _open(self) -> None:
        """Never raises."""
        try:
            self._contactor.open()
        except Exception as error:
            log.exception("EVSE %d: the contactor does not open", self.id)
            self._fail(CONTACTOR_FAULT, f"does not open: {error}", opens=False)
        self._await_feedback()

    def _await_feedback(self) -> None:
        self._cancel_feedback()
        if not self._reports.silent:
            self._feedback = self._clock.call_later(FEEDBACK_S, self._look_at_feedback)

    def _look_at_feedback(self) -> None:
        self._feedback = None
        try:
            closed = self._contactor.closed
        except Exception as error:
            log.exception("EVSE %d: the contactor gives no feedback", self.id)
            self._clearing.clear()
            self._fail(CONTACTOR_FAULT, f"no feedback: {error}", again=False)
            return
        if closed is self._machine.closed:
            self._forget(self._clearing)
        elif closed:
            self._fail(CONTACTOR_FAULT, "welded: still closed after opening", again=False)
        else:
            self._fail(CONTACTOR_FAULT, "did not close")
        self._clearing.clear()

    def _clear(self, kinds: set[str]) -> None:
        """Take latched faults back, if the contactor is open: now, or once its feedback has had time to say so."""
        kinds &= set(self._latched)
        if not kinds:
            return
        try:
            self._contactor.open()
            closed = self._contactor.closed
        except Exception:
            log.exception("EVSE %d: the contactor still fails", self.id)
            return
        if closed:
            self._clearing |= kinds
            self._await_feedback()
        else:
            self._forget(kinds)

    def _forget(self, kinds: set[str]) -> None:
        for kind in sorted(kinds & set(self._latched)):
            del self._latched[kind]
            if kind not in self._blocks:
                self._reports.fault(0, kind, "", active=False)

    def _fail(self, kind: str, info: str, *, opens: bool = True, again: bool = True) -> None:
        """Something near the contactor failed: latch it, shut everything. `again`: look at the feedback afterwards."""
        if kind not in self._latched:
            log.error("EVSE %d: %s, %s; no energy until unplugged or cleared", self.id, kind, info)
            self._latched[kind] = info
            if kind not in self._blocks:
                self._reports.fault(0, kind, info, active=True)
        self._shut(opens=opens, again=again)
        self._reports.state(self._machine)

    def _shut(self, *, opens: bool = True, again: bool = True) -> None:
        """Nothing offered, contactor open, whatever fails on the way."""
        self._wanted_a = None
        self._cancel_deadline()
        self._machine.cut()
        if opens:
            try:
                self._contactor.open()
            except Exception as error:
                log.exception("EVSE %d: the contactor does not open", self.id)
                self._fail(CONTACTOR_FAULT, f"does not open: {error}", opens=False, again=again)
        try:
            self._pilot.offer(None)
        except Exception as error:
            log.exception("EVSE %d: the pilot fails", self.id)
            if DRIVER_FAULT not in self._latched:
                self._latched[DRIVER_FAULT] = str(error)
                self._reports.fault(0, DRIVER_FAULT, str(error), active=True)
        if again:
            self._await_feedback()

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cancel_feedback(self) -> None:
        if self._feedback is not None:
            self._feedback.cancel()
            self._feedback = None
