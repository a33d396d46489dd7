"""The Remote Trigger profile: messages that the Central System asks for (1.6 section 5.17)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from ocpp.core.context import Context
from ocpp.core.events import ReadingContext
from ocpp.errors import DeviceModelError
from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler, Reply
from ocpp.v16 import translation

Send = Callable[[], Awaitable[None] | None]


class RemoteTrigger:
    """Feature profile Remote Trigger. Who has something to trigger puts it into `triggers`, by message name."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.triggers: dict[str, Callable[[int | None], Send]] = {"MeterValues": self._meter_values}
        self.extended: dict[str, Callable[[int | None], Send]] = {}
        """What ExtendedTriggerMessage does otherwise than TriggerMessage."""

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"TriggerMessage": self.trigger_message, "ExtendedTriggerMessage": self.extended_trigger_message}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""

    def trigger_message(self, request: v16.TriggerMessageRequest) -> Reply:
        """TriggerMessage: the response goes out before the message."""
        status, send = self._prepare(self.triggers, request.requested_message.value, request.connector_id)
        return Reply(v16.TriggerMessageResponse(status=v16.TriggerMessageStatus(status)), send)

    def extended_trigger_message(self, request: v16.ExtendedTriggerMessageRequest) -> Reply:
        """ExtendedTriggerMessage of the security white paper (F06)."""
        triggers = {**self.triggers, **self.extended}
        status, send = self._prepare(triggers, request.requested_message.value, request.connector_id)
        return Reply(v16.ExtendedTriggerMessageResponse(status=v16.TriggerMessageStatusEnum(status)), send)

    def _prepare(
        self, triggers: Mapping[str, Callable[[int | None], Send]], message: str, connector_id: int | None
    ) -> tuple[str, Send]:
        prepare = triggers.get(message)
        if prepare is None:
            return "NotImplemented", _nothing
        if connector_id is not None and connector_id != 0 and not self._exists(connector_id):
            return "Rejected", _nothing
        return "Accepted", prepare(connector_id)

    def _exists(self, number: int) -> bool:
        try:
            self._context.evses.numbered(number)
        except DeviceModelError:
            return False
        return True

    def _meter_values(self, number: int | None) -> Send:
        def send() -> None:
            context = self._context
            for evse in context.evses:
                for connector in evse.connectors:
                    if number in (None, 0, context.evses.number_of(connector)):
                        self._send_values(evse.id, context.evses.number_of(connector))

        return send

    def _send_values(self, evse_id: int, number: int) -> None:
        context = self._context
        evse = context.evses[evse_id]
        value = context.charging.value_now(evse, ReadingContext.TRIGGER)
        if value is None:
            return
        transaction = evse.session.transaction if evse.session is not None else None
        request = v16.MeterValuesRequest(
            connector_id=number,
            transaction_id=transaction.csms_id if transaction is not None else None,
            meter_value=[translation.meter_value(value)],
        )
        context.rpc.notify(request, requested=True)


def _nothing() -> None:
    """What a refused trigger sends."""
