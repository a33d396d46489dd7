"""F. Remote control: start and stop, unlock, trigger message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from ocpp.core.context import Context
from ocpp.core.events import ReadingContext, Trigger
from ocpp.core.evse import Connector
from ocpp.core.schedule import ChargingProfile
from ocpp.errors import DeviceModelError
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler, Reply
from ocpp.rpc.permission import BootState
from ocpp.v2 import translation

TriggerAction = Callable[["v2.EVSE | None"], Callable[[], Awaitable[None] | None] | None]
"""Checks a wish for the EVSE given; returns what sends the message, or None when it has to be rejected."""


class RemoteControl:
    """Functional block F. Other blocks offer what can be triggered through `triggers`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._authorize_remote_start = context.model.boolean("AuthCtrlr/AuthorizeRemoteStart")
        self.triggers: dict[str, TriggerAction] = {
            "MeterValues": self._trigger_meter_values,
            "TransactionEvent": self._trigger_transaction_event,
        }

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {
            "RequestStartTransaction": self.request_start,
            "RequestStopTransaction": self.request_stop,
            "UnlockConnector": self.unlock_connector,
            "TriggerMessage": self.trigger_message,
        }

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""

    # -- start and stop -------------------------------------------------------------------------------------------

    def request_start(self, request: v2.RequestStartTransactionRequest) -> v2.RequestStartTransactionResponse | Reply:
        """F01 and F02. A charging profile in the request is ignored while smart charging is off (K05.FR.04)."""
        context = self._context
        if context.rpc.boot_state is not BootState.ACCEPTED:
            return self._start_rejected("NotAccepted")
        try:
            start = context.charging.admission.prepare_remote_start(
                translation.id_token(request.id_token),
                request.evse_id,
                request.remote_start_id,
                authorize_first=self._authorize_remote_start.value,
                read_profile=self._reader(request),
                group=translation.id_token(request.group_id_token) if request.group_id_token is not None else None,
            )
        except DeviceModelError:
            return self._start_rejected("UnknownEvse")
        if start is None:
            return self._start_rejected("NotAvailable")
        ongoing = start.session.transaction
        response = v2.RequestStartTransactionResponse(
            status=v2.RequestStartStopStatusEnum("Accepted"),
            transaction_id=ongoing.id if ongoing is not None else None,
        )
        return Reply(response, lambda: context.charging.admission.carry_out(start))

    def _reader(self, request: v2.RequestStartTransactionRequest) -> Callable[[int], ChargingProfile | None] | None:
        given = request.charging_profile
        if given is None:
            return None
        return lambda evse_id: self._context.remote_start_profile(given, evse_id, "")

    @staticmethod
    def _start_rejected(reason_code: str) -> v2.RequestStartTransactionResponse:
        return v2.RequestStartTransactionResponse(
            status=v2.RequestStartStopStatusEnum("Rejected"), status_info=v2.StatusInfo(reason_code=reason_code)
        )

    def request_stop(self, request: v2.RequestStopTransactionRequest) -> v2.RequestStopTransactionResponse | Reply:
        """F03."""
        charging = self._context.charging
        known = charging.session_of(request.transaction_id) is not None
        if not known or self._context.rpc.boot_state is not BootState.ACCEPTED:
            return v2.RequestStopTransactionResponse(status=v2.RequestStartStopStatusEnum("Rejected"))
        response = v2.RequestStopTransactionResponse(status=v2.RequestStartStopStatusEnum("Accepted"))

        def stop() -> None:
            charging.remote_stop(request.transaction_id)

        return Reply(response, stop)

    # -- unlock ---------------------------------------------------------------------------------------------------

    async def unlock_connector(self, request: v2.UnlockConnectorRequest) -> v2.UnlockConnectorResponse:
        """F05."""
        context = self._context
        try:
            evse = context.evses[request.evse_id]
            connector = evse.connector(request.connector_id)
        except DeviceModelError:
            return self._unlock_response("UnknownConnector")
        if self._has_authorized_transaction(connector):
            return self._unlock_response("OngoingAuthorizedTransaction")
        opened = await context.charging.locks.unlock_now(evse, connector)
        return self._unlock_response("Unlocked" if opened else "UnlockFailed")

    def _has_authorized_transaction(self, connector: Connector) -> bool:
        session = self._context.evses[connector.evse_id].session
        transaction = session.transaction if session is not None else None
        return transaction is not None and transaction.authorized and transaction.connector_id == connector.id

    @staticmethod
    def _unlock_response(status: str) -> v2.UnlockConnectorResponse:
        return v2.UnlockConnectorResponse(status=v2.UnlockStatusEnum(status))

    # -- trigger --------------------------------------------------------------------------------------------------

    def trigger_message(self, request: v2.TriggerMessageRequest) -> v2.TriggerMessageResponse | Reply:
        """F06: the response goes out before the message (F06.FR.04)."""
        prepare = self.triggers.get(request.requested_message)
        if prepare is None:
            return self._trigger_response("NotImplemented")
        send = prepare(request.evse)
        if send is None:
            return self._trigger_response("Rejected")
        return Reply(self._trigger_response("Accepted"), send)

    @staticmethod
    def _trigger_response(status: str) -> v2.TriggerMessageResponse:
        return v2.TriggerMessageResponse(status=v2.TriggerMessageStatusEnum(status))

    def _trigger_meter_values(self, where: v2.EVSE | None) -> Callable[[], None] | None:
        context = self._context
        if where is not None and where.id not in context.evses:
            return None
        evses = [context.evses[where.id]] if where is not None else list(context.evses)

        def send() -> None:
            for evse in evses:
                value = context.charging.value_now(evse, ReadingContext.TRIGGER)
                if value is not None:
                    request = v2.MeterValuesRequest(evse_id=evse.id, meter_value=[translation.meter_value(value)])
                    context.rpc.notify(request, requested=True)

        return send

    def _trigger_transaction_event(self, where: v2.EVSE | None) -> Callable[[], None] | None:
        sessions = [
            session
            for session in self._context.charging.sessions
            if session.transaction is not None
            and (where is None or (session.evse is not None and session.evse.id == where.id))
        ]
        if not sessions:
            return None

        def send() -> None:
            for session in sessions:
                session.reports.report(Trigger.TRIGGER)

        return send
