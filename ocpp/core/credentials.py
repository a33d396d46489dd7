"""The station's password towards the CSMS, changed by the CSMS or an installer (A01; 1.6 security white paper)."""

import logging

import msgspec

from ocpp.connectivity.profile import NetworkProfile
from ocpp.connectivity.slots import readable
from ocpp.core.context import Context
from ocpp.storage.network_slots import NetworkSlotRepository

RECONFIGURED = "ReconfigurationOfSecurityParameters"

RECONNECT_AFTER_S = 1.0
"""The answer to the change goes out over the old connection first."""

log = logging.getLogger(__name__)


class Credentials:
    """Keeps a new password with the network profiles that used the old one, and connects with it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._slots = NetworkSlotRepository(context.database)
        context.model.entry("SecurityCtrlr/BasicAuthPassword").listeners.append(self._changed)

    def _changed(self, password: str) -> None:
        if not password:
            return
        stored = readable(self._slots.load())
        active = self._active(stored)
        before = stored[active].password if active in stored else None
        if before == password:
            return
        for slot, profile in stored.items():
            if slot == active or (profile.password is not None and profile.password == before):
                changed = msgspec.structs.replace(profile, password=password)
                self._slots.put(slot, msgspec.json.encode(changed))
        log.info("the password has been changed; connecting with the new one")
        self._context.security.record(RECONFIGURED, "BasicAuthPassword changed")
        self._context.clock.call_later(RECONNECT_AFTER_S, self._reconnect)

    def _active(self, stored: dict[int, NetworkProfile]) -> int | None:
        connectivity = self._context.connectivity
        slot = connectivity.status.slot if connectivity is not None else None
        return slot if slot in stored else next(iter(stored), None)

    def _reconnect(self) -> None:
        connectivity = self._context.connectivity
        if connectivity is not None:
            self._context.rpc.spawn(connectivity.reconnect("the password has been changed"))
