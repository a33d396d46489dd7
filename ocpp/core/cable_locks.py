"""The locks that hold charging cables."""

import logging
from typing import TYPE_CHECKING

from ocpp.core.evse import Connector, Evse, Fault
from ocpp.core.identity import IdToken, same_authority
from ocpp.core.transaction import Authorization

if TYPE_CHECKING:
    from ocpp.core.charging import Charging

LOCK_FAILURE = "ConnectorLockFailure"

log = logging.getLogger(__name__)


class CableLocks:
    """Locks before energy is delivered, unlocks afterwards; a lock that fails is a fault."""

    def __init__(self, charging: "Charging") -> None:
        self._charging = charging
        self._locking: set[tuple[int, int]] = set()

    def lock(self, evse: Evse, connector: Connector) -> None:
        """Lock the cable, then deliver; a lock that does not close is a fault and nothing is delivered."""
        key = (evse.id, connector.id)
        if key not in self._locking:
            self._locking.add(key)
            self._charging.spawn(self._lock(evse, connector))

    async def _lock(self, evse: Evse, connector: Connector) -> None:
        try:
            connector.locked = await self._charging.hardware.lock(evse.id, connector.id)
        finally:
            self._locking.discard((evse.id, connector.id))
        if connector.locked:
            if evse.session is not None:
                evse.session.reconsider()
            return
        log.error("the lock of EVSE %d connector %d does not close", evse.id, connector.id)
        self._charging.fault_changed(evse.id, connector.id, Fault(LOCK_FAILURE, "lock does not close"), active=True)

    def unlock(self, evse: Evse, connector: Connector) -> None:
        """Release the cable without waiting for it."""
        if connector.locked:
            self._charging.spawn(self._unlock(evse, connector))

    def release(self, evse: Evse) -> None:
        """Release whatever is locked there."""
        for connector in evse.connectors:
            self.unlock(evse, connector)

    def keep(self, evse: Evse, owner: Authorization) -> None:
        """Keep a locked cable until its owner comes (C15.FR.05, E05.FR.11, E09.FR.03)."""
        for connector in evse.connectors:
            if connector.locked:
                connector.kept_for = owner

    def give_back(self, token: IdToken, group: IdToken | None, evses: list[Evse]) -> bool:
        """Release the cable that is kept for whoever presents that token; False when none is."""
        for evse in evses:
            for connector in evse.connectors:
                owner = connector.kept_for
                if owner is not None and same_authority(token, group, owner.token, owner.group):
                    self.unlock(evse, connector)
                    return True
        return False

    async def _unlock(self, evse: Evse, connector: Connector) -> None:
        await self.unlock_now(evse, connector)

    async def unlock_now(self, evse: Evse, connector: Connector) -> bool:
        """Release the cable; False when the lock did not open, which is reported as a fault too."""
        opened = await self._charging.hardware.unlock(evse.id, connector.id)
        if opened:
            connector.locked, connector.kept_for = False, None
        else:
            log.error("the lock of EVSE %d connector %d does not open", evse.id, connector.id)
            self._charging.fault_changed(evse.id, connector.id, Fault(LOCK_FAILURE, "lock does not open"), active=True)
        self._charging.listener.connector_changed(evse, connector)
        return opened
