"""Charging at all EVSEs of the station: hardware facts and driver's wishes find the session they belong to."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ocpp.clock import Clock
from ocpp.core.authorization import Authorizer, redacted
from ocpp.core.events import DomainListener, MeterValue, ReadingContext, StopReason, Trigger
from ocpp.core.evse import Connector, Evse, Evses, Fault
from ocpp.core.hardware import Hardware, Indication
from ocpp.core.identity import NO_AUTHORIZATION, AuthorizationInfo, AuthorizationStatus, IdToken, same_authority
from ocpp.core.metering import AlignedMeter, MeteringSettings
from ocpp.core.session import ChargingSession
from ocpp.core.settings import SessionSettings
from ocpp.core.transaction import Authorization, Transaction, TransactionStore
from ocpp.storage.database import Database

LOCK_FAILURE = "ConnectorLockFailure"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RemoteStart:
    """A CSMS's wish to start charging, once an EVSE has been found for it."""

    session: ChargingSession
    token: IdToken
    remote_start_id: int | None
    authorize_first: bool


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
        self._may_start = may_start
        self._floating: ChargingSession | None = None
        self._plug_order: list[int] = []
        self._locking: set[tuple[int, int]] = set()
        self._authorizing: set[str] = set()
        self._aligned = AlignedMeter(lambda: metering.aligned_interval.value, clock, self._sample_aligned)
        self.on_transaction_end: list[Callable[[], None]] = []

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin clock-aligned metering and follow changed intervals."""
        self._aligned.start()
        self.metering.aligned_interval.on_change(lambda _: self._aligned.start())
        for handle in (self.metering.updated_interval, self.metering.ended_interval):
            handle.on_change(lambda _: self._restart_meters())

    def stop(self) -> None:
        """No more timers; transactions stay open on disk."""
        self._aligned.stop()
        for session in self.sessions:
            session.close()
        for evse in self.evses:
            self.hardware.stop_energy(evse.id)

    def clock_changed(self) -> None:
        """The wall clock was set: aligned samples follow it."""
        self._aligned.start()

    def reconsider(self) -> None:
        """Something about the whole station has changed, such as its acceptance by the CSMS."""
        for session in self.sessions:
            session.reconsider()

    def _restart_meters(self) -> None:
        for session in self.sessions:
            if session.transaction is not None:
                session.meter.start()

    @property
    def sessions(self) -> list[ChargingSession]:
        """Every session, the one without an EVSE last."""
        found = [evse.session for evse in self.evses if evse.session is not None]
        return [*found, self._floating] if self._floating is not None else found

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
        if not self._may_start():
            log.warning("no transaction is started: the station was not accepted yet, or its queue is full")
            return False
        evse = session.evse
        if evse is None:
            return self.evses.operative
        connector = session.connector or evse.connectors[0]
        return self.evses.is_operative(evse, connector)

    # -- facts from the hardware ----------------------------------------------------------------------------------

    def cable_plugged(self, evse_id: int, connector_id: int) -> None:
        """A cable was plugged in."""
        evse = self.evses[evse_id]
        connector = evse.connector(connector_id)
        if connector.plugged:
            return
        connector.plugged = True
        if evse_id in self._plug_order:
            self._plug_order.remove(evse_id)
        self._plug_order.append(evse_id)
        session = self._claim(evse)
        session.cable_plugged()
        self.listener.connector_changed(evse, connector)
        if not self.authorizer.required and session.authorization is None:
            session.authorize(Authorization(IdToken("", NO_AUTHORIZATION)))

    def cable_unplugged(self, evse_id: int, connector_id: int) -> None:
        """The cable is gone."""
        evse = self.evses[evse_id]
        connector = evse.connector(connector_id)
        if not connector.plugged:
            return
        connector.plugged = False
        evse.energy_flows = evse.ev_requests_energy = False
        session = evse.session
        if session is not None:
            session.owner = None
            session.cable_unplugged()
        if connector.locked and self.settings.unlock_on_ev_side_disconnect:
            self.unlock(evse, connector)
        self.listener.connector_changed(evse, connector)

    def ev_state_changed(self, evse_id: int, *, requests_energy: bool, energy_flows: bool) -> None:
        """What the EV asks for, and whether it gets it (pilot C or D; contactor closed and current flowing)."""
        evse = self.evses[evse_id]
        if (evse.ev_requests_energy, evse.energy_flows) == (requests_energy, energy_flows):
            return
        evse.ev_requests_energy, evse.energy_flows = requests_energy, energy_flows
        if evse.session is not None:
            evse.session.reconsider()

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
        if evse.session is not None:
            evse.session.reconsider()

    # -- drivers --------------------------------------------------------------------------------------------------

    async def present_token(self, token: IdToken, evse_ids: tuple[int, ...] = ()) -> None:
        """A token was presented at a reader that serves `evse_ids` (empty: all)."""
        served = [evse for evse in self.evses if not evse_ids or evse.id in evse_ids]
        if not served or token.value in self._authorizing:
            return
        self._authorizing.add(token.value)
        try:
            await self._present(token, served)
        finally:
            self._authorizing.discard(token.value)

    async def _present(self, token: IdToken, served: list[Evse]) -> None:
        candidates = [session for session in self.sessions if session.evse is None or session.evse in served]
        if self._stop_own(token, None, candidates) or self._return_cable(token, candidates):
            return
        for evse in served:
            self.hardware.indicate(evse.id, Indication.AUTHORIZING)
        known = self.authorizer.known(token)
        if known is not None and known.accepted and self._stop_own(token, known.group, candidates):
            return
        info = await self.authorizer.authorize(token)
        self._decide(token, info, served)

    def _decide(self, token: IdToken, info: AuthorizationInfo, served: list[Evse]) -> None:
        candidates = [session for session in self.sessions if session.evse is None or session.evse in served]
        self.listener.local_authorization(token, info.status)
        if info.accepted and self.authorizer.is_master(info):
            self._stop_all(token)
            return
        session = self._waiting_session(info, served) if info.accepted else None
        if not info.accepted or (not self._stop_own(token, info.group, candidates) and session is None):
            log.info("token %s may not charge here: %s", redacted(token), info.status)
            for evse in served:
                self.hardware.indicate(evse.id, Indication.REFUSED)
            return
        if session is not None and session.authorization is None:
            self._keep(session)
            session.authorize(Authorization(token, info.group))

    def _stop_own(self, token: IdToken, group: IdToken | None, candidates: list[ChargingSession]) -> bool:
        for session in candidates:
            held = session.authorization
            if held is not None and same_authority(token, group, held.token, held.group):
                session.stop(Trigger.STOP_AUTHORIZED, StopReason.LOCAL, token)
                return True
        return False

    def _return_cable(self, token: IdToken, candidates: list[ChargingSession]) -> bool:
        """The owner of a refused transaction's cable gets it back (C15.FR.05)."""
        for session in candidates:
            if session.owner is not None and session.owner.matches(token) and session.connector is not None:
                session.owner = None
                session.release_cable()
                return True
        return False

    def _stop_all(self, token: IdToken) -> None:
        for session in self.sessions:
            if session.transaction is not None:
                session.stop(Trigger.STOP_AUTHORIZED, StopReason.MASTER_PASS, token)

    def _waiting_session(self, info: AuthorizationInfo, served: list[Evse]) -> ChargingSession | None:
        """Whose authorization this is: the EVSE plugged last, the only one served, or whichever is plugged next."""
        free = [evse for evse in served if info.allows(evse.id) and self._is_free(evse)]
        for evse_id in reversed(self._plug_order):
            for evse in free:
                if evse.id == evse_id and evse.plugged_connector is not None:
                    return self._session_at(evse)
        free = [evse for evse in free if evse.plugged_connector is None]
        if len(free) == 1 or (free and len(served) == 1):
            return self._session_at(free[0])
        if not free or self._floating is not None:
            return None
        session = ChargingSession(self, None)
        session.evse_ids = tuple(evse.id for evse in free)
        return session

    def _is_free(self, evse: Evse) -> bool:
        """Whether somebody new may be authorized there."""
        connector = evse.plugged_connector or evse.connectors[0]
        if not self.evses.is_operative(evse, connector) or self.evses.blocking_faults(evse, connector):
            return False
        session = evse.session
        if session is None:
            return True
        # A transaction that lost its authorization is not handed to somebody else (C01.FR.23).
        taken = session.transaction is not None and session.transaction.token is not None
        return session.authorization is None and not taken

    def _session_at(self, evse: Evse) -> ChargingSession:
        return evse.session if evse.session is not None else ChargingSession(self, evse)

    def _keep(self, session: ChargingSession) -> None:
        if session.evse is not None:
            session.evse.session = session
        else:
            self._floating = session

    def _claim(self, evse: Evse) -> ChargingSession:
        """The session of an EVSE where something begins: its own, or the one that waited for an EVSE."""
        if evse.session is None:
            floating = self._floating
            if floating is not None and (not floating.evse_ids or evse.id in floating.evse_ids):
                floating.evse = evse
                self._floating = None
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
            if self._floating is session:
                self._floating = None

    # -- the CSMS's wishes ----------------------------------------------------------------------------------------

    def prepare_remote_start(
        self, token: IdToken, evse_id: int | None, remote_start_id: int | None, *, authorize_first: bool
    ) -> RemoteStart | None:
        """Find the EVSE for a remote start; None when it has to be rejected (F01.FR.20-24)."""
        served = [self.evses[evse_id]] if evse_id is not None else list(self.evses)
        accepted = AuthorizationInfo(status=AuthorizationStatus.ACCEPTED)
        session = self._waiting_session(accepted, served) if self._may_start() else None
        if session is None or (session.evse is None and evse_id is None and not self._pick_first(session, served)):
            return None
        return RemoteStart(session, token, remote_start_id, authorize_first)

    def _pick_first(self, session: ChargingSession, served: list[Evse]) -> bool:
        for evse in served:
            if evse.session is None and self._is_free(evse):
                session.evse = evse
                return True
        return False

    async def remote_start(self, start: RemoteStart) -> AuthorizationInfo | None:
        """Carry out an accepted remote start; the answer is on its way already."""
        info = None
        if start.authorize_first:
            info = await self.authorizer.authorize(start.token)
            if not info.accepted or self.authorizer.is_master(info):
                log.info("remote start refused: token %s is %s", redacted(start.token), info.status)
                return info
        session = start.session
        if session.authorization is not None:
            log.warning("remote start given up: EVSE %s was taken meanwhile", session.evse and session.evse.id)
            return info
        self._keep(session)
        group = info.group if info is not None else None
        session.authorize(Authorization(start.token, group, start.remote_start_id), Trigger.REMOTE_START)
        return info

    async def carry_out(self, start: RemoteStart) -> None:
        """`remote_start`, for those who do not care about the outcome."""
        await self.remote_start(start)

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

    # -- the cable's lock -----------------------------------------------------------------------------------------

    def lock(self, evse: Evse, connector: Connector) -> None:
        """Lock the cable, then deliver; a lock that does not close is a fault and nothing is delivered."""
        key = (evse.id, connector.id)
        if key not in self._locking:
            self._locking.add(key)
            self.spawn(self._lock(evse, connector))

    async def _lock(self, evse: Evse, connector: Connector) -> None:
        try:
            connector.locked = await self.hardware.lock(evse.id, connector.id)
        finally:
            self._locking.discard((evse.id, connector.id))
        if connector.locked:
            if evse.session is not None:
                evse.session.reconsider()
            return
        log.error("the lock of EVSE %d connector %d does not close", evse.id, connector.id)
        self.fault_changed(evse.id, connector.id, Fault(LOCK_FAILURE, "lock does not close"), active=True)

    def unlock(self, evse: Evse, connector: Connector) -> None:
        """Release the cable without waiting for it."""
        if connector.locked:
            self.spawn(self._unlock(evse, connector))

    async def _unlock(self, evse: Evse, connector: Connector) -> None:
        await self.unlock_now(evse, connector)

    async def unlock_now(self, evse: Evse, connector: Connector) -> bool:
        """Release the cable; False when the lock did not open, which is reported as a fault too."""
        opened = await self.hardware.unlock(evse.id, connector.id)
        connector.locked = not opened
        if not opened:
            log.error("the lock of EVSE %d connector %d does not open", evse.id, connector.id)
            self.fault_changed(evse.id, connector.id, Fault(LOCK_FAILURE, "lock does not open"), active=True)
        self.listener.connector_changed(evse, connector)
        return opened

    # -- metering -------------------------------------------------------------------------------------------------

    def _sample_aligned(self) -> None:
        if not self.metering.aligned_enabled.value:
            return
        idle_only = self.metering.aligned_when_idle_only.value
        busy = any(evse.in_use for evse in self.evses)
        for evse in self.evses:
            session = evse.session
            if session is not None and session.transaction is not None:
                session.meter.keep_aligned()
                if not idle_only:
                    value = session.meter.value(ReadingContext.SAMPLE_CLOCK, self.metering.aligned.value)
                    if value is not None:
                        session.report_samples(value)
            elif not (idle_only and busy):
                value = self.value_now(evse, ReadingContext.SAMPLE_CLOCK)
                if value is not None:
                    self.listener.aligned_values(evse.id, value)

    def value_now(self, evse: Evse, context: ReadingContext) -> MeterValue | None:
        """What the EVSE's meter says now, of the aligned measurands."""
        session = evse.session if evse.session is not None else ChargingSession(self, evse)
        return session.meter.value(context, self.metering.aligned.value)
