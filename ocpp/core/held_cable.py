"""The cable that is locked in for a session: let go when it ends normally, kept for its owner otherwise."""

from typing import TYPE_CHECKING

from ocpp.core.events import StopReason
from ocpp.core.transaction import Authorization, Transaction

if TYPE_CHECKING:
    from ocpp.core.charging import Charging
    from ocpp.core.session import ChargingSession

RELEASING_REASONS = frozenset({StopReason.LOCAL, StopReason.REMOTE, StopReason.MASTER_PASS})
"""When an authorization ends so, the cable is let go (E06.FR.10, E07.FR.07)."""

KEEPING_REASONS = frozenset({StopReason.DEAUTHORIZED, StopReason.EV_DISCONNECTED})
"""When a transaction ends so, a locked cable is kept for its owner (E05.FR.11, E09.FR.03)."""


class HeldCable:
    """Decides for a session; the locks are those of the station."""

    def __init__(self, charging: "Charging", session: "ChargingSession") -> None:
        self._charging = charging
        self._session = session

    @property
    def locked(self) -> bool:
        """Whether a cable is locked in; it waits for its owner, however long (E10.FR.01)."""
        evse = self._session.evse
        return evse is not None and any(connector.locked for connector in evse.connectors)

    def review(self, energy_flows: bool) -> None:
        """Let go of a cable whose time has come; never while energy flows through it."""
        if self._session.releases_cable and not energy_flows:
            self._session.releases_cable = False
            if self._session.evse is not None:
                self._charging.locks.release(self._session.evse)

    def transaction_ended(self, transaction: Transaction) -> None:
        """Note who gets the cable back, where it is kept."""
        evse = self._session.evse
        if transaction.stop_reason in KEEPING_REASONS and evse is not None and transaction.token is not None:
            self._charging.locks.keep(evse, Authorization(transaction.token, transaction.group))
