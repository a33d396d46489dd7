"""What the hardware of a session's EVSE is told: energy up to a limit, once the cable is locked; or none."""

from typing import TYPE_CHECKING

from ocpp.core import settings as points
from ocpp.core.evse import Connector, Evse
from ocpp.core.hardware import PowerLimit

if TYPE_CHECKING:
    from ocpp.core.charging import Charging
    from ocpp.core.session import ChargingSession


class Delivery:
    """Commands the hardware when a session's right to energy changes, and only then."""

    def __init__(self, charging: "Charging", session: "ChargingSession") -> None:
        self._charging = charging
        self._session = session
        self._commanded: PowerLimit | None = None

    @property
    def allowed(self) -> bool:
        """Whether the session may get energy now."""
        session = self._session
        evse, connector = session.evse, session.connector
        if connector is None or evse is None or session.authorization is None:
            return False
        if session.ending or session.suspended_by_csms or session.unrecorded:
            return False
        if self._charging.evses.blocking_faults(evse, connector):
            return False
        return session.transaction is not None or self._start_is_yet_to_come(evse, connector)

    def _start_is_yet_to_come(self, evse: Evse, connector: Connector) -> bool:
        """Whether the transaction begins with the energy, and may begin here."""
        with_energy = self._charging.settings.start_points & {points.ENERGY_TRANSFER, points.DATA_SIGNED}
        return bool(with_energy) and self._charging.evses.is_operative(evse, connector)

    def apply(self) -> bool:
        """Command what holds now; True while energy is offered."""
        evse, connector = self._session.evse, self._session.connector
        if evse is None:
            return False
        if connector is None or not self.allowed:
            self._command(None)
            return False
        if self._charging.hardware.has_lock(evse.id, connector.id) and not connector.locked:
            self._charging.locks.lock(evse, connector)
            return False
        limit = evse.limit or self._charging.smart.limit(evse)
        self._command(PowerLimit(limit.current_a, limit.phases))
        return True

    def cut(self) -> None:
        """No energy, whatever was commanded before."""
        self._commanded = None
        if self._session.evse is not None:
            self._charging.hardware.stop_energy(self._session.evse.id)

    def _command(self, limit: PowerLimit | None) -> None:
        """Tell the hardware, once: what it reports while it obeys must not make it be told again."""
        evse, connector = self._session.evse, self._session.connector
        if evse is None or limit == self._commanded:
            return
        self._commanded = limit
        if limit is None or connector is None:
            self._charging.hardware.stop_energy(evse.id)
        else:
            self._charging.hardware.allow_energy(evse.id, connector.id, limit)
