"""In and out of service: station, EVSE, connector; scheduled while somebody charges, kept over restarts (G03, G04)."""

import logging
from collections.abc import Callable
from enum import StrEnum

from ocpp.core.evse import Connector, Evse, Evses
from ocpp.core.hardware import Hardware
from ocpp.storage.state import StateRepository

STATE_KEY = "availability"

log = logging.getLogger(__name__)


class ChangeOutcome(StrEnum):
    """ChangeAvailabilityStatusEnumType."""

    ACCEPTED = "Accepted"
    SCHEDULED = "Scheduled"
    REJECTED = "Rejected"


class Availability:
    """Operative states, persistent. Keys: "0" the station, "1" an EVSE, "1.2" a connector."""

    def __init__(self, evses: Evses, state: StateRepository, hardware: Hardware) -> None:
        self._evses = evses
        self._state = state
        self._hardware = hardware
        self._scheduled: dict[str, bool] = {}
        self.on_change: list[Callable[[list[tuple[Evse, Connector]]], None]] = []
        self._restore()

    def _restore(self) -> None:
        stored: dict[str, bool] = self._state.get(STATE_KEY, {})
        self._evses.operative = stored.get("0", True)
        for evse in self._evses:
            evse.operative = stored.get(f"{evse.id}", True)
            for connector in evse.connectors:
                connector.operative = stored.get(f"{evse.id}.{connector.id}", True)
        self._apply()

    def change(self, operative: bool, evse: Evse | None = None, connector: Connector | None = None) -> ChangeOutcome:
        """Set the state of the station (no EVSE given), an EVSE or a connector.

        Scheduled: it happens once the transactions concerned have ended; the wish is kept on disk like the state.
        """
        key = self._key(evse, connector)
        target: Evses | Evse | Connector = connector or evse or self._evses
        if target.operative is operative:
            self._scheduled.pop(key, None)
            return ChangeOutcome.ACCEPTED
        if not operative and self._busy(evse):
            self._scheduled[key] = operative
            self._persist(key, operative)
            return ChangeOutcome.SCHEDULED
        self._scheduled.pop(key, None)
        self._persist(key, operative)
        self._set(target, operative)
        return ChangeOutcome.ACCEPTED

    def carry_out_scheduled(self) -> None:
        """A transaction has ended: do what waited for it."""
        for key, operative in tuple(self._scheduled.items()):
            evse, connector = self._target(key)
            if not self._busy(evse):
                del self._scheduled[key]
                self._set(connector or evse or self._evses, operative)

    def hold(self) -> None:
        """Keep every EVSE without a transaction out of service, until `release`; a restart ends it too (L01.FR.07)."""
        self._hold([evse for evse in self._evses if not evse.in_use and not evse.held], held=True)

    def release(self) -> None:
        """The end of `hold`."""
        self._hold([evse for evse in self._evses if evse.held], held=False)

    def set_restarting(self, evse: Evse, restarting: bool) -> None:
        """Take an EVSE out of service while it is reset, and back."""
        before = self._states()
        evse.restarting = restarting
        self._tell_changes(before)

    def _hold(self, evses: list[Evse], *, held: bool) -> None:
        before = self._states()
        for evse in evses:
            evse.held = held
        self._tell_changes(before)

    def _set(self, target: Evses | Evse | Connector, operative: bool) -> None:
        before = self._states()
        target.operative = operative
        self._tell_changes(before)

    def _tell_changes(self, before: list[bool]) -> None:
        self._apply()
        after = self._states()
        changed = [pair for pair, old, new in zip(self._pairs(), before, after, strict=True) if old is not new]
        if changed:
            log.info("%d connector(s) changed, %d are in service", len(changed), sum(after))
        for listener in self.on_change:
            listener(changed)

    def _apply(self) -> None:
        for evse, connector in self._pairs():
            self._hardware.set_available(evse.id, connector.id, self._evses.is_operative(evse, connector))

    def _pairs(self) -> list[tuple[Evse, Connector]]:
        return [(evse, connector) for evse in self._evses for connector in evse.connectors]

    def _states(self) -> list[bool]:
        return [self._evses.is_operative(evse, connector) for evse, connector in self._pairs()]

    def _busy(self, evse: Evse | None) -> bool:
        return evse.in_use if evse is not None else any(each.in_use for each in self._evses)

    def _persist(self, key: str, operative: bool) -> None:
        stored: dict[str, bool] = self._state.get(STATE_KEY, {})
        self._state.put(STATE_KEY, {**stored, key: operative})

    @staticmethod
    def _key(evse: Evse | None, connector: Connector | None) -> str:
        if evse is None:
            return "0"
        return f"{evse.id}" if connector is None else f"{evse.id}.{connector.id}"

    def _target(self, key: str) -> tuple[Evse | None, Connector | None]:
        if key == "0":
            return None, None
        evse_id, _, connector_id = key.partition(".")
        evse = self._evses[int(evse_id)]
        return evse, evse.connector(int(connector_id)) if connector_id else None
