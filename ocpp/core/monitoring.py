"""Monitors on variables: which there are, what they see, and the events that come of it (block N)."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial

import msgspec

from ocpp.clock import Clock, Timer
from ocpp.core.evse import Evses
from ocpp.core.monitor import CRITERIA, PERIODICS, THRESHOLDS, Monitor, MonitorType, Origin
from ocpp.device_model import DeviceModel
from ocpp.device_model.definition import Mutability
from ocpp.device_model.entry import Entry
from ocpp.errors import DeviceModelError, StorageError
from ocpp.storage.documents import DocumentRepository
from ocpp.storage.state import StateRepository

MAX_MONITORS = 200
"""Monitors of all kinds together."""

FIRST_CUSTOM_ID = 1001
"""Hard-wired and preconfigured monitors have the numbers below."""

POLL_INTERVAL_S = 1.0
"""How often values that are measured on demand are looked at while somebody monitors them."""

DAY_S = 86400

NEXT_ID_KEY, EVENT_ID_KEY, CLEARED_KEY = "next_monitor_id", "next_event_id", "cleared_monitors"

log = logging.getLogger(__name__)


class MonitorEvent(msgspec.Struct, frozen=True):
    """Something a monitor has seen (EventDataType)."""

    id: int
    timestamp: datetime
    trigger: str
    value: str
    monitor: Monitor
    entry: Entry
    cleared: bool = False
    transaction_id: str | None = None


class Monitoring:
    """All monitors. `listener` gets the events that the CSMS wants to know of."""

    def __init__(
        self,
        repository: DocumentRepository,
        state: StateRepository,
        model: DeviceModel,
        evses: Evses,
        clock: Clock,
        built_in: Sequence[Monitor] = (),
    ) -> None:
        self._repository = repository
        self._state = state
        self._model = model
        self._evses = evses
        self._clock = clock
        self._built_in = {each.id: each for each in built_in}
        self._stored: dict[int, Monitor] = {}
        for data in repository.load():
            monitor = msgspec.json.decode(data, type=Monitor)
            self._stored[monitor.id] = monitor
        self._enabled = model.boolean("MonitoringCtrlr/Enabled")
        self._base = model.text("MonitoringCtrlr/ActiveMonitoringBase")
        self._level = model.integer("MonitoringCtrlr/ActiveMonitoringLevel")
        self._offline_severity = model.integer("MonitoringCtrlr/OfflineQueuingSeverity")
        self._accepted = False
        self._watched: dict[str, Entry] = {}
        self._timers: dict[int, Timer] = {}
        self._poll: Timer | None = None
        self._running = False
        self.listener: Callable[[MonitorEvent], None] = lambda event: None

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Watch the variables."""
        self._running = True
        self._rewatch()
        self._look_at_all()

    def accepted(self) -> None:
        """The CSMS can be told: thresholds that are not exceeded any more since the last run come first (N07.FR.14)."""
        self._accepted = True
        self._look_at_all()

    def _look_at_all(self) -> None:
        for monitor in self.active:
            self._look(monitor)

    def keeps(self, monitor: Monitor) -> bool:
        """Whether its events matter enough to be kept while nobody can be told (N07.FR.04, N08.FR.03)."""
        return monitor.severity <= self._offline_severity.value

    def stop(self) -> None:
        """No timers any more."""
        self._running = False
        for timer in (*self._timers.values(), self._poll):
            if timer is not None:
                timer.cancel()
        self._timers.clear()

    # -- which there are ------------------------------------------------------------------------------------------

    @property
    def active(self) -> list[Monitor]:
        """The monitors in force, built-in ones first: by base, and without those that were cleared or changed."""
        cleared = set(self._state.get(CLEARED_KEY, []))
        found = []
        for monitor in self._built_in.values():
            shown = monitor.origin is Origin.HARD_WIRED or (
                self._base.value != "HardWiredOnly" and monitor.id not in cleared
            )
            if shown and (monitor.id not in self._stored or self._stored[monitor.id].origin is not Origin.CUSTOM):
                found.append(self._stored.get(monitor.id, monitor))
        return [*found, *(each for each in self._stored.values() if each.origin is Origin.CUSTOM)]

    def get(self, monitor_id: int) -> Monitor | None:
        """A monitor in force."""
        return next((each for each in self.active if each.id == monitor_id), None)

    def set(self, wish: Monitor) -> tuple[str, str, int | None]:
        """Install a monitor, or change the one with its id (0: a new one); status, reason code, id (N04).

        The variable exists and can be monitored so: `monitor.defect` has said so.
        """
        if wish.id:
            before = self.get(wish.id)
            if before is None or before.address != wish.address:
                return "Rejected", "InvalidValue", None
            if before.origin is Origin.HARD_WIRED:
                return "Rejected", "ReadOnly", None
            wish.exceeded, wish.reference = before.exceeded, None
        if any(each.id != wish.id and each.same_definition(wish) for each in self.active):
            return "Duplicate", "", None
        if not wish.id and len(self.active) >= MAX_MONITORS:
            return "Rejected", "TooManyElements", None
        wish.id = wish.id or self._new_id()
        self._repository.put(wish.id, msgspec.json.encode(wish))
        self._stored[wish.id] = wish
        self._rewatch()
        self._look(wish)
        return "Accepted", "", wish.id

    def _new_id(self) -> int:
        number = max(int(self._state.get(NEXT_ID_KEY, FIRST_CUSTOM_ID)), FIRST_CUSTOM_ID)
        self._state.put(NEXT_ID_KEY, number + 1)
        return number

    def clear(self, monitor_id: int) -> str:
        """Remove a monitor (N06): Accepted, NotFound, or Rejected for a hard-wired one. Nothing is told (N07.FR.12)."""
        monitor = self.get(monitor_id)
        if monitor is None:
            return "NotFound"
        if monitor.origin is Origin.HARD_WIRED:
            return "Rejected"
        self._forget(monitor_id)
        if monitor_id in self._built_in:
            self._state.put(CLEARED_KEY, sorted({*self._state.get(CLEARED_KEY, []), monitor_id}))
        self._rewatch()
        return "Accepted"

    def _forget(self, monitor_id: int) -> None:
        if self._stored.pop(monitor_id, None) is not None:
            self._repository.remove(monitor_id)

    def set_base(self, base: str) -> None:
        """All, FactoryDefault or HardWiredOnly (N03.FR.03-05)."""
        if base != "All":
            for monitor in tuple(self._stored.values()):
                if monitor.origin is Origin.CUSTOM:
                    self._forget(monitor.id)
        self._state.put(CLEARED_KEY, [])
        self._base.set(base)
        self._rewatch()

    def report(self, criteria: Iterable[str], wanted: Callable[[Entry], bool]) -> list[tuple[Entry, list[Monitor]]]:
        """The monitors that meet one of the criteria (none: all), by variable (N02)."""
        types = frozenset().union(*(CRITERIA[each] for each in criteria)) or frozenset(MonitorType)
        found: dict[str, tuple[Entry, list[Monitor]]] = {}
        for monitor in self.active:
            entry = self._entry(monitor)
            if entry is not None and monitor.type in types and wanted(entry):
                found.setdefault(monitor.address, (entry, []))[1].append(monitor)
        return list(found.values())

    # -- watching -------------------------------------------------------------------------------------------------

    def _entry(self, monitor: Monitor) -> Entry | None:
        entry = self._watched.get(monitor.address)
        if entry is None:
            try:
                entry = self._model.entry(monitor.address)
            except DeviceModelError:
                return None
        return entry

    def _rewatch(self) -> None:
        """Listen to every variable that has a monitor; set the timers of the periodic ones."""
        if not self._running:
            return
        active = self.active
        measured = False
        for monitor in active:
            entry = self._entry(monitor)
            if entry is None:
                log.warning("monitor %d is on %s, which does not exist", monitor.id, monitor.address)
                continue
            if monitor.address not in self._watched:
                self._watched[monitor.address] = entry
                entry.watchers.append(partial(self._changed, monitor.address))
            measured = measured or (entry.getter is not None and monitor.type not in PERIODICS)
            if monitor.type is MonitorType.DELTA and monitor.reference is None:
                monitor.reference = self._value(entry)
            if monitor.type in PERIODICS and monitor.id not in self._timers:
                self._schedule(monitor)
        wanted = {monitor.id for monitor in active}
        for monitor_id in [number for number in self._timers if number not in wanted]:
            self._timers.pop(monitor_id).cancel()
        if measured and self._poll is None:
            self._poll = self._clock.call_later(POLL_INTERVAL_S, self._poll_measured)

    def _poll_measured(self) -> None:
        self._poll = None
        measured = False
        for monitor in self.active:
            entry = self._entry(monitor)
            if entry is not None and entry.getter is not None and monitor.type not in PERIODICS:
                measured = True
                self._look(monitor)
        if measured and self._running:
            self._poll = self._clock.call_later(POLL_INTERVAL_S, self._poll_measured)

    def _changed(self, address: str) -> None:
        for monitor in self.active:
            if monitor.address == address:
                self._look(monitor, written=True)

    @staticmethod
    def _value(entry: Entry) -> str:
        """What may be told: never a secret (N07.FR.10)."""
        return "" if entry.definition.mutability is Mutability.WRITE_ONLY else entry.value()

    def _look(self, monitor: Monitor, *, written: bool = False) -> None:
        entry = self._entry(monitor)
        if entry is None or not self._running or not self._enabled.value:
            return
        value = self._value(entry)
        if monitor.type in THRESHOLDS:
            self._compare(monitor, entry, value)
        elif monitor.type is MonitorType.DELTA:
            secret = entry.definition.mutability is Mutability.WRITE_ONLY
            if (written or not secret) and monitor.differs(value, entry.definition):
                monitor.reference = value
                self._tell(monitor, entry, "Delta", value)

    def _compare(self, monitor: Monitor, entry: Entry, value: str) -> None:
        if not self._accepted and not self.keeps(monitor):
            return
        exceeded = monitor.exceeds(value)
        if exceeded is monitor.exceeded or not self._applies(monitor, entry):
            return
        monitor.exceeded = exceeded
        self._remember(monitor)
        self._tell(monitor, entry, "Alerting", value, cleared=not exceeded)

    def _remember(self, monitor: Monitor) -> None:
        try:
            self._repository.put(monitor.id, msgspec.json.encode(monitor), durable=False)
            self._stored[monitor.id] = monitor
        except StorageError as error:
            log.error("what monitor %d has seen is not kept: %s", monitor.id, error)

    # -- periodic ones --------------------------------------------------------------------------------------------

    def _schedule(self, monitor: Monitor) -> None:
        period = float(monitor.value)
        wait = period
        if monitor.type is MonitorType.PERIODIC_CLOCK_ALIGNED:
            second = self._clock.unix() % DAY_S
            wait = min(period - second % period, DAY_S - second)
        self._timers[monitor.id] = self._clock.call_later(wait, lambda: self._periodic(monitor.id))

    def _periodic(self, monitor_id: int) -> None:
        self._timers.pop(monitor_id, None)
        monitor = self.get(monitor_id)
        entry = self._entry(monitor) if monitor is not None else None
        if monitor is None or entry is None or not self._running:
            return
        if self._enabled.value:
            self._tell(monitor, entry, "Periodic", self._value(entry))
        self._schedule(monitor)

    # -- telling --------------------------------------------------------------------------------------------------

    def _transaction(self, entry: Entry) -> str | None:
        """The transaction that a component has to do with."""
        evse_id = entry.component.evse
        for evse in self._evses:
            session = evse.session
            if evse_id in (None, evse.id) and session is not None and session.transaction is not None:
                return session.transaction.id
        return None

    def _applies(self, monitor: Monitor, entry: Entry) -> bool:
        return not monitor.in_transaction or self._transaction(entry) is not None

    def _tell(self, monitor: Monitor, entry: Entry, trigger: str, value: str, *, cleared: bool = False) -> None:
        if monitor.severity > self._level.value or not self._applies(monitor, entry):
            return
        number = int(self._state.get(EVENT_ID_KEY, 1))
        self._state.put(EVENT_ID_KEY, number + 1, durable=False)
        transaction_id = self._transaction(entry) if entry.component.evse is not None else None
        self.listener(
            MonitorEvent(
                number,
                self._clock.now(),
                trigger,
                value,
                monitor,
                entry,
                cleared=cleared,
                transaction_id=transaction_id,
            )
        )


def standard_monitors(evses: Evses, has_lock: Callable[[int, int], bool]) -> list[Monitor]:
    """What a station comes with: a problem of the station or of a lock (G05.FR.02) is always told, one of an EVSE unless
    the CSMS objects.
    """
    found = [_problem(1, "ChargingStation/Problem", 2, Origin.HARD_WIRED)]
    found += [
        _problem(number, f"EVSE@{evse.id}/Problem", 3, Origin.PRECONFIGURED) for number, evse in enumerate(evses, 2)
    ]
    locks = [each for each in evses.connectors if has_lock(each.evse_id, each.id)]
    found += [
        _problem(number, f"ConnectorPlugRetentionLock@{each.evse_id}.{each.id}/Problem", 3, Origin.HARD_WIRED)
        for number, each in enumerate(locks, len(found) + 1)
    ]
    return found


def _problem(number: int, address: str, severity: int, origin: Origin) -> Monitor:
    return Monitor(
        id=number, address=address, type=MonitorType.DELTA, value=Decimal(1), severity=severity, origin=origin
    )
