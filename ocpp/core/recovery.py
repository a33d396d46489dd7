"""Transactions found open at start: resumed, or ended with the last stored reading (E01, E13; 1.6 section 3.7)."""

import logging

from ocpp.clock import Clock
from ocpp.core.charging import Charging
from ocpp.core.events import StopReason, Trigger
from ocpp.core.session import ChargingSession
from ocpp.core.settings import AUTHORIZED, EV_CONNECTED, POWER_PATH_CLOSED, SessionSettings
from ocpp.core.transaction import Transaction

REPLUG_WAIT_S = 10.0
"""How long the hardware may take after a start to report that the cable is still in."""

log = logging.getLogger(__name__)


class Recovery:
    """Takes up what a power cut or a restart left open."""

    def __init__(self, charging: Charging, settings: SessionSettings, clock: Clock) -> None:
        self._charging = charging
        self._settings = settings
        self._clock = clock

    def recover(self) -> None:
        """Resume or end every open transaction; call once, after the hardware has reported what is plugged."""
        for transaction in self._charging.store.open():
            if self._resumable(transaction):
                self._resume(transaction)
            else:
                self._end(transaction)

    def _resumable(self, transaction: Transaction) -> bool:
        limit = self._settings.resumption_timeout_s
        if limit <= 0 or transaction.stop_trigger is not None or transaction.evse_id not in self._charging.evses:
            return False
        age = (self._clock.now() - (transaction.last_at or transaction.started_at)).total_seconds()
        return age <= limit

    def _resume(self, transaction: Transaction) -> None:
        assert transaction.evse_id is not None
        evse = self._charging.evses[transaction.evse_id]
        session = evse.session if evse.session is not None else ChargingSession(self._charging, evse)
        evse.session = session
        before = transaction.last
        session.resume(transaction)
        log.warning("transaction %s at EVSE %d goes on after the interruption", transaction.id, evse.id)
        session.resumed(before, transaction.last_at or transaction.started_at)
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

    def _end(self, transaction: Transaction) -> None:
        """End it with what is on record: the time and the reading of the last thing that was stored."""
        transaction.ended_at = transaction.last_at or transaction.started_at
        transaction.stop_reason = transaction.stop_reason or StopReason.POWER_LOSS
        transaction.stop_trigger = transaction.stop_trigger or Trigger.ABNORMAL_CONDITION
        session = ChargingSession(self._charging, None)
        session.transaction = transaction
        log.warning("transaction %s was open at start; ended: %s", transaction.id, transaction.stop_reason)
        session.close_recovered()
