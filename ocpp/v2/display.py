"""O. Display messages: what the CSMS wants drivers to read."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ocpp.core.context import Context
from ocpp.core.display import STATION, DisplayMessage, Priority, State
from ocpp.errors import RpcError
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler, Reply
from ocpp.v2 import translation

MESSAGES_PER_NOTIFY = 10
"""Display messages in one NotifyDisplayMessages."""

UNKNOWN_DISPLAY = -1

log = logging.getLogger(__name__)


class Display:
    """Functional block O."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {
            "SetDisplayMessage": self.set_display_message,
            "GetDisplayMessages": self.get_display_messages,
            "ClearDisplayMessage": self.clear_display_message,
        }

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""

    def set_display_message(self, request: v2.SetDisplayMessageRequest) -> v2.SetDisplayMessageResponse:
        """O01, O02, O06."""
        outcome = self._context.displays.set(read_message(request.message))
        return v2.SetDisplayMessageResponse(status=v2.DisplayMessageStatusEnum(outcome.value))

    def clear_display_message(self, request: v2.ClearDisplayMessageRequest) -> v2.ClearDisplayMessageResponse:
        """O05."""
        found = self._context.displays.clear(request.id)
        return v2.ClearDisplayMessageResponse(status=v2.ClearMessageStatusEnum("Accepted" if found else "Unknown"))

    def get_display_messages(self, request: v2.GetDisplayMessagesRequest) -> v2.GetDisplayMessagesResponse | Reply:
        """O03, O04: the response says whether there are any; the messages follow."""
        found = self._context.displays.find(request.id or (), request.priority, request.state)
        if not found:
            return v2.GetDisplayMessagesResponse(status=v2.GetDisplayMessagesStatusEnum("Unknown"))
        return Reply(
            v2.GetDisplayMessagesResponse(status=v2.GetDisplayMessagesStatusEnum("Accepted")),
            lambda: self._notify(request.request_id, found),
        )

    async def _notify(self, request_id: int, found: list[DisplayMessage]) -> None:
        """In parts, all but the last with tbc (O03.FR.03-05)."""
        try:
            for first in range(0, len(found), MESSAGES_PER_NOTIFY):
                part = found[first : first + MESSAGES_PER_NOTIFY]
                request = v2.NotifyDisplayMessagesRequest(
                    request_id=request_id,
                    message_info=[write_message(each) for each in part],
                    tbc=True if first + MESSAGES_PER_NOTIFY < len(found) else None,
                )
                await self._context.rpc.call(request, requested=True)
        except RpcError as error:
            log.warning("the report %d of display messages ended early: %s", request_id, error)


def read_message(message: v2.MessageInfo) -> DisplayMessage:
    """A MessageInfoType in the domain's terms."""
    texts = [message.message, *(message.message_extra or ())]
    return DisplayMessage(
        id=message.id,
        priority=Priority(message.priority.value),
        texts=tuple(translation.display_text(text) for text in texts),
        state=State(message.state.value) if message.state is not None else None,
        start=message.start_date_time,
        end=message.end_date_time,
        transaction_id=message.transaction_id,
        display=_display(message.display) if message.display is not None else None,
    )


def _display(component: v2.Component) -> int:
    """The number behind a display's component; one that does not exist for any other (O01.FR.22)."""
    if component.name != "Display" or component.instance:
        return UNKNOWN_DISPLAY
    return component.evse.id if component.evse is not None else STATION


def write_message(message: DisplayMessage) -> v2.MessageInfo:
    """As MessageInfoType."""
    first, *others = [translation.message_content(text) for text in message.texts]
    return v2.MessageInfo(
        id=message.id,
        priority=v2.MessagePriorityEnum(message.priority.value),
        message=first,
        message_extra=others or None,
        state=v2.MessageStateEnum(message.state.value) if message.state is not None else None,
        start_date_time=message.start,
        end_date_time=message.end,
        transaction_id=message.transaction_id,
        display=_component(message.display) if message.display is not None else None,
    )


def _component(display: int) -> v2.Component:
    return v2.Component(name="Display", evse=v2.EVSE(id=display) if display != STATION else None)
