"""The security white paper: events, and the upgrade of the security profile."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ocpp.clock import instant
from ocpp.core.context import Context
from ocpp.core.credentials import RECONNECT_AFTER_S
from ocpp.device_model.keys import KeyOutcome, KeyView
from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler
from ocpp.storage.security_events import SecurityEvent

EVENT_NAMES = {
    "InvalidCsmsCertificate": "InvalidCentralSystemCertificate",
    "InvalidChargingStationCertificate": "InvalidChargePointCertificate",
    "FailedToAuthenticateAtCsms": "FailedToAuthenticateAtCentralSystem",
}
"""Security events that 1.6 calls otherwise than 2.x."""

log = logging.getLogger(__name__)


class Security:
    """The security extension."""

    def __init__(self, context: Context, keys: KeyView) -> None:
        self._context = context
        keys.on_set("SecurityProfile", self._raise_profile)

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
        """Tell the CSMS about an event."""
        await self._context.rpc.call(
            v16.SecurityEventNotificationRequest(
                type=EVENT_NAMES.get(event.type, event.type),
                timestamp=instant(event.at_unix),
                tech_info=event.info or None,
            ),
            patient=True,
        )

    # -- security profile -----------------------------------------------------------------------------------------

    def _raise_profile(self, value: str) -> KeyOutcome:
        """A05: accepted when nothing is missing; the connection is made again after the answer has gone out."""
        connectivity = self._context.connectivity
        slot = connectivity.status.slot if connectivity is not None else None
        missing = self._context.upgrade.prepare(int(value), slot)
        if missing:
            log.warning("the security profile stays %d: %s", self._context.upgrade.current, missing)
            return KeyOutcome.REJECTED
        if connectivity is not None:
            self._context.clock.call_later(RECONNECT_AFTER_S, self._reconnect)
        return KeyOutcome.ACCEPTED

    def _reconnect(self) -> None:
        connectivity = self._context.connectivity
        if connectivity is not None:
            self._context.rpc.spawn(connectivity.reconnect("the security profile is raised"))
