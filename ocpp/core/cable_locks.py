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
        self._failed: set[tuple[int, int]] = set()
        """Locks whose failure was found here, not reported by the hardware: over once they are seen to work, or unplugged."""

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
            self._works(evse, connector)
            if evse.session is not None:
                evse.session.reconsider()
            if not self._holds_for_somebody(evse, connector):
                self.unlock(evse, connector)
            return
        self._fails(evse, connector, "does not close")

    @staticmethod
    def _holds_for_somebody(evse: Evse, connector: Connector) -> bool:
        """Whether there still is a reason for the lock; the EV may have gone while the bolt moved."""
        authorized = evse.session is not None and evse.session.authorization is not None
        return connector.plugged or authorized or connector.kept_for is not None

    def _fails(self, evse: Evse, connector: Connector, what: str) -> None:
        log.error("the lock of EVSE %d connector %d %s", evse.id, connector.id, what)
        if LOCK_FAILURE in connector.faults:
            return
        self._failed.add((evse.id, connector.id))
        self._charging.fault_changed(evse.id, connector.id, Fault(LOCK_FAILURE, f"lock {what}"), active=True)

    def _works(self, evse: Evse, connector: Connector) -> None:
        key = (evse.id, connector.id)
        if key in self._failed:
            self._failed.discard(key)
            self._charging.fault_changed(evse.id, connector.id, Fault(LOCK_FAILURE), active=False)

    def unplugged(self, evse: Evse, connector: Connector) -> None:
        """The cable is gone, and with it what kept the lock from closing or opening: the next one may fit (G05)."""
        self._works(evse, connector)

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

    def learn_group(self, token: IdToken, group: IdToken) -> None:
        """The CSMS tells which group a token belongs to: a cable that is kept for it is kept for the group, too."""
        for connector in self._charging.evses.connectors:
            owner = connector.kept_for
            if owner is not None and owner.token.matches(token):
                connector.kept_for = Authorization(owner.token, group)

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
            self._works(evse, connector)
        else:
            self._fails(evse, connector, "does not open")
        self._charging.listener.connector_changed(evse, connector)
        return opened
