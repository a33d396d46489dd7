"""What is the case at a session's EVSE: which start and stop points hold, and the charging state that comes of it."""

from typing import TYPE_CHECKING

from ocpp.core import settings as points
from ocpp.core.events import StopReason
from ocpp.core.transaction import ChargingState

if TYPE_CHECKING:
    from ocpp.core.charging import Charging
    from ocpp.core.session import ChargingSession


class Conditions:
    """Reads them off hardware and session; changes nothing."""

    def __init__(self, charging: "Charging", session: "ChargingSession") -> None:
        self._charging = charging
        self._session = session

    def of_hardware(self) -> frozenset[str]:
        """The points that the hardware alone decides."""
        session, found = self._session, set()
        if session.evse is not None and session.evse.bay_occupied:
            found.add(points.PARKING_BAY_OCCUPANCY)
        if session.plugged:
            found.add(points.EV_CONNECTED)
            reading = session.read()
            signed = reading is not None and reading.signed_start is not None
            if signed and self._charging.metering.sampled_signed.value:
                found.add(points.DATA_SIGNED)
        if self.energy_flows:
            found.add(points.ENERGY_TRANSFER)
        return frozenset(found)

    def with_driver(self, hardware: frozenset[str]) -> frozenset[str]:
        """All start and stop points that hold, given what the hardware says."""
        if self._session.authorization is None:
            return hardware - {points.DATA_SIGNED}
        if points.EV_CONNECTED in hardware:
            return hardware | {points.AUTHORIZED, points.POWER_PATH_CLOSED}
        return hardware | {points.AUTHORIZED}

    @property
    def energy_flows(self) -> bool:
        """Whether the EV draws."""
        return self._session.evse is not None and self._session.evse.energy_flows

    def charging_state(self) -> ChargingState:
        """What is going on between EVSE and EV."""
        session = self._session
        if not session.plugged:
            return ChargingState.IDLE
        if self.energy_flows:
            return ChargingState.CHARGING
        if session.suspended_by_csms:
            return ChargingState.SUSPENDED_EVSE
        if session.authorization is None:
            return ChargingState.EV_CONNECTED
        if self.withheld:
            return ChargingState.SUSPENDED_EVSE
        return ChargingState.SUSPENDED_EV if session.flowed else ChargingState.EV_CONNECTED

    @property
    def withheld(self) -> bool:
        """Whether it is the station that gives the EV nothing."""
        evse = self._session.evse
        return not self._session.delivery.allowed or (evse is not None and not evse.offers)

    def phases_used(self) -> int | None:
        """From how many phases the EV draws, by the meter; None where it does not, or the meter does not tell (yet)."""
        session = self._session
        if session.connector is None or not self.energy_flows:
            return None
        reading = session.read()
        return (reading.phases_drawing or None) if reading is not None else None

    def must_start(self, gained: frozenset[str]) -> bool:
        """Whether a transaction begins now that these points have come to hold."""
        wanted = self._charging.settings.start_points
        if gained & wanted:
            return True
        # Energy is about to be offered although every configured start point lies behind us.
        return points.POWER_PATH_CLOSED in gained and not wanted & {points.ENERGY_TRANSFER, points.DATA_SIGNED}

    def why_nothing_flows(self) -> StopReason:
        """The reason of a transaction that ends because no energy flows any more."""
        transaction = self._session.transaction
        if transaction is not None and transaction.deauthorized:
            return StopReason.DEAUTHORIZED
        return StopReason.OTHER if self.withheld else StopReason.STOPPED_BY_EV
