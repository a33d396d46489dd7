"""Transactions found open at start: resumed, or ended as they were when the power went (E01, E13, E17; 1.6 section 3.7).

What was interrupted ended when the station was alive for the last time. What had been drawn by then is what the meter
still says, as long as nothing else can have drawn since; otherwise it is the last reading on record, with its own time.
"""

import logging
from datetime import UTC, datetime

from ocpp.clock import Clock, Timer
from ocpp.core.alive import last_time
from ocpp.core.charging import Charging
from ocpp.core.events import StopReason, Trigger
from ocpp.core.evse import Evse
from ocpp.core.hardware import MeterReading
from ocpp.core.session import ChargingSession
from ocpp.core.settings import AUTHORIZED, EV_CONNECTED, POWER_PATH_CLOSED, SessionSettings
from ocpp.core.transaction import Transaction
from ocpp.storage.state import StateRepository

REPLUG_WAIT_S = 10.0
"""How long the hardware may take after a start to report that the cable is still in."""

METER_WAIT_S = 10.0
"""How long a meter on a bus may take after a start until it has been read."""

METER_POLL_S = 0.5

PHASE_V = 265.0
"""The highest voltage of a phase (230 V and 15 %): what an EVSE can have delivered is reckoned with it."""

UNNOTED_S = 3600.0
"""For how long a transaction may have drawn beyond what its last notes say: they are lost with a power cut, or stand
while the meter or the disk fails. A register that has grown by more was moved by something else."""

log = logging.getLogger(__name__)


class Recovery:
    """Takes up what a power cut or a restart left open."""

    def __init__(self, charging: Charging, settings: SessionSettings, clock: Clock, state: StateRepository) -> None:
        self._charging = charging
        self._settings = settings
        self._clock = clock
        self._alive = last_time(state, charging.database.path.parent)

    def recover(self) -> None:
        """Resume or end every open transaction; call once, after the hardware has reported what is plugged."""
        for transaction in self._charging.store.open():
            if self._resumable(transaction):
                self._resume(transaction)
            else:
                self._end(transaction)

    def _interrupted_at(self, transaction: Transaction) -> datetime:
        """When the station was alive for the last time, as far as it is on disk (E17.FR.02)."""
        known = transaction.last_at or transaction.started_at
        return max(known, datetime.fromtimestamp(int(self._alive), UTC))

    def _resumable(self, transaction: Transaction) -> bool:
        limit = self._settings.resumption_timeout_s
        if limit <= 0 or transaction.stop_trigger is not None or transaction.evse_id not in self._charging.evses:
            return False
        age = (self._clock.now() - self._interrupted_at(transaction)).total_seconds()
        return age <= limit

    def _resume(self, transaction: Transaction) -> None:
        assert transaction.evse_id is not None
        evse = self._charging.evses[transaction.evse_id]
        session = evse.session if evse.session is not None else ChargingSession(self._charging, evse)
        evse.session = session
        before, read_at = transaction.last, transaction.last_at or transaction.started_at
        interrupted_at = self._interrupted_at(transaction)
        session.resume(transaction)
        log.warning("transaction %s at EVSE %d goes on after the interruption", transaction.id, evse.id)
        session.resumed(before, read_at, interrupted_at)
        self._clock.call_later(REPLUG_WAIT_S, lambda: self._check_plug(session))

    def _check_plug(self, session: ChargingSession) -> None:
        """The cable was pulled while the power was gone: what it means is what it would have meant otherwise."""
        if session.transaction is None or session.plugged or session.transaction.connector_id is None:
            return
        ended = {EV_CONNECTED, POWER_PATH_CLOSED}
        if self._settings.stop_on_ev_side_disconnect:
            ended.add(AUTHORIZED)
        if ended & self._settings.stop_points:
            session.end(Trigger.EV_COMMUNICATION_LOST, StopReason.EV_DISCONNECTED)
        else:
            session.cable_unplugged()

    # -- what has ended -------------------------------------------------------------------------------------------

    def _end(self, transaction: Transaction) -> None:
        """End it: when it was interrupted, with what the meter says, once it has been read."""
        transaction.ended_at = transaction.ended_at or self._interrupted_at(transaction)
        transaction.stop_reason = transaction.stop_reason or StopReason.POWER_LOSS
        transaction.stop_trigger = transaction.stop_trigger or Trigger.ABNORMAL_CONDITION
        number = transaction.evse_id
        evse = self._charging.evses[number] if number is not None and number in self._charging.evses else None
        if evse is None or evse.id in self._charging.unsettled or self._charging.store.is_followed(transaction):
            self._close(transaction, None)
        elif self._register(evse) is not None:
            self._close(transaction, evse)
        else:
            self._charging.save(transaction)
            _Pending(self, transaction, evse)

    def _register(self, evse: Evse) -> MeterReading | None:
        """What the meter of an EVSE says; None while it has no register."""
        reading = self._charging.hardware.read_meter(evse.id)
        return reading if reading.value() is not None else None

    def _close(self, transaction: Transaction, evse: Evse | None) -> None:
        reading = self._register(evse) if evse is not None else None
        if evse is not None and reading is not None and self._is_its_own(transaction, evse, reading):
            transaction.last = reading
            # Without a clock nobody knows when it was read, but that it was so when the power went, too.
            transaction.last_at = self._clock.now() if self._clock.synchronised else transaction.ended_at
        session = ChargingSession(self._charging, evse)
        session.transaction = transaction
        log.warning("transaction %s was open at start; ended: %s", transaction.id, transaction.stop_reason)
        session.close_recovered()

    def _is_its_own(self, transaction: Transaction, evse: Evse, reading: MeterReading) -> bool:
        """Whether the register shows what this transaction has drawn, and nothing else."""
        last, value = transaction.last or transaction.begin, reading.value()
        known = last.value() if last is not None else None
        if known is None or value is None or value < known:
            return False
        if evse.plugged_connector is not None and evse.plugged_connector.id == transaction.connector_id:
            return True
        ended_at = transaction.ended_at or transaction.started_at
        unnoted_s = max(0.0, (ended_at - (transaction.last_at or transaction.started_at)).total_seconds()) + UNNOTED_S
        most_w = max(each.max_current_a * each.phases for each in evse.connectors) * PHASE_V
        if float(value - known) <= most_w * unnoted_s / 3600.0:
            return True
        log.warning("EVSE %d: %s Wh after %s Wh cannot be of transaction %s", evse.id, value, known, transaction.id)
        return False


class _Pending:
    """A transaction that ends once its meter has been read, before anything else begins there, or without it."""

    def __init__(self, recovery: Recovery, transaction: Transaction, evse: Evse) -> None:
        self._recovery = recovery
        self._transaction = transaction
        self._evse = evse
        self._deadline = recovery._clock.monotonic() + METER_WAIT_S
        recovery._charging.unsettled[evse.id] = self._settle
        self._timer: Timer = recovery._clock.call_later(METER_POLL_S, self._look)

    def _look(self) -> None:
        over = self._recovery._clock.monotonic() >= self._deadline
        if over or self._recovery._register(self._evse) is not None:
            self._recovery._charging.settle(self._evse)
        else:
            self._timer = self._recovery._clock.call_later(METER_POLL_S, self._look)

    def _settle(self) -> None:
        self._timer.cancel()
        self._recovery._close(self._transaction, self._evse)
