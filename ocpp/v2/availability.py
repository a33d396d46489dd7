"""G. Availability: connector status, and changes of it on the CSMS's wish."""

from __future__ import annotations

from collections.abc import Mapping

from ocpp.core.availability import ChangeOutcome
from ocpp.core.cable_locks import LOCK_FAILURE
from ocpp.core.context import Context
from ocpp.core.evse import Connector, Evse, Fault, blocking
from ocpp.core.told import Told
from ocpp.device_model import DeviceModel
from ocpp.errors import DeviceModelError
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler, Reply

STATUS = "StatusNotification"


def _whole(faults: Mapping[str, Fault], parts: set[str]) -> str:
    """The state of something with parts: theirs if they agree, else somebody can still be served."""
    if blocking(faults):
        return "Faulted"
    return parts.pop() if len(parts) == 1 else "Available"


class Availability:
    """Functional block G."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._offline_threshold = context.model.integer("OCPPCommCtrlr/OfflineThreshold")
        self._told: Told[tuple[int, int], str] = Told(context.rpc, context.clock, self._look_again)

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"ChangeAvailability": self.change_availability}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        context = self._context
        context.signals.introduced.listen(self._told.forget)
        context.signals.accepted.listen(self.report_all)
        context.availability.on_change.append(self._changed)
        for evse in context.evses:
            for connector in evse.connectors:
                self.connector_changed(evse, connector)

    # -- status ---------------------------------------------------------------------------------------------------

    def status_of(self, evse: Evse, connector: Connector) -> str:
        """ConnectorStatusEnumType of a connector; one that is sound at a faulted EVSE is Unavailable (G03.FR.06)."""
        evses = self._context.evses
        if blocking(connector.faults):
            return "Faulted"
        if evses.blocking_faults(evse, connector) or not evses.is_operative(evse, connector):
            return "Unavailable"
        if connector.reserved:
            return "Reserved"
        if connector.occupied:
            return "Occupied"
        return "Unavailable" if connector.leaving else "Available"  # nobody new is let in (G01.FR.05)

    def connector_changed(self, evse: Evse, connector: Connector) -> None:
        """Report the connector's status if it is another one than before (G01)."""
        status = self.status_of(evse, connector)
        self._show_problems(evse)
        self._show_in_device_model(self._context.model, evse, connector, status)
        self._tell(evse, connector)

    def _tell(self, evse: Evse, connector: Connector) -> None:
        """Tell the status where somebody takes it who does not know it."""
        status = self.status_of(evse, connector)
        if self._context.rpc.takes_notifications and not self._told.holds((evse.id, connector.id), status):
            self._notify(evse, connector)

    def _look_again(self, key: tuple[int, int]) -> None:
        evse_id, connector_id = key
        try:
            evse = self._context.evses[evse_id]
            connector = evse.connector(connector_id)
        except DeviceModelError:
            return  # told by a run that had another station file
        self._tell(evse, connector)

    def evse_changed(self, evse: Evse) -> None:
        """Something about the whole EVSE has changed."""
        for connector in evse.connectors:
            self.connector_changed(evse, connector)

    def _show_in_device_model(self, model: DeviceModel, evse: Evse, connector: Connector, status: str) -> None:
        evses = self._context.evses
        model.text(f"Connector@{evse.id}.{connector.id}/AvailabilityState").set(status)
        states = {each.id: self._evse_status(each) for each in evses}
        model.text(f"EVSE@{evse.id}/AvailabilityState").set(states[evse.id])
        model.text("ChargingStation/AvailabilityState").set(_whole(evses.faults, set(states.values())))

    def _evse_status(self, evse: Evse) -> str:
        return _whole(evse.faults, {self.status_of(evse, connector) for connector in evse.connectors})

    def _show_problems(self, evse: Evse) -> None:
        context = self._context
        model, evses = context.model, context.evses
        model.boolean("ChargingStation/Problem").set(bool(evses.faults))
        model.boolean(f"EVSE@{evse.id}/Problem").set(bool(evse.faults))
        for connector in evse.connectors:
            model.boolean(f"Connector@{evse.id}.{connector.id}/Problem").set(bool(connector.faults))
            if context.charging.hardware.has_lock(evse.id, connector.id):
                jammed = LOCK_FAILURE in evses.faults_of(evse, connector)
                model.boolean(f"ConnectorPlugRetentionLock@{evse.id}.{connector.id}/Problem").set(jammed)

    def report_all(self) -> None:
        """Accepted: tell every status, or only the changed ones after a short time offline (B01.FR.05, B04)."""
        context = self._context
        offline_for = 0.0
        if context.offline_since is not None:
            offline_for = context.clock.monotonic() - context.offline_since
        self._told.review()
        everything = not self._told or offline_for > self._offline_threshold.value
        for evse in context.evses:
            for connector in evse.connectors:
                if everything:
                    self._notify(evse, connector)
                else:
                    self._tell(evse, connector)

    def _notify(self, evse: Evse, connector: Connector) -> None:
        status = self.status_of(evse, connector)
        self._told.tell((evse.id, connector.id), status, self._request(evse, connector, status))

    def _request(self, evse: Evse, connector: Connector, status: str) -> v2.StatusNotificationRequest:
        return v2.StatusNotificationRequest(
            timestamp=self._context.clock.now(),
            connector_status=v2.ConnectorStatusEnum(status),
            evse_id=evse.id,
            connector_id=connector.id,
        )

    def delivered(self, request: v2.StatusNotificationRequest) -> None:
        """The CSMS has answered a status that was queued."""
        self._told.delivered((request.evse_id, request.connector_id), str(request.connector_status))

    def given_up(self, request: v2.StatusNotificationRequest) -> None:
        """A status that was queued will not be sent."""
        self._told.given_up((request.evse_id, request.connector_id))

    def stop(self) -> None:
        """No timers any more."""
        self._told.stop()

    def trigger(self, evse_id: int, connector_id: int) -> bool:
        """Send the status the CSMS has asked for (F06); False when there is no such connector."""
        try:
            evse = self._context.evses[evse_id]
            connector = evse.connector(connector_id)
        except DeviceModelError:
            return False
        status = self.status_of(evse, connector)
        self._context.rpc.notify(self._request(evse, connector, status), requested=True)
        return True

    def _changed(self, changed: list[tuple[Evse, Connector]]) -> None:
        self._context.reservations.review()
        for evse, connector in changed:
            self.connector_changed(evse, connector)

    # -- changes --------------------------------------------------------------------------------------------------

    def change_availability(self, request: v2.ChangeAvailabilityRequest) -> v2.ChangeAvailabilityResponse | Reply:
        """G03 and G04. Who asks for what is so already hears the statuses again (certification case TC_G_13)."""
        context = self._context
        try:
            evse = context.evses[request.evse.id] if request.evse is not None else None
            connector_id = request.evse.connector_id if request.evse is not None else None
            connector = evse.connector(connector_id) if evse is not None and connector_id is not None else None
        except DeviceModelError as error:
            return v2.ChangeAvailabilityResponse(
                status=v2.ChangeAvailabilityStatusEnum("Rejected"),
                status_info=v2.StatusInfo(reason_code="UnknownEvse", additional_info=str(error)[:500]),
            )
        operative = request.operational_status == "Operative"
        already = context.availability.is_already(operative, evse, connector)
        outcome: ChangeOutcome = context.availability.change(operative, evse, connector)
        response = v2.ChangeAvailabilityResponse(status=v2.ChangeAvailabilityStatusEnum(outcome.value))
        return Reply(response, lambda: self._tell_again(evse, connector)) if already else response

    def _tell_again(self, evse: Evse | None, connector: Connector | None) -> None:
        for where in [evse] if evse is not None else self._context.evses:
            for each in [connector] if connector is not None else where.connectors:
                self._notify(where, each)
