"""A charging session: from the first sign of a driver (parked, plugged in, authorized) until nothing is left of it.

The session turns facts into transaction events, by the start and stop points in force, and decides whether the EVSE
may deliver energy. Every change is stored together with the messages about it; hardware is commanded afterwards.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocpp.clock import Timer
from ocpp.core import settings as points
from ocpp.core.events import EventKind, MeterValue, ReadingContext, StopReason, TransactionEvent, Trigger
from ocpp.core.evse import TRANSACTION_ENDING_FAULTS, Connector, Evse
from ocpp.core.hardware import Indication, MeterReading, PowerLimit
from ocpp.core.identity import IdToken
from ocpp.core.metering import TransactionMeter
from ocpp.core.transaction import ChargingState, Transaction

if TYPE_CHECKING:
    from ocpp.core.charging import Charging

EV_READY_GRACE_S = 10.0
"""How long an EV may take to start drawing before it counts as suspending the charge."""

STOP_FLOW_TIMEOUT_S = 8.0
"""How long the last event waits for the energy to stop; the contactor opens under load well before (IEC 61851-1)."""

PLUG_IN, EV_READY, FLOW_STOP = "plug in", "EV ready", "flow stop"
"""What the session's timers wait for."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Authorization:
    """The right to charge that a session has been given."""

    token: IdToken
    group: IdToken | None = None
    remote_start_id: int | None = None
    reservation_id: int | None = None


class ChargingSession:
    """One driver's stay at an EVSE; `evse` is None while nobody knows yet which one it will be (C01, E01.FR.17)."""

    def __init__(self, charging: "Charging", evse: Evse | None) -> None:
        self._charging = charging
        self._clock = charging.clock
        self.evse = evse
        self.evse_ids: tuple[int, ...] = ()
        self.authorization: Authorization | None = None
        self.transaction: Transaction | None = None
        self.suspended_by_csms = False
        self.finished = False
        """Whether a transaction has ended here and the cable is still in."""
        self._ending = False
        self._flowed = False
        self._timers: dict[str, Timer] = {}
        self.owner: IdToken | None = None
        self.meter = TransactionMeter(charging.metering, charging.clock, charging.store, self)
        self._facts: frozenset[str] = frozenset()
        self._token_to_report: IdToken | None = None
        self._refused_trigger: Trigger | None = None
        self._commanded: PowerLimit | None = None

    # -- facts ----------------------------------------------------------------------------------------------------

    @property
    def connector(self) -> Connector | None:
        """Where the cable is."""
        return self.evse.plugged_connector if self.evse is not None else None

    @property
    def plugged(self) -> bool:
        """Whether an EV is connected."""
        return self.connector is not None

    @property
    def ending(self) -> bool:
        """Whether the transaction is over but for the energy that still flows."""
        return self._ending

    @property
    def idle(self) -> bool:
        """Whether nothing is left of the session."""
        occupied = self.evse is not None and (self.evse.bay_occupied or self.plugged)
        return not occupied and self.authorization is None and self.transaction is None

    def _conditions(self) -> frozenset[str]:
        found = set()
        if self.evse is not None and self.evse.bay_occupied:
            found.add(points.PARKING_BAY_OCCUPANCY)
        if self.plugged:
            found.add(points.EV_CONNECTED)
        if self.authorization is not None:
            found.add(points.AUTHORIZED)
            if self.plugged:
                found.add(points.POWER_PATH_CLOSED)
                reading = self.read()
                if reading is not None and reading.signed_start is not None:
                    found.add(points.DATA_SIGNED)
        if self.evse is not None and self.evse.energy_flows:
            found.add(points.ENERGY_TRANSFER)
        return frozenset(found)

    def read(self) -> MeterReading | None:
        """See `Metered.read`."""
        return self._charging.hardware.read_meter(self.evse.id) if self.evse is not None else None

    # -- what happens ---------------------------------------------------------------------------------------------

    def cable_plugged(self) -> None:
        """The cable is in."""
        with self._change(Trigger.CABLE_PLUGGED_IN):
            self._cancel(PLUG_IN)

    def cable_unplugged(self) -> None:
        """The cable is out; the EVSE's facts already say so."""
        rules = self._charging.settings
        with self._change(Trigger.EV_COMMUNICATION_LOST, reason=StopReason.EV_DISCONNECTED):
            self._flowed = False
            if rules.stop_on_ev_side_disconnect or self.transaction is None:
                self._withdraw()
        if self.authorization is not None:
            self._expect_plug()

    def bay_changed(self, occupied: bool) -> None:
        """The parking bay's sensor sees something, or no longer."""
        trigger = Trigger.EV_DETECTED if occupied else Trigger.EV_DEPARTED
        with self._change(trigger, reason=StopReason.LOCAL):
            pass

    def authorize(self, authorization: Authorization, trigger: Trigger = Trigger.AUTHORIZED) -> None:
        """Somebody may charge from now on."""
        with self._change(trigger):
            self.authorization = authorization
            self.suspended_by_csms = False
            self._token_to_report = authorization.token
            if self.transaction is not None:
                self._take_authorization(self.transaction, authorization)
        if not self.plugged:
            self._expect_plug()

    def stop(self, trigger: Trigger, reason: StopReason, token: IdToken | None = None) -> None:
        """The authorization ends: by the driver's token, by the CSMS, by the unlock command."""
        with self._change(trigger, reason=reason):
            self._withdraw()
            self._token_to_report = token
            if self.transaction is not None:
                self.transaction.stop_reason = self.transaction.stop_reason or reason
        if reason in (StopReason.LOCAL, StopReason.REMOTE, StopReason.MASTER_PASS):
            self.release_cable()

    def refuse(self) -> None:
        """The CSMS does not accept the token of the running transaction (E05; 1.6 section 5.11)."""
        rules = self._charging.settings
        transaction = self.transaction
        if transaction is None or transaction.deauthorized:
            return
        transaction.deauthorized = True
        if rules.stop_on_invalid_id:
            self._end_or_withdraw(Trigger.DEAUTHORIZED, StopReason.DEAUTHORIZED)
            return
        allowed = rules.max_energy_on_invalid_id_wh
        if allowed > 0 and transaction.last is not None:
            transaction.energy_limit_wh = transaction.last.energy_wh + allowed
            self._charging.save(transaction)
            return
        self.suspend_by_csms()

    def suspend_by_csms(self) -> None:
        """No more energy, but the transaction goes on (E05.FR.02)."""
        with self._change(None):
            self.suspended_by_csms = True

    def _end_or_withdraw(self, trigger: Trigger, reason: StopReason) -> None:
        with self._change(trigger, reason=reason):
            self._withdraw()
            if self.transaction is not None:
                self.transaction.stop_reason = self.transaction.stop_reason or reason

    def end(self, trigger: Trigger, reason: StopReason) -> None:
        """End the transaction whatever the stop points say (reset, emergency stop)."""
        with self._change(trigger, reason=reason, force=True):
            self._withdraw()

    def faulted(self, kind: str) -> None:
        """A fault came up at this EVSE."""
        reason = TRANSACTION_ENDING_FAULTS.get(kind)
        if reason is not None and self.transaction is not None:
            self.end(Trigger.ABNORMAL_CONDITION, StopReason(reason))
        else:
            self.reconsider()

    def reconsider(self) -> None:
        """Something that decides about energy has changed: fault, availability, limit, EV state, flow."""
        if self._ending:
            if self.evse is None or not self.evse.energy_flows:
                self._finish_ending()
            return
        with self._change(None, reason=StopReason.STOPPED_BY_EV):
            if self.evse is not None and self.evse.energy_flows:
                self._flowed = True

    def report_samples(self, value: MeterValue) -> None:
        """See `Metered.report_samples`."""
        transaction = self.transaction
        if transaction is None or self._ending:
            return
        trigger = Trigger.METER_VALUE_CLOCK if value.context.value == "Sample.Clock" else Trigger.METER_VALUE_PERIODIC
        with self._charging.database.transaction():
            self._emit(EventKind.UPDATED, trigger, (value,))
        self._check_energy_limit()

    def report(self, trigger: Trigger) -> None:
        """Tell about the running transaction, with fresh samples, because somebody wants to know."""
        if self.transaction is None or self._ending:
            return
        value = self.meter.value(ReadingContext.TRIGGER, self._charging.metering.updated.value)
        with self._charging.database.transaction():
            self._emit(EventKind.UPDATED, trigger, (value,) if value is not None else ())

    def checkpoint(self) -> None:
        """See `Metered.checkpoint`."""
        if self.transaction is not None:
            with self._charging.database.transaction(durable=False):
                self._note_reading(self.transaction)
                self._charging.store.save(self.transaction)
            self._check_energy_limit()

    def _check_energy_limit(self) -> None:
        transaction = self.transaction
        if transaction is None or transaction.energy_limit_wh is None or transaction.last is None:
            return
        if transaction.last.energy_wh >= transaction.energy_limit_wh and not self.suspended_by_csms:
            self.suspend_by_csms()

    # -- from facts to events -------------------------------------------------------------------------------------

    @contextmanager
    def _change(
        self, trigger: Trigger | None, *, reason: StopReason | None = None, force: bool = False
    ) -> Iterator[None]:
        try:
            with self._charging.database.transaction(durable=False):
                yield
                self._evaluate(trigger, reason, force)
        except Exception:
            if self.evse is not None:
                self._commanded = None
                self._charging.hardware.stop_energy(self.evse.id)
            raise
        self._apply_power()
        self._charging.session_changed(self)

    def _evaluate(self, trigger: Trigger | None, reason: StopReason | None, force: bool) -> None:
        before, self._facts = self._facts, self._conditions()
        if self.transaction is None:
            if self._must_start(self._facts - before):
                if self._charging.accepts_transaction(self):
                    self._start(self._refused_trigger or trigger or Trigger.CHARGING_STATE_CHANGED)
                else:
                    # Not now: the same facts start the transaction once the station is accepted.
                    self._facts, self._refused_trigger = before, trigger
            return
        lost = before - self._facts
        if force or lost & self._charging.settings.stop_points:
            self._begin_ending(trigger or Trigger.CHARGING_STATE_CHANGED, reason)
            return
        state = self._charging_state()
        if trigger is not None or state is not self.transaction.charging_state:
            self._emit(EventKind.UPDATED, trigger or Trigger.CHARGING_STATE_CHANGED, self._late_begin())

    def _must_start(self, gained: frozenset[str]) -> bool:
        wanted = self._charging.settings.start_points
        if gained & wanted:
            return True
        # Energy is about to be offered although every configured start point lies behind us.
        return points.POWER_PATH_CLOSED in gained and not wanted & {points.ENERGY_TRANSFER, points.DATA_SIGNED}

    def _start(self, trigger: Trigger) -> None:
        transaction = Transaction(id=self._charging.new_id(), started_at=self._clock.now())
        self.transaction = transaction
        self._flowed, self._refused_trigger = False, None
        if self.authorization is not None:
            self._take_authorization(transaction, self.authorization)
        self._locate(transaction)
        values: tuple[MeterValue, ...] = ()
        if self.evse is not None:
            self._note_reading(transaction)
            transaction.begin = transaction.last
            transaction.begin_reported = True
            values = self.meter.begin()
        self._emit(EventKind.STARTED, trigger, values)
        self.meter.start()
        log.info("transaction %s started at EVSE %s (%s)", transaction.id, transaction.evse_id or "?", trigger)

    def _late_begin(self) -> tuple[MeterValue, ...]:
        transaction = self.transaction
        if transaction is None or transaction.begin_reported or self.evse is None:
            return ()
        self._note_reading(transaction)
        transaction.begin = transaction.last
        transaction.begin_reported = True
        return self.meter.begin()

    def _emit(self, kind: EventKind, trigger: Trigger, values: tuple[MeterValue, ...] = ()) -> None:
        transaction = self.transaction
        assert transaction is not None
        self._locate(transaction)
        transaction.charging_state = self._charging_state()
        if kind is EventKind.UPDATED:
            self._note_reading(transaction)
        token, self._token_to_report = self._token_to_report, None
        seq_no = transaction.next_seq_no
        transaction.next_seq_no += 1
        event = TransactionEvent(
            kind=kind,
            trigger=trigger,
            transaction=transaction,
            seq_no=seq_no,
            timestamp=transaction.ended_at or self._clock.now(),
            offline=not self._charging.online(),
            id_token=token,
            meter_values=values,
            reservation_id=transaction.reservation_id,
        )
        with self._charging.database.transaction():
            self._charging.listener.transaction_event(event)
            self._charging.store.save(transaction)

    def _begin_ending(self, trigger: Trigger, reason: StopReason | None) -> None:
        transaction = self.transaction
        assert transaction is not None
        transaction.stop_trigger = trigger
        transaction.stop_reason = transaction.stop_reason or reason
        transaction.stop_token = self._token_to_report
        self.meter.stop()
        if self.evse is None or not self.evse.energy_flows:
            self._finish()
            return
        self._ending = True
        self._charging.store.save(transaction)
        self._schedule(FLOW_STOP, STOP_FLOW_TIMEOUT_S, self._finish_ending)

    def _finish_ending(self) -> None:
        with self._change(None):
            if self._ending:
                self._finish()

    def _finish(self) -> None:
        transaction = self.transaction
        if transaction is None:
            return
        self._ending = False
        self._cancel(FLOW_STOP)
        self._note_reading(transaction)
        self._token_to_report = transaction.stop_token
        transaction.active = False
        transaction.authorized = False
        values = self.meter.end(transaction.last)
        self._emit(EventKind.ENDED, transaction.stop_trigger or Trigger.ABNORMAL_CONDITION, values)
        self._charging.store.drop_samples(transaction.id)
        self._charging.store.prune()
        self.meter.stop()
        self.transaction = None
        self.finished = True
        self._withdraw()
        self.suspended_by_csms = False
        if transaction.stop_reason is StopReason.DEAUTHORIZED:
            self.owner = transaction.token
        self._facts = self._conditions()
        log.info("transaction %s ended: %s, %d Wh", transaction.id, transaction.stop_reason, transaction.energy_wh)

    def resume(self, transaction: Transaction) -> None:
        """Take up a transaction found open after a restart."""
        self.transaction = transaction
        if transaction.token is not None and transaction.authorized:
            self.authorization = Authorization(transaction.token, transaction.group, transaction.remote_start_id)
        self.suspended_by_csms = transaction.deauthorized and transaction.energy_limit_wh is None
        self._facts = self._conditions()
        self.meter.start()

    def resumed(self, values: tuple[MeterValue, ...]) -> None:
        """Tell the CSMS that the transaction goes on, with the readings around the interruption."""
        with self._charging.database.transaction():
            self._emit(EventKind.UPDATED, Trigger.TX_RESUMED, values)
        self._apply_power()

    def close_recovered(self) -> None:
        """End a transaction that was found open, by what is stored of it."""
        with self._charging.database.transaction():
            self._finish()

    # -- details --------------------------------------------------------------------------------------------------

    def _take_authorization(self, transaction: Transaction, authorization: Authorization) -> None:
        transaction.token = authorization.token
        transaction.group = authorization.group
        transaction.authorized = True
        transaction.deauthorized = False
        transaction.energy_limit_wh = None
        if authorization.remote_start_id is not None:
            transaction.remote_start_id = authorization.remote_start_id
        if authorization.reservation_id is not None:
            transaction.reservation_id = authorization.reservation_id

    def _locate(self, transaction: Transaction) -> None:
        if self.evse is not None:
            transaction.evse_id = self.evse.id
        if self.connector is not None:
            transaction.connector_id = self.connector.id

    def _note_reading(self, transaction: Transaction) -> None:
        reading = self.read()
        if reading is not None:
            transaction.last, transaction.last_at = reading, self._clock.now()

    def _withdraw(self) -> None:
        self.authorization = None
        self._cancel(PLUG_IN)
        self._cancel(EV_READY)
        if self.transaction is not None:
            self.transaction.authorized = False

    def _charging_state(self) -> ChargingState:
        if not self.plugged:
            return ChargingState.IDLE
        assert self.evse is not None
        if self.evse.energy_flows:
            return ChargingState.CHARGING
        if self.suspended_by_csms:
            return ChargingState.SUSPENDED_EVSE
        if self.authorization is None:
            return ChargingState.EV_CONNECTED
        if not self._may_deliver() or self.evse.limit_a == 0:
            return ChargingState.SUSPENDED_EVSE
        return ChargingState.SUSPENDED_EV if self._flowed else ChargingState.EV_CONNECTED

    def _may_deliver(self) -> bool:
        connector = self.connector
        if connector is None or self.evse is None or self.authorization is None or self._ending:
            return False
        return (
            not self.suspended_by_csms
            and not self._charging.evses.blocking_faults(self.evse, connector)
            and (self.transaction is not None or self._start_is_yet_to_come())
        )

    def _start_is_yet_to_come(self) -> bool:
        return bool(self._charging.settings.start_points & {points.ENERGY_TRANSFER, points.DATA_SIGNED})

    def _apply_power(self) -> None:
        evse, connector = self.evse, self.connector
        if evse is None:
            return
        hardware = self._charging.hardware
        if connector is None or not self._may_deliver():
            self._command(None)
            return
        if hardware.has_lock(evse.id, connector.id) and not connector.locked:
            self._charging.lock(evse, connector)
            return
        limit = connector.max_current_a if evse.limit_a is None else min(evse.limit_a, connector.max_current_a)
        self._command(PowerLimit(limit, connector.phases))
        if not self._flowed and EV_READY not in self._timers:
            self._schedule(EV_READY, EV_READY_GRACE_S, self._grace_over)

    def _command(self, limit: PowerLimit | None) -> None:
        """Tell the hardware, once: what it reports while it obeys must not make it be told again."""
        evse, connector = self.evse, self.connector
        if evse is None or limit == self._commanded:
            return
        self._commanded = limit
        if limit is None or connector is None:
            self._charging.hardware.stop_energy(evse.id)
        else:
            self._charging.hardware.allow_energy(evse.id, connector.id, limit)

    def _grace_over(self) -> None:
        if self.transaction is not None and self.plugged:
            with self._change(None):
                self._flowed = True

    def release_cable(self) -> None:
        """Unlock the cable once the session has ended normally (E06.FR.10)."""
        if self.evse is not None and self.connector is not None:
            self._charging.unlock(self.evse, self.connector)

    def _expect_plug(self) -> None:
        timeout = self._charging.settings.ev_connection_timeout_s
        self._cancel(PLUG_IN)
        if timeout > 0:
            self._schedule(PLUG_IN, timeout, self._plug_in_timed_out)
        if self.evse is not None:
            self._charging.hardware.indicate(self.evse.id, Indication.PLUG_IN)

    def _plug_in_timed_out(self) -> None:
        log.info("the driver did not plug in within %d s", self._charging.settings.ev_connection_timeout_s)
        keep = points.PARKING_BAY_OCCUPANCY in self._charging.settings.stop_points
        with self._change(Trigger.EV_CONNECT_TIMEOUT, reason=StopReason.TIMEOUT, force=not keep):
            self._withdraw()

    def _schedule(self, name: str, delay: float, action: Callable[[], None]) -> None:
        def run() -> None:
            del self._timers[name]
            action()

        self._cancel(name)
        self._timers[name] = self._clock.call_later(delay, run)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """No more timers: the program ends, or the session is over."""
        self.meter.stop()
        for name in tuple(self._timers):
            self._cancel(name)
