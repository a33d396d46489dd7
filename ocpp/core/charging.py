"""Charging at all EVSEs of the station: hardware facts and driver's wishes find the session they belong to."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from ocpp.clock import Clock
from ocpp.core.admission import Admission
from ocpp.core.authorization import Authorizer
from ocpp.core.cable_locks import CableLocks
from ocpp.core.events import DomainListener, MeterValue, ReadingContext, StopReason, Trigger
from ocpp.core.evse import Evse, Evses, Fault
from ocpp.core.hardware import Hardware
from ocpp.core.identity import NO_AUTHORIZATION, IdToken
from ocpp.core.metering import AlignedMeter
from ocpp.core.readings import MeteringSettings, Readings
from ocpp.core.reservations import Reservations
from ocpp.core.session import ChargingSession
from ocpp.core.settings import SessionSettings
from ocpp.core.smart_charging import SmartCharging
from ocpp.core.transaction import Authorization, Transaction, TransactionStore
from ocpp.storage.database import Database

log = logging.getLogger(__name__)


class Charging:
    """Sessions, and who belongs to which."""

    def __init__(
        self,
        *,
        clock: Clock,
        database: Database,
        evses: Evses,
        hardware: Hardware,
        authorizer: Authorizer,
        settings: SessionSettings,
        metering: MeteringSettings,
        store: TransactionStore,
        listener: DomainListener,
        new_id: Callable[[], str],
        spawn: Callable[[Awaitable[None]], None],
        online: Callable[[], bool],
        may_start: Callable[[], bool],
        reservations: Reservations,
        smart: Callable[[Callable[[Evse], None]], SmartCharging],
    ) -> None:
        self.clock = clock
        self.database = database
        self.evses = evses
        self.hardware = hardware
        self.authorizer = authorizer
        self.settings = settings
        self.metering = metering
        self.store = store
        self.listener = listener
        self.new_id = new_id
        self.spawn = spawn
        self.online = online
        self.may_start = may_start
        """Whether a transaction may begin as far as CSMS, queue and resets are concerned."""
        self.reservations = reservations
        self.smart = smart(self._limit_applies)
        self.smart.rate_changed = self._rate_changed
        self.on_transaction_end: list[Callable[[], None]] = [self.smart.transaction_ended]
        self.floating: ChargingSession | None = None
        """A session whose driver is known and whose EVSE is not yet."""
        self.unsettled: dict[int, Callable[[], None]] = {}
        """By EVSE: ends what an earlier run left open there, before anything new may draw."""
        self.plug_order: list[int] = []
        """EVSEs in the order in which cars were plugged in, the newest last."""
        self.admission = Admission(self)
        self.locks = CableLocks(self)
        self._readings = Readings(metering, clock)
        self._aligned = (
            AlignedMeter(metering.aligned_interval, clock, self._sample_aligned),
            AlignedMeter(metering.aligned_ended_interval, clock, self._keep_aligned),
        )

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin clock-aligned metering and follow changed intervals; watch over the reservations."""
        self.reservations.start()
        self.smart.start()
        self.locks.start()
        self._start_aligned()
        for handle in (self.metering.aligned_interval, self.metering.aligned_ended_interval):
            handle.on_change(lambda _: self._start_aligned())
        for handle in (self.metering.updated_interval, self.metering.ended_interval):
            handle.on_change(lambda _: self._restart_meters())

    def stop(self) -> None:
        """No more timers; transactions stay open on disk."""
        for meter in self._aligned:
            meter.stop()
        self.reservations.stop()
        self.smart.stop()
        for session in self.sessions:
            session.close()
        for evse in self.evses:
            self.hardware.stop_energy(evse.id)

    def clock_changed(self) -> None:
        """The wall clock was set: aligned samples and reservations follow it."""
        self._start_aligned()
        self.reservations.review()
        self.smart.review()

    def reconsider(self) -> None:
        """Something about the whole station has changed, such as its acceptance by the CSMS."""
        for session in self.sessions:
            session.reconsider()

    def _start_aligned(self) -> None:
        for meter in self._aligned:
            meter.start()

    def _restart_meters(self) -> None:
        for session in self.sessions:
            if session.transaction is not None:
                session.meter.start()

    @property
    def sessions(self) -> list[ChargingSession]:
        """Every session, the one without an EVSE last."""
        found = [evse.session for evse in self.evses if evse.session is not None]
        return [*found, self.floating] if self.floating is not None else found

    @property
    def transactions(self) -> list[Transaction]:
        """Every ongoing transaction."""
        return [session.transaction for session in self.sessions if session.transaction is not None]

    def session_of(self, transaction_id: str) -> ChargingSession | None:
        """The session whose transaction has that id."""
        for session in self.sessions:
            if session.transaction is not None and session.transaction.id == transaction_id:
                return session
        return None

    def save(self, transaction: Transaction) -> None:
        """Store a transaction that changed without an event."""
        with self.database.transaction():
            self.store.save(transaction)

    def accepts_transaction(self, session: ChargingSession) -> bool:
        """Whether a new transaction may begin there: in service, and somebody will take its messages."""
        if not self.may_start():
            log.warning("no transaction is started: the station was not accepted yet, or its queue is full")
            return False
        evse = session.evse
        if evse is None:
            return self.evses.operative
        self.settle(evse)
        connector = session.connector or evse.connectors[0]
        return self.evses.is_operative(evse, connector)

    def settle(self, evse: Evse | None) -> None:
        """Something new begins at an EVSE: what an earlier run left open there ends before."""
        end = self.unsettled.pop(evse.id, None) if evse is not None else None
        if end is not None:
            end()

    # -- facts from the hardware ----------------------------------------------------------------------------------

    def cable_plugged(self, evse_id: int, connector_id: int) -> None:
        """A cable was plugged in."""
        evse = self.evses[evse_id]
        connector = evse.connector(connector_id)
        if connector.plugged:
            return
        connector.plugged = True
        self.locks.forget_owner(connector)
        if evse.plugged_connector is not connector:
            # One EVSE charges one EV at a time (E01.FR.14): this one has to wait until the other has gone.
            self.listener.connector_changed(evse, connector)
            return
        if evse_id in self.plug_order:
            self.plug_order.remove(evse_id)
        self.plug_order.append(evse_id)
        session = self._claim(evse)
        session.cable_plugged()
        self.listener.connector_changed(evse, connector)
        nobody = IdToken("", NO_AUTHORIZATION)
        if (
            not self.authorizer.required
            and session.authorization is None
            and self.reservations.admits(evse, nobody, None)
        ):
            session.authorize(Authorization(nobody))

    def cable_unplugged(self, evse_id: int, connector_id: int) -> None:
        """The cable is gone."""
        evse = self.evses[evse_id]
        connector = evse.connector(connector_id)
        if not connector.plugged:
            return
        served = evse.plugged_connector is connector
        connector.plugged = False
        connector.left = connector.in_socket
        if not served:
            self.listener.connector_changed(evse, connector)
            return
        evse.energy_flows = evse.ev_requests_energy = evse.sated = False
        session = evse.session
        if session is not None:
            session.cable_unplugged()
        goes_on = session is not None and session.authorization is not None
        if self.settings.unlock_on_ev_side_disconnect and not goes_on:
            self.locks.unlock(evse, connector)
        self.locks.unplugged(evse, connector)
        self.listener.connector_changed(evse, connector)
        waiting = evse.plugged_connector
        if waiting is not None and not evse.in_use:
            waiting.plugged = False
            self.cable_plugged(evse_id, waiting.id)

    def plug_seen(self, evse_id: int, connector_id: int, present: bool) -> None:
        """What the socket's own contact says."""
        evse = self.evses[evse_id]
        connector = evse.connector(connector_id)
        if connector.in_socket is not present:
            connector.in_socket = present
            connector.left = connector.left and present
            self.listener.connector_changed(evse, connector)

    def ev_state_changed(self, evse_id: int, *, requests_energy: bool, energy_flows: bool) -> None:
        """What the EV asks for, and whether it gets it (pilot C or D; contactor closed and current flowing)."""
        evse = self.evses[evse_id]
        if (evse.ev_requests_energy, evse.energy_flows) == (requests_energy, energy_flows):
            return
        if requests_energy is not evse.ev_requests_energy:
            evse.sated = not requests_energy and evse.offers
        evse.ev_requests_energy, evse.energy_flows = requests_energy, energy_flows
        if evse.session is not None:
            evse.session.reconsider()

    def session_stopped(self, evse_id: int) -> None:
        """The EV has ended its ISO 15118 session for good."""
        session = self.evses[evse_id].session
        if session is not None:
            session.stopped_by_ev()

    def bay_changed(self, evse_id: int, occupied: bool) -> None:
        """The parking bay sensor's word."""
        evse = self.evses[evse_id]
        if evse.bay_occupied is not occupied:
            evse.bay_occupied = occupied
            self._claim(evse).bay_changed(occupied)

    def fault_changed(self, evse_id: int, connector_id: int, fault: Fault, *, active: bool) -> None:
        """A fault came or went; connector 0 is the EVSE, EVSE 0 the station."""
        faults = self._faults(evse_id, connector_id)
        if active:
            faults[fault.kind] = fault
        elif faults.pop(fault.kind, None) is None:
            return
        for evse in self.evses if evse_id == 0 else [self.evses[evse_id]]:
            if evse.session is not None:
                evse.session.faulted(fault.kind) if active else evse.session.reconsider()
            if evse_id and connector_id:
                self.listener.connector_changed(evse, evse.connector(connector_id))
            else:
                self.listener.evse_changed(evse)

    def _faults(self, evse_id: int, connector_id: int) -> dict[str, Fault]:
        if evse_id == 0:
            return self.evses.faults
        evse = self.evses[evse_id]
        return evse.connector(connector_id).faults if connector_id else evse.faults

    def limit_changed(self, evse_id: int, limit_a: float | None) -> None:
        """What the EVSE may deliver has changed; None: what its connector can carry."""
        evse = self.evses[evse_id]
        evse.limit_a = limit_a
        self.smart.review()

    def _limit_applies(self, evse: Evse) -> None:
        if evse.session is not None:
            evse.session.reconsider()

    def _rate_changed(self, evse: Evse) -> None:
        if evse.session is not None:
            evse.session.rate_changed()

    def keep(self, session: ChargingSession) -> None:
        """Let a session that was found for somebody be the one of its EVSE, or wait for one."""
        if session.evse is not None:
            session.evse.session = session
        else:
            self.floating = session

    def _claim(self, evse: Evse) -> ChargingSession:
        """The session of an EVSE where something begins: its own, or the one that waited for an EVSE."""
        if evse.session is None:
            floating = self.floating
            if floating is not None and (not floating.evse_ids or evse.id in floating.evse_ids):
                floating.evse = evse
                self.floating = None
                evse.session = floating
            else:
                evse.session = ChargingSession(self, evse)
        return evse.session

    def session_changed(self, session: ChargingSession) -> None:
        """Called by a session after every change."""
        evse = session.evse
        if evse is not None:
            self.listener.connector_changed(evse, evse.plugged_connector or evse.connectors[0])
        if session.transaction is None:
            for listener in tuple(self.on_transaction_end):
                listener()
        if session.idle:
            session.close()
            if evse is not None and evse.session is session:
                evse.session = None
            if self.floating is session:
                self.floating = None
        self.reservations.review()

    def remote_stop(self, transaction_id: str) -> bool:
        """Stop a transaction for the CSMS; False when none has that id (F03.FR.08)."""
        session = self.session_of(transaction_id)
        if session is None:
            return False
        session.stop(Trigger.REMOTE_STOP, StopReason.REMOTE)
        return True

    def end_all(self, trigger: Trigger, reason: StopReason, evse_id: int | None = None) -> None:
        """End every transaction, of one EVSE or of all."""
        for session in self.sessions:
            if session.transaction is not None and (evse_id is None or (session.evse and session.evse.id == evse_id)):
                session.end(trigger, reason)

    # -- metering -------------------------------------------------------------------------------------------------

    def _sample_aligned(self, at: datetime) -> None:
        if not self.metering.aligned_enabled.value:
            return
        if self.metering.aligned_when_idle_only.value and self.transactions:
            return  # J01.FR.20
        self._sample_main_meter(at)
        for evse in self.evses:
            session = evse.session
            if session is None or session.transaction is None:
                value = self.value_now(evse, ReadingContext.SAMPLE_CLOCK, at)
                if value is not None:
                    self.listener.aligned_values(evse.id, value)
            elif not self.metering.idle_only(evse.id):
                value = session.meter.value(ReadingContext.SAMPLE_CLOCK, self.metering.aligned_updated, at)
                if value is not None:
                    session.reports.report_samples(value)

    def _sample_main_meter(self, at: datetime) -> None:
        """The whole station is EVSE 0 (J01.FR.03, J01.FR.04)."""
        reading = self.hardware.read_main_meter()
        value = self._readings.value(reading, ReadingContext.SAMPLE_CLOCK, self.metering.aligned, at)
        if value is not None:
            self.listener.aligned_values(0, *self.metering.with_public_keys((value,), None))

    def _keep_aligned(self, at: datetime) -> None:
        for session in self.sessions:
            if session.transaction is not None and self.metering.aligned_enabled.value:
                session.meter.keep_aligned(at)

    def value_now(self, evse: Evse, context: ReadingContext, at: datetime | None = None) -> MeterValue | None:
        """What the EVSE's meter says now, of the aligned measurands, as it is told outside of transactions."""
        value = self._readings.value(self.hardware.read_meter(evse.id), context, self.metering.aligned, at)
        return self.metering.with_public_keys((value,), None)[0] if value is not None else None
