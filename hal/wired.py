"""A station of real parts: builds them from their descriptions, wires them to EVSEs, and keeps them safe."""

import logging
import math
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from hal.attention import Attention
from hal.bench import Bench
from hal.boards import Board
from hal.clock import Clock, Timer
from hal.drivers import make
from hal.errors import DriverError, HardwareError, PartsError
from hal.evse import CONTACTOR_FAULT, METER_FAULT, Evse
from hal.iec61851 import PilotState
from hal.indication import Indications
from hal.interfaces import Display, EvController, EvseListener, Lock, Meter, PartDescription, Reading
from hal.keeper import Keeper
from hal.meters.sessions import SignedSessions
from hal.parts import Part, Role
from hal.reports import PILOT_FAULT
from hal.safety import LOOP_FAULT, SafetyLoop
from hal.watchdog import Watchdog, notify

BEAT_S = 0.1
"""How often the event loop tells the safety loop that it lives."""

PILOT_DEADLINE_S = 0.06
"""A pilot that was not sampled for so long is lost; with the safety loop's period it aims at 100 ms (table A.6)."""

PILOT_START_S = 2.0
"""So long after the start a pilot may be seen for the first time before that is a fault."""

METER_DEADLINE_S = 30.0
"""A meter that has not answered for so long ends charging: no energy without a record."""

KEEPER_RETRY_S = 10.0
"""How long after a keeper was lost, or could not be started, it is started again."""

READER_FAULT = "ReaderFailure"
LOCK_FAULT = "ConnectorLockFailure"
POWER_FAULT = "UnderVoltage"

FAULTS = {
    Role.RESIDUAL_CURRENT: "GroundFailure",
    Role.EMERGENCY_STOP: "EmergencyStop",
    Role.TEMPERATURE: "HighTemperature",
}
"""What it means when a part of that role says that something is wrong."""

log = logging.getLogger(__name__)


class NoMeter:
    """See `hal.interfaces.Meter`: there is none, and nothing is measured."""

    def read(self) -> Reading:
        """Nothing."""
        return Reading(())


class WiredStation:
    """EVSEs by number from 1. The constructor raises PartsError when parts cannot be used; nothing stays open then."""

    def __init__(
        self,
        evses: int,
        descriptions: tuple[PartDescription, ...],
        *,
        board: Board,
        clock: Clock,
        to_loop: Callable[[Callable[[], object]], object],
        listener: EvseListener,
        watchdog: str | None = None,
    ) -> None:
        self._clock = clock
        self._listener = listener
        self.bench = Bench(board, clock, to_loop)
        self.safety = SafetyLoop(self._found_wrong, clock=clock.monotonic)
        self.safety.opened = lambda number: to_loop(partial(self._opened, number))
        self.parts: list[tuple[PartDescription, Part]] = []
        self.displays: dict[int, Display] = {}
        self._texts: dict[int, tuple[str, ...]] = {}
        self.attention = Attention(self._needs_attention, clock)
        self.controllers: dict[int, EvController] = {}
        self._beat_timer: Timer | None = None
        self._running = False
        self._keeper: Keeper | None = None
        self._keeper_tried_at = 0.0
        self._started_at = clock.monotonic()
        try:
            self._watchdog = self._make_parts(descriptions, evses, watchdog)
            self._evses = {number: self._build(number) for number in range(1, evses + 1)}
            self.indications = Indications(self._evses, partial(self.of, Role.INDICATOR), clock)
            self._wire()
            self._keeper = self._make_keeper()
        except BaseException:
            self._stop_parts()
            self.bench.close()
            raise

    # -- building -------------------------------------------------------------------------------------------------

    def _make_parts(
        self, descriptions: tuple[PartDescription, ...], evses: int, watchdog: str | None
    ) -> Watchdog | None:
        """Open every part and the watchdog; PartsError names all that cannot be used, not only the first."""
        failures: dict[str, HardwareError] = {}
        for each in descriptions:
            try:
                self._check_place(each, evses)
                self.parts.append((each, make(self.bench, each.name, each.driver, each.options)))
            except HardwareError as error:
                failures[each.name] = error
        opened: Watchdog | None = None
        try:
            opened = Watchdog(watchdog) if watchdog is not None and not failures else None
        except HardwareError as error:
            failures["the watchdog"] = error
        if failures:
            raise PartsError(failures)
        return opened

    @staticmethod
    def _check_place(described: PartDescription, evses: int) -> None:
        if not 0 <= described.evse <= evses:
            raise DriverError(f"{described.name}: there is no EVSE {described.evse}; known are 1 to {evses}")

    def of(self, role: Role, evse_id: int) -> list[Any]:
        """Every part of a role at an EVSE; those of the whole station count for each EVSE."""
        found: list[Any] = []
        for described, part in self.parts:
            if described.evse == evse_id or (described.evse == 0 and role is not Role.METER):
                found += [part] if part.role is role else part.also.get(role, [])
        return found

    def _one(self, role: Role, evse_id: int) -> Any:
        found = self.of(role, evse_id)
        if len(found) != 1:
            raise DriverError(f"EVSE {evse_id} needs one {role}, and has {len(found)}")
        return found[0]

    def _build(self, number: int) -> Evse:
        meters = self.of(Role.METER, number)
        if len(meters) > 1:
            raise DriverError(f"EVSE {number} has {len(meters)} meters; one counts what is billed")
        if not meters:
            log.warning("EVSE %d has no meter: nothing is measured", number)
        meter: Meter = meters[0] if meters else NoMeter()
        locks: dict[int, Lock] = {}
        for described, part in self.parts:
            if described.evse == number and part.role is Role.LOCK:
                locks[described.connector] = part  # type: ignore[assignment]
        pilot, contactor = self._one(Role.PILOT, number), self._one(Role.CONTACTOR, number)
        return Evse(
            number,
            pilot=pilot,
            contactor=self.safety.guard(number, contactor),
            meter=meter,
            locks=locks,
            clock=self._clock,
            listener=self._hears(meter),
            ventilated=pilot.ventilated,
            carries=partial(self._carries, number),
            phase_switch=contactor if contactor.switches_phases else None,
        )

    def _carries(self, number: int) -> float:
        """What the parts at an EVSE can carry, in A; a socket's cable that codes nothing carries nothing."""
        cables = [part.rating_a or 0.0 for part in self.of(Role.PROXIMITY, number)]
        return min([*cables, *(part.most_a for part in self.of(Role.TEMPERATURE, number))], default=math.inf)

    def _hears(self, meter: Any) -> EvseListener:
        """Who hears of an EVSE; what happens there waits for the signature of a meter that signs."""
        if not getattr(meter, "signs", False):
            return self._listener
        return cast(EvseListener, SignedSessions(self._listener, meter, self._clock))

    def _wire(self) -> None:
        for number in self._evses:
            self._watch_over(number)
        for described, part in self.parts:
            wired: Any = part
            if part.role is Role.READER:
                wired.presented = partial(self._presented, (described.evse,) if described.evse else ())
                self.attention.watch(described.evse, READER_FAULT, part.name, getattr(part, "wrong", _fine))
            elif part.role is Role.LOCK:
                self.attention.watch(described.evse, LOCK_FAULT, part.name, getattr(part, "wrong", _fine))
            elif part.role is Role.DISPLAY:
                self.displays[described.evse] = wired
            elif part.role is Role.BAY:
                wired.changed = partial(self._listener.bay, described.evse)
            elif part.role is Role.TAMPER:
                wired.changed = partial(self._tampered, described.evse, part.name)

    def _watch_over(self, number: int) -> None:
        """Everything that has to be in order while the contactor is closed."""
        pilot = self._one(Role.PILOT, number)
        pilot.changed = partial(self.bench.to_loop, partial(self._pilot_changed, number))
        for part in self.of(Role.TEMPERATURE, number):
            part.changed = partial(self.bench.to_loop, self._carries_changed)
        for contact in self.of(Role.PROXIMITY, number):
            contact.changed = partial(self.bench.to_loop, partial(self._cable_changed, number, contact))
        for monitor in self.of(Role.RESIDUAL_CURRENT, number):
            self._watch_with(monitor, number)
        self.safety.watch(number, "pilot", partial(_not_charging, pilot))
        self.safety.watch(number, "pilot sampling", partial(self._too_old, pilot), PILOT_FAULT)
        self.safety.watch(number, pilot.name, pilot.wrong, PILOT_FAULT)
        contactor = self._one(Role.CONTACTOR, number)
        self.safety.watch(number, contactor.name, contactor.wrong, CONTACTOR_FAULT)
        self.safety.watch(number, f"mains at {contactor.name}", contactor.unpowered, POWER_FAULT)
        for role, kind in FAULTS.items():
            for part in self.of(role, number):
                self.safety.watch(number, part.name, part.wrong, kind)
        for meter in self.of(Role.METER, number):
            self.safety.watch(number, meter.name, partial(self._silent, meter), METER_FAULT)

    def _carries_changed(self) -> None:
        for evse in self._evses.values():
            evse.carries_changed()

    def _cable_changed(self, number: int, contact: Any) -> None:
        self._carries_changed()
        connector = next((each.connector for each, part in self.parts if part is contact), 1)
        self._listener.socket(number, connector, contact.rating_a is not None)

    def _watch_with(self, monitor: Any, number: int) -> None:
        """A monitor of the whole station watches over every EVSE, and is tested while nothing flows at any."""
        numbers = [each for each in self._evses if monitor in self.of(Role.RESIDUAL_CURRENT, each)]
        monitor.idle = lambda: not any(self.safety.closed(each) for each in numbers)
        monitor.gone = lambda: not any(self._evses[each].plugged for each in numbers)
        self.safety.hold(number, monitor.testing)

    def _pilot_changed(self, number: int) -> None:
        evse = self._evses[number]
        was_plugged = evse.plugged
        evse.pilot_changed()
        if evse.plugged and not was_plugged:
            for monitor in self.of(Role.RESIDUAL_CURRENT, number):
                monitor.plugged()

    def _too_old(self, pilot: Any, now: float) -> str:
        if pilot.seen_at == -math.inf:
            return "the pilot was never sampled" if now - self._started_at > PILOT_START_S else ""
        age = now - pilot.seen_at
        return f"the pilot was not sampled for {age * 1000:.0f} ms" if age > PILOT_DEADLINE_S else ""

    def _silent(self, meter: Any, now: float) -> str:
        age = now - max(meter.read_at, self._started_at)
        return f"no reading for {age:.0f} s" if age > METER_DEADLINE_S else ""

    def _make_keeper(self) -> Keeper | None:
        """None where there is no output that could stay on, such as behind a front end that watches over itself."""
        if not self.bench.safe:
            return None
        keeper = Keeper(tuple(self.bench.safe))
        for number in self._evses:
            self.safety.watch(number, "keeper", keeper.check, LOOP_FAULT)
        self.safety.pulse = keeper.pulse
        return keeper

    def _tampered(self, evse_id: int, name: str, active: bool) -> None:
        log.log(logging.WARNING if active else logging.INFO, "%s: %s", name, "opened" if active else "closed again")
        self._listener.tamper(evse_id, active, name)

    def _needs_attention(self, evse_id: int, kind: str, reason: str, active: bool) -> None:
        self._listener.fault(evse_id, 0, kind, active=active, info=reason[:50], vendor_code="")

    def _presented(self, evse_ids: tuple[int, ...], value: str, token_type: str) -> None:
        self._listener.token(value, token_type, evse_ids)

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the parts, their threads and the safety loop."""
        self._running = True
        self._started_at = self._clock.monotonic()
        for _, part in self.parts:
            part.start()
        self.bench.start()
        self._start_keeper()
        self._beat()
        self.safety.feed = self._feed
        self.safety.start()
        self.attention.start()
        self.indications.start()

    def stop(self) -> None:
        """Open everything and close every handle, whatever fails on the way."""
        self._running = False
        if self._beat_timer is not None:
            self._beat_timer.cancel()
        self.attention.stop()
        self.indications.stop()
        for evse in self._evses.values():
            evse.shut_down()
        self.safety.stop()
        safe = self._stop_parts()
        self.bench.close()
        if self._keeper is not None:
            self._keeper.stop(safe=safe)
        if self._watchdog is not None:
            self._watchdog.close()

    def _feed(self) -> None:
        notify("WATCHDOG=1")
        if self._watchdog is not None:
            self._watchdog.feed()

    def _stop_parts(self) -> bool:
        """True when every part says that it is in its safe state."""
        safe = True
        for _, part in self.parts:
            try:
                part.stop()
            except Exception as error:  # noqa: BLE001 - the others have to be stopped too
                safe = False
                log.error("%s was not put into its safe state: %s", part.name, error)
        return safe

    def _start_keeper(self) -> None:
        if self._keeper is None:
            return
        self._keeper_tried_at = self._clock.monotonic()
        try:
            self._keeper.start()
        except OSError as error:
            self._keeper.lost = f"the keeper of safe outputs cannot be started: {error.strerror}"

    def _beat(self) -> None:
        self.safety.beat()
        lost = self._keeper is not None and self._keeper.lost
        if lost and self._clock.monotonic() - self._keeper_tried_at >= KEEPER_RETRY_S:
            self._start_keeper()
        if self._running:
            self._beat_timer = self._clock.call_later(BEAT_S, self._beat)

    def _found_wrong(self, evse_id: int, kind: str, reason: str, active: bool) -> None:
        """The safety loop's word, in its thread."""
        self.bench.to_loop(lambda: self._fault(evse_id, kind, reason, active))

    def _opened(self, number: int) -> None:
        if self._running:
            self._evses[number].was_opened()

    def _fault(self, evse_id: int, kind: str, reason: str, active: bool) -> None:
        log.log(logging.ERROR if active else logging.INFO, "EVSE %d: %s %s", evse_id, kind, reason or "is over")
        evse = self._evses[evse_id]
        news = evse.block(kind) if active else evse.unblock(kind)
        if news and self._running:
            self._listener.fault(evse_id, 0, kind, active=active, info=reason[:50], vendor_code="")

    # -- what the program asks ------------------------------------------------------------------------------------

    def evse(self, number: int) -> Evse:
        """The controller of an EVSE, which takes the commands. LookupError when there is none."""
        found = self._evses.get(number)
        if found is None:
            raise LookupError(f"there is no EVSE {number}; known are 1 to {len(self._evses)}")
        return found

    @property
    def plugged(self) -> list[tuple[int, int]]:
        """Where cables are in."""
        return [(number, 1) for number, evse in self._evses.items() if evse.plugged]

    def read_main_meter(self) -> Reading | None:
        """What the meter of the whole station says; None where there is none."""
        mains = [part for described, part in self.parts if part.role is Role.METER and described.evse == 0]
        return cast(Meter, mains[0]).read() if mains else None

    def show_offer(self, number: int) -> None:
        """Real meters find out by themselves."""

    def set_available(self, number: int, connector_id: int, available: bool) -> None:
        """An EVSE goes in or out of service."""
        self.evse(number).set_available(available)

    def ev_session(self, number: int) -> dict[str, Any] | None:
        """What is known of ISO 15118 at an EVSE; None where it is not spoken."""
        return None

    def texts(self, number: int) -> tuple[str, ...]:
        """What a display was told to show; 0 is the station's."""
        return self._texts.get(number, ())

    def show(self, number: int, texts: tuple[str, ...]) -> None:
        """Show texts on a display, where there is one."""
        self._texts[number] = texts
        if number in self.displays:
            self.displays[number].show(texts)

    def indicate(self, number: int, state: str) -> None:
        """Show a state on every indicator of an EVSE, as long as it is of interest."""
        self.indications.tell(number, state)

    def snapshot(self, number: int) -> dict[str, Any]:
        """What an EVSE looks like from outside."""
        evse = self.evse(number)
        values = {(q.measurand, q.phase): q.value for q in evse.read_meter().quantities}
        return {
            "evse": number,
            "pilot": evse.pilot_state.value,
            "plugged": 1 if evse.plugged else None,
            "offered_a": evse.offered_a,
            "energy_wh": values.get(("Energy.Active.Import.Register", None), 0),
            "power_w": values.get(("Power.Active.Import", None), 0),
            "soc": None,
            "connected": evse.plugged,
        }


def _fine(now: float) -> str:
    """Of a part that cannot tell."""
    return ""


def _not_charging(pilot: Any, now: float) -> str:
    serving = pilot.state is PilotState.C or (pilot.state is PilotState.D and pilot.ventilated)
    return "" if serving else f"the pilot is in state {pilot.state}"
