"""In and out of service: station, EVSE, connector; not before a transaction has ended, kept over restarts (G03, G04)."""

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
        self.on_change: list[Callable[[list[tuple[Evse, Connector]]], None]] = []
        self._restore()

    def _restore(self) -> None:
        stored: dict[str, bool] = self._state.get(STATE_KEY, {})
        self._evses.operative = stored.get("0", True)
        for evse in self._evses:
            evse.operative = stored.get(f"{evse.id}", True)
            for connector in evse.connectors:
                connector.operative = stored.get(f"{evse.id}.{connector.id}", True)
                connector.leaving = False
        self._apply()

    def resumed(self) -> None:
        """Transactions go on after a restart: what is out of service waits for their ends, as it did before."""
        before = self._states()
        for evse, connector in self._pairs():
            transaction = evse.session.transaction if evse.session is not None else None
            if transaction is not None and transaction.connector_id in (None, connector.id):
                connector.leaving = not self._evses.is_operative(evse, connector)
        self._tell_changes(before)

    def is_already(self, operative: bool, evse: Evse | None = None, connector: Connector | None = None) -> bool:
        """Whether station, EVSE or connector is in that state, with nothing left to wait for."""
        target = connector or evse or self._evses
        return target.operative is operative and not any(each.leaving for _, each in self._parts(evse, connector))

    def change(self, operative: bool, evse: Evse | None = None, connector: Connector | None = None) -> ChangeOutcome:
        """Set the state of the station (no EVSE given), an EVSE or a connector.

        Scheduled: where a transaction is going on, it happens once that has ended; elsewhere it has happened. The state
        is on disk in either case.
        """
        before = self._states()
        parts = self._parts(evse, connector)
        busy = [where.in_use and self._evses.is_operative(where, each) for where, each in parts]
        target: Evses | Evse | Connector = connector or evse or self._evses
        if target.operative is not operative:
            self._persist(self._key(evse, connector), operative)
            target.operative = operative
        for _, each in parts:
            each.leaving = False
        for (where, each), waits in zip(parts, busy, strict=True):
            each.leaving = waits and not self._evses.is_operative(where, each)
        self._tell_changes(before)
        scheduled = not operative and any(each.leaving for _, each in parts)
        return ChangeOutcome.SCHEDULED if scheduled else ChangeOutcome.ACCEPTED

    def carry_out_scheduled(self) -> None:
        """A transaction has ended: do what waited for it."""
        over = [connector for evse, connector in self._pairs() if connector.leaving and not evse.in_use]
        if over:
            before = self._states()
            for connector in over:
                connector.leaving = False
            self._tell_changes(before)

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

    def _parts(self, evse: Evse | None, connector: Connector | None) -> list[tuple[Evse, Connector]]:
        """The connectors that a state of the station, an EVSE or a connector concerns."""
        return [
            (where, each)
            for where, each in self._pairs()
            if (evse is None or evse is where) and (connector is None or connector is each)
        ]

    def _persist(self, key: str, operative: bool) -> None:
        stored: dict[str, bool] = self._state.get(STATE_KEY, {})
        self._state.put(STATE_KEY, {**stored, key: operative})

    @staticmethod
    def _key(evse: Evse | None, connector: Connector | None) -> str:
        if evse is None:
            return "0"
        return f"{evse.id}" if connector is None else f"{evse.id}.{connector.id}"
