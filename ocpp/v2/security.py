"""A. Security: events."""

from __future__ import annotations

from collections.abc import Mapping

from ocpp.clock import instant
from ocpp.core.context import Context
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler
from ocpp.storage.security_events import SecurityEvent


class Security:
    """Functional block A."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`: this block answers no calls."""
        return {}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._context.signals.accepted.listen(self._deliver)
        self._context.security.recorded = self._deliver

    def _deliver(self) -> None:
        if self._context.rpc.online:
            self._context.rpc.spawn(self._context.security.deliver(self._send))

    async def _send(self, event: SecurityEvent) -> None:
        """Tell the CSMS about an event (A04.FR.01)."""
        await self._context.rpc.call(
            v2.SecurityEventNotificationRequest(
                type=event.type,
                timestamp=instant(event.at_unix),
                tech_info=event.info or None,
            ),
            patient=True,
        )
