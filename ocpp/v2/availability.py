"""G. Availability: connector status, and changes of it on the CSMS's wish."""

from collections.abc import Mapping

from ocpp.core.availability import ChangeOutcome
from ocpp.core.context import Context
from ocpp.core.evse import Connector, Evse
from ocpp.device_model import DeviceModel
from ocpp.errors import DeviceModelError
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler

NEVER_REPORTED = ""


def _common(states: set[str]) -> str:
    """The state of something with parts: theirs if they agree, else somebody can still be served."""
    return states.pop() if len(states) == 1 else "Available"


class Availability:
    """Functional block G."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._offline_threshold = context.model.integer("OCPPCommCtrlr/OfflineThreshold")
        self._reported: dict[tuple[int, int], str] = {}
        self._known_to_csms: dict[tuple[int, int], str] = {}

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"ChangeAvailability": self.change_availability}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        context = self._context
        context.signals.accepted.listen(self.report_all)
        context.availability.on_change.append(self._changed)
        for evse in context.evses:
            for connector in evse.connectors:
                self.connector_changed(evse, connector)

    # -- status ---------------------------------------------------------------------------------------------------

    def status_of(self, evse: Evse, connector: Connector) -> str:
        """ConnectorStatusEnumType of a connector."""
        evses = self._context.evses
        if evses.blocking_faults(evse, connector):
            return "Faulted"
        if not evses.is_operative(evse, connector):
            return "Unavailable"
        if connector.plugged:
            return "Occupied"
        return "Reserved" if connector.reserved else "Available"

    def connector_changed(self, evse: Evse, connector: Connector) -> None:
        """Report the connector's status if it is another one than before (G01)."""
        key = (evse.id, connector.id)
        status = self.status_of(evse, connector)
        self._show_problems(evse)
        if self._reported.get(key, NEVER_REPORTED) == status:
            return
        self._reported[key] = status
        self._show_in_device_model(self._context.model, evse, connector, status)
        if self._context.rpc.takes_notifications:
            self._notify(evse, connector)

    def evse_changed(self, evse: Evse) -> None:
        """Something about the whole EVSE has changed."""
        for connector in evse.connectors:
            self.connector_changed(evse, connector)

    def _show_in_device_model(self, model: DeviceModel, evse: Evse, connector: Connector, status: str) -> None:
        model.text(f"Connector@{evse.id}.{connector.id}/AvailabilityState").set(status)
        states = {self.status_of(evse, each) for each in evse.connectors}
        model.text(f"EVSE@{evse.id}/AvailabilityState").set(_common(states))
        everywhere = {self.status_of(each, connector) for each in self._context.evses for connector in each.connectors}
        model.text("ChargingStation/AvailabilityState").set(_common(everywhere))

    def _show_problems(self, evse: Evse) -> None:
        model, evses = self._context.model, self._context.evses
        model.boolean("ChargingStation/Problem").set(bool(evses.faults))
        model.boolean(f"EVSE@{evse.id}/Problem").set(bool(evse.faults))
        for connector in evse.connectors:
            model.boolean(f"Connector@{evse.id}.{connector.id}/Problem").set(bool(connector.faults))

    def report_all(self) -> None:
        """Accepted: tell every status, or only the changed ones after a short time offline (B01.FR.05, B04)."""
        context = self._context
        offline_for = 0.0
        if context.offline_since is not None:
            offline_for = context.clock.monotonic() - context.offline_since
        everything = not self._known_to_csms or offline_for > self._offline_threshold.value
        for evse in context.evses:
            for connector in evse.connectors:
                known = self._known_to_csms.get((evse.id, connector.id))
                if everything or known != self.status_of(evse, connector):
                    self._notify(evse, connector)

    def _notify(self, evse: Evse, connector: Connector, *, requested: bool = False) -> None:
        status = self.status_of(evse, connector)
        self._known_to_csms[evse.id, connector.id] = status
        request = v2.StatusNotificationRequest(
            timestamp=self._context.clock.now(),
            connector_status=v2.ConnectorStatusEnum(status),
            evse_id=evse.id,
            connector_id=connector.id,
        )
        self._context.rpc.notify(request, requested=requested)

    def trigger(self, evse_id: int, connector_id: int) -> bool:
        """Send the status the CSMS has asked for (F06); False when there is no such connector."""
        try:
            evse = self._context.evses[evse_id]
            connector = evse.connector(connector_id)
        except DeviceModelError:
            return False
        self._notify(evse, connector, requested=True)
        return True

    def _changed(self, changed: list[tuple[Evse, Connector]]) -> None:
        self._context.reservations.review()
        for evse, connector in changed:
            self.connector_changed(evse, connector)

    # -- changes --------------------------------------------------------------------------------------------------

    def change_availability(self, request: v2.ChangeAvailabilityRequest) -> v2.ChangeAvailabilityResponse:
        """G03 and G04."""
        try:
            evse = self._context.evses[request.evse.id] if request.evse is not None else None
            connector_id = request.evse.connector_id if request.evse is not None else None
            connector = evse.connector(connector_id) if evse is not None and connector_id is not None else None
        except DeviceModelError as error:
            return v2.ChangeAvailabilityResponse(
                status=v2.ChangeAvailabilityStatusEnum("Rejected"),
                status_info=v2.StatusInfo(reason_code="UnknownEvse", additional_info=str(error)[:500]),
            )
        operative = request.operational_status == "Operative"
        outcome: ChangeOutcome = self._context.availability.change(operative, evse, connector)
        return v2.ChangeAvailabilityResponse(status=v2.ChangeAvailabilityStatusEnum(outcome.value))
