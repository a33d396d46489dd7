"""The locks that hold charging cables. Whose cable is kept survives a restart; every other lock is opened at the start."""

import logging
from typing import TYPE_CHECKING

import msgspec

from ocpp.core.evse import Connector, Evse, Fault
from ocpp.core.identity import IdToken, same_authority
from ocpp.core.transaction import Authorization
from ocpp.errors import StorageError
from ocpp.storage.state import StateRepository

if TYPE_CHECKING:
    from ocpp.core.charging import Charging

LOCK_FAILURE = "ConnectorLockFailure"

KEPT_KEY = "kept_cables"
"""Owners of the cables that are kept, by EVSE and connector ("1.2")."""

log = logging.getLogger(__name__)


class CableLocks:
    """Locks before energy is delivered, unlocks afterwards; a lock that fails is a fault."""

    def __init__(self, charging: "Charging") -> None:
        self._charging = charging
        self._state = StateRepository(charging.database)
        self._locking: set[tuple[int, int]] = set()
        self._failed: set[tuple[int, int]] = set()
        """Locks whose failure was found here, not reported by the hardware: over once they are seen to work, or unplugged."""

    def start(self) -> None:
        """Keep what was kept before the restart. What else a bolt holds nobody would let go: it is opened."""
        kept = self._load()
        for evse in self._charging.evses:
            for connector in evse.connectors:
                if not self._charging.hardware.has_lock(evse.id, connector.id) or connector.locked or evse.in_use:
                    continue
                owner = kept.get(f"{evse.id}.{connector.id}")
                if owner is not None and not connector.plugged:
                    connector.locked, connector.kept_for = True, owner
                    self._charging.listener.connector_changed(evse, connector)
                else:
                    self._charging.spawn(self._unlock(evse, connector))

    def _load(self) -> dict[str, Authorization]:
        try:
            return msgspec.convert(self._state.get(KEPT_KEY, {}), dict[str, Authorization])
        except msgspec.ValidationError as error:
            log.error("whose cables are kept cannot be read: %s", error)
            return {}

    def _note(self) -> None:
        """Put on disk whose cables are kept, where it has changed."""
        connectors = self._charging.evses.connectors
        kept = {f"{each.evse_id}.{each.id}": each.kept_for for each in connectors if each.kept_for is not None}
        if kept != self._load():
            self._state.put(KEPT_KEY, msgspec.to_builtins(kept))

    def forget_owner(self, connector: Connector) -> None:
        """The cable is not kept for anybody any more."""
        if connector.kept_for is None:
            return
        connector.kept_for = None
        try:
            self._note()
        except StorageError as error:
            log.error("that a cable is not kept any longer is not noted: %s", error)

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
        self._note()

    def learn_group(self, token: IdToken, group: IdToken) -> None:
        """The CSMS tells which group a token belongs to: a cable that is kept for it is kept for the group, too."""
        for connector in self._charging.evses.connectors:
            owner = connector.kept_for
            if owner is not None and owner.token.matches(token):
                connector.kept_for = Authorization(owner.token, group)
                self._note()

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
            connector.locked = False
            self.forget_owner(connector)
            self._works(evse, connector)
        else:
            self._fails(evse, connector, "does not open")
        self._charging.listener.connector_changed(evse, connector)
        return opened
