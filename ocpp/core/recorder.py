"""The record of a session's transaction: its events, numbered and stored, from the first to the last."""

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from ocpp.core.events import EventKind, MeterValue, TransactionEvent, Trigger
from ocpp.core.transaction import Transaction

if TYPE_CHECKING:
    from ocpp.core.charging import Charging
    from ocpp.core.evse import Connector
    from ocpp.core.session import ChargingSession

log = logging.getLogger(__name__)


class TransactionRecorder:
    """Writes down what happens to the session's transaction. Every method belongs into the change's storage
    transaction; `at` and `connector` are the moment of that change and where the cable was then; None: now.
    """

    def __init__(self, charging: "Charging", session: "ChargingSession") -> None:
        self._charging = charging
        self._session = session
        self.at: datetime | None = None
        self.connector: Connector | None = None

    def _moment(self) -> datetime:
        return self.at or self._charging.clock.now()

    def start(self, trigger: Trigger) -> None:
        """Open a transaction and tell so."""
        session = self._session
        transaction = Transaction(id=self._charging.new_id(), started_at=self._moment())
        session.transaction = transaction
        if session.authorization is not None:
            transaction.take(session.authorization)
        self._locate(transaction)
        values = self._begin(transaction) if session.evse is not None else ()
        self._emit(transaction, EventKind.STARTED, trigger, values)
        session.meter.start()
        log.info("transaction %s started at EVSE %s (%s)", transaction.id, transaction.evse_id or "?", trigger)

    def _begin(self, transaction: Transaction) -> tuple[MeterValue, ...]:
        self.note_reading(transaction)
        transaction.begin = transaction.last
        transaction.begin_reported = True
        return self._session.meter.begin()

    def update(self, trigger: Trigger, values: tuple[MeterValue, ...] = ()) -> None:
        """Tell about the running transaction; the first time an EVSE is known, with the meter values of the begin."""
        transaction = self._session.transaction
        assert transaction is not None
        if not transaction.begin_reported and self._session.evse is not None:
            values = self._begin(transaction) + values
        self.note_reading(transaction)
        self._emit(transaction, EventKind.UPDATED, trigger, values)

    def interrupted(self, at: datetime, values: tuple[MeterValue, ...]) -> None:
        """Tell afterwards that the transaction was interrupted, and what was measured last before."""
        transaction = self._session.transaction
        assert transaction is not None
        self.at = at
        try:
            self._emit(transaction, EventKind.UPDATED, Trigger.ABNORMAL_CONDITION, values, offline=True)
        finally:
            self.at = None

    def finish(self, transaction: Transaction, *, read: bool = True) -> None:
        """Tell the end, with all the samples kept for it, and close the record; without `read` by the last known reading."""
        if read:
            self.note_reading(transaction)
        self._session.token_to_report = transaction.stop_token
        transaction.active = False
        transaction.authorized = False
        values = self._session.meter.end(transaction.last, transaction.last_at)
        self._emit(transaction, EventKind.ENDED, transaction.stop_trigger or Trigger.ABNORMAL_CONDITION, values)
        self._charging.store.drop_samples(transaction.id)
        self._charging.store.prune()
        self._session.meter.stop()
        log.info("transaction %s ended: %s, %d Wh", transaction.id, transaction.stop_reason, transaction.energy_wh)

    def note_reading(self, transaction: Transaction) -> None:
        """Keep the newest reading, for the bill: one without a register, or with one that runs back, bills nobody."""
        reading = self._session.read()
        if reading is None:
            return
        register, before = reading.value(), transaction.last.value() if transaction.last is not None else None
        if before is not None and (register is None or register < before):
            log.warning("the register of EVSE %s says %s Wh after %s Wh", transaction.evse_id, register, before)
            return
        transaction.last, transaction.last_at = reading, self._charging.clock.now()

    def _locate(self, transaction: Transaction) -> None:
        session = self._session
        if session.evse is not None:
            transaction.evse_id = session.evse.id
        connector = self.connector or session.connector
        if connector is not None:
            transaction.connector_id = connector.id

    def _emit(
        self,
        transaction: Transaction,
        kind: EventKind,
        trigger: Trigger,
        values: tuple[MeterValue, ...],
        *,
        offline: bool = False,
    ) -> None:
        session = self._session
        self._locate(transaction)
        transaction.charging_state, transaction.phases_used = session.charging_state(), session.phases_used
        token, session.token_to_report = session.token_to_report, None
        seq_no = transaction.next_seq_no
        transaction.next_seq_no += 1
        event = TransactionEvent(
            kind=kind,
            trigger=trigger,
            transaction=transaction,
            seq_no=seq_no,
            timestamp=transaction.ended_at or self._moment(),
            offline=offline or not self._charging.online(),
            id_token=token,
            meter_values=self._charging.metering.with_public_keys(values, transaction),
            reservation_id=transaction.reservation_id,
        )
        with self._charging.database.transaction():
            self._charging.listener.transaction_event(event)
            self._charging.store.save(transaction)
