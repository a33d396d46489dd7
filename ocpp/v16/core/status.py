"""StatusNotification and ChangeAvailability: the connector states of 1.6 (section 4.9)."""

from __future__ import annotations

from collections.abc import Mapping

from ocpp.clock import Timer
from ocpp.core.availability import ChangeOutcome
from ocpp.core.context import Context
from ocpp.core.evse import Connector, Evse, Fault
from ocpp.core.session import ChargingSession
from ocpp.core.told import Told
from ocpp.core.transaction import ChargingState
from ocpp.errors import DeviceModelError
from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler

STATION = 0
"""The connector id that means the station's main controller."""

MAX_INFO = 50

EV_SIDE_DISCONNECTED = "EV side disconnected"
"""What is added to a status of a cable that was pulled out at the EV (1.6 section 4.9)."""

_BY_CHARGING_STATE = {
    ChargingState.CHARGING: "Charging",
    ChargingState.SUSPENDED_EV: "SuspendedEV",
    ChargingState.SUSPENDED_EVSE: "SuspendedEVSE",
    ChargingState.EV_CONNECTED: "Preparing",
    ChargingState.IDLE: "SuspendedEV",
}


class Status:
    """What state each connector is in, told whenever it changes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._told: Told[int, tuple[str, str, str]] = Told(context.rpc, context.clock, self._look_again)
        self._conditions: Told[str, str] = Told(context.rpc, context.clock, self._look_at_condition)
        self._errors: dict[str, str] = {}
        """The last error without a status of its own: information by code."""
        self._waiting: dict[int, tuple[tuple[str, str, str], Timer]] = {}
        self._minimum = context.model.integer("OCPP16Ctrlr/MinimumStatusDuration")

    @property
    def actions(self) -> Mapping[str, Handler]:
        """The calls answered here."""
        return {"ChangeAvailability": self.change_availability}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._context.signals.introduced.listen(self._told.forget)
        self._context.signals.accepted.listen(self.report)
        self._context.availability.on_change.append(self._changed)

    # -- states ---------------------------------------------------------------------------------------------------

    def status_of(self, evse: Evse, connector: Connector) -> str:
        """ChargePointStatus of a connector."""
        evses = self._context.evses
        if evses.blocking_faults(evse, connector):
            return "Faulted"
        session = evse.session
        here = session is not None and _is_at(session, evse, connector)
        if session is not None and here and session.transaction is not None:
            return "Finishing" if session.ending else _BY_CHARGING_STATE[session.transaction.charging_state]
        if not evses.is_operative(evse, connector):
            return "Unavailable"
        if connector.plugged:
            over = session is not None and (session.finished or session.lapsed)
            finished = over and session is not None and session.authorization is None
            return "Finishing" if finished else "Preparing"
        if connector.locked or connector.left:
            return "Finishing"
        if connector.in_socket:
            return "Preparing"
        if session is not None and here and session.authorization is not None:
            return "Preparing"
        return "Reserved" if connector.reserved else "Available"

    def station_status(self) -> str:
        """ChargePointStatus of connector 0."""
        evses = self._context.evses
        if evses.faults:
            return "Faulted"
        return "Available" if evses.in_service else "Unavailable"

    # -- telling --------------------------------------------------------------------------------------------------

    def connector_changed(self, evse: Evse, connector: Connector) -> None:
        """Tell the connector's status if it is another one than before."""
        evses = self._context.evses
        status = self.status_of(evse, connector)
        info = _info(connector, status)
        self._tell(evses.number_of(connector), status, evses.faults_of(evse, connector), info)

    def evse_changed(self, evse: Evse) -> None:
        """Tell what changed for the EVSE and the station."""
        self._tell_station()
        for connector in evse.connectors:
            self.connector_changed(evse, connector)

    def _tell_station(self) -> None:
        self._tell(STATION, self.station_status(), self._context.evses.faults)

    def _changed(self, changed: list[tuple[Evse, Connector]]) -> None:
        self._context.reservations.review()
        self._tell_station()
        for evse, connector in changed:
            self.connector_changed(evse, connector)

    def _tell(self, number: int, status: str, faults: Mapping[str, Fault], info: str = "") -> None:
        code, fault = _error(faults)
        now = (status, code, fault.info if fault is not None else info)
        waiting = self._waiting.get(number)
        if waiting is not None and waiting[0] == now:
            return
        if waiting is not None:
            waiting[1].cancel()
            del self._waiting[number]
        if self._told.holds(number, now) or not self._context.rpc.online:
            return

        def tell() -> None:
            self._waiting.pop(number, None)
            if self._context.rpc.online:
                self._told.tell(number, now, self._request(number, status, code, fault, info))

        if self._minimum.value > 0 and number in self._told and fault is None:
            # A status has to last before it is told (1.6 section 9.1.20); a fault is told at once.
            self._waiting[number] = now, self._context.clock.call_later(self._minimum.value, tell)
        else:
            tell()

    def _request(
        self, number: int, status: str, code: str, fault: Fault | None, info: str = ""
    ) -> v16.StatusNotificationRequest:
        info = fault.info if fault is not None else info
        return v16.StatusNotificationRequest(
            connector_id=number,
            status=v16.ChargePointStatus(status),
            error_code=v16.ChargePointErrorCode(code),
            info=info[:MAX_INFO] or None,
            timestamp=self._context.clock.now(),
            vendor_id=self._context.identity.vendor[:255] if fault is not None and fault.vendor_code else None,
            vendor_error_code=fault.vendor_code[:50] or None if fault is not None else None,
        )

    def _look_again(self, number: int) -> None:
        """The Central System does not know after all what it was told."""
        if number == STATION:
            self._tell_station()
            return
        evse, connector = self._context.evses.numbered(number)
        self.connector_changed(evse, connector)

    def tell_condition(self, code: str, info: str) -> None:
        """Tell once of an error at the station that changes no status (1.6 section 3.5.2)."""
        self._errors[code] = info
        self._tell_condition(code, info)

    def _tell_condition(self, code: str, info: str) -> None:
        if self._context.rpc.online:
            request = self._request(STATION, self.station_status(), code, Fault(code, info))
            self._conditions.tell(code, info, request)

    def _look_at_condition(self, code: str) -> None:
        info = self._errors[code]
        if not self._conditions.holds(code, info):
            self._tell_condition(code, info)

    def report(self) -> None:
        """Tell every status after the station was accepted; after a reconnect only what changed (section 4.9)."""
        self._told.review()
        self._conditions.review()
        self._tell_station()
        for evse in self._context.evses:
            for connector in evse.connectors:
                self.connector_changed(evse, connector)
        for code in self._errors:
            self._look_at_condition(code)

    def stop(self) -> None:
        """No timers any more."""
        self._told.stop()
        self._conditions.stop()
        for _, timer in self._waiting.values():
            timer.cancel()
        self._waiting.clear()

    def trigger(self, number: int | None) -> None:
        """Tell one status, or all, because the Central System asks."""
        evses = self._context.evses
        if number in (None, STATION):
            code, fault = _error(evses.faults)
            self._send_again(STATION, self.station_status(), code, fault)
        for evse in evses:
            for connector in evse.connectors:
                if number in (None, evses.number_of(connector)):
                    code, fault = _error(evses.faults_of(evse, connector))
                    status = self.status_of(evse, connector)
                    self._send_again(evses.number_of(connector), status, code, fault, _info(connector, status))

    def _send_again(self, number: int, status: str, code: str, fault: Fault | None, info: str = "") -> None:
        self._context.rpc.notify(self._request(number, status, code, fault, info), requested=True)

    # -- changes --------------------------------------------------------------------------------------------------

    def change_availability(self, request: v16.ChangeAvailabilityRequest) -> v16.ChangeAvailabilityResponse:
        """ChangeAvailability (1.6 section 5.2)."""
        operative = request.type == "Operative"
        if request.connector_id == STATION:
            outcome = self._context.availability.change(operative)
        else:
            try:
                evse, connector = self._context.evses.numbered(request.connector_id)
            except DeviceModelError:
                return v16.ChangeAvailabilityResponse(status=v16.AvailabilityStatus("Rejected"))
            outcome = self._context.availability.change(operative, evse, connector)
        status = ChangeOutcome(outcome).value
        return v16.ChangeAvailabilityResponse(status=v16.AvailabilityStatus(status))


def _is_at(session: ChargingSession, evse: Evse, connector: Connector) -> bool:
    """Whether a session is one of that connector, and not of another one of its EVSE."""
    if connector.plugged:
        return evse.plugged_connector is connector
    transaction = session.transaction
    if transaction is not None and transaction.connector_id is not None:
        return transaction.connector_id == connector.id
    return evse.plugged_connector is None and connector is evse.connectors[0]


def _info(connector: Connector, status: str) -> str:
    """What else is to be known of a status without a fault."""
    return EV_SIDE_DISCONNECTED if status in ("Finishing", "SuspendedEV") and not connector.plugged else ""


def _error(faults: Mapping[str, Fault]) -> tuple[str, Fault | None]:
    """The error code of the first fault; a fault 1.6 has no code for is an OtherError."""
    for kind, fault in faults.items():
        known = kind in {code.value for code in v16.ChargePointErrorCode}
        return (kind if known else "OtherError"), fault
    return "NoError", None
