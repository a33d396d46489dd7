"""What becomes of a transaction whose token the CSMS does not accept (E05; 1.6 section 5.11)."""

from typing import TYPE_CHECKING

from ocpp.core.events import StopReason

if TYPE_CHECKING:
    from ocpp.core.charging import Charging
    from ocpp.core.session import ChargingSession


class Refusal:
    """Ends the authorization, or leaves the driver the energy that is configured for that."""

    def __init__(self, charging: "Charging", session: "ChargingSession") -> None:
        self._charging = charging
        self._session = session

    def end(self) -> None:
        """StopTxOnInvalidId: the driver is no longer authorized (E05.FR.09, E05.FR.10)."""
        session = self._session
        if session.transaction is not None:
            session.transaction.deauthorized = True
        session.withdraw()
        session.note_stop(StopReason.DEAUTHORIZED)

    def limit(self) -> None:
        """No more energy than MaxEnergyOnInvalidId; the transaction goes on (E05.FR.02, E05.FR.03)."""
        session = self._session
        transaction = session.transaction
        if transaction is None:
            return
        transaction.deauthorized = True
        allowed = self._charging.settings.max_energy_on_invalid_id_wh
        if allowed > 0 and transaction.last is not None:
            transaction.energy_limit_wh = transaction.last.energy_wh + allowed
            session.meter.start()
        else:
            session.suspended_by_csms = True
        self._charging.store.save(transaction)

    @property
    def limits_energy(self) -> bool:
        """Whether only so much energy may be delivered."""
        transaction = self._session.transaction
        return transaction is not None and transaction.energy_limit_wh is not None

    @property
    def exhausted(self) -> bool:
        """Whether that much has been delivered."""
        transaction, reading = self._session.transaction, self._session.read()
        if transaction is None or transaction.energy_limit_wh is None or reading is None:
            return False
        return reading.energy_wh >= transaction.energy_limit_wh
