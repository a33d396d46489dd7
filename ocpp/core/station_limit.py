"""The connection to the grid: what the station as a whole may draw, and what of it is left for each EVSE (K04.FR.05)."""

import math
from collections.abc import Iterable, Mapping, Sequence

from ocpp.core.evse import Evse, Evses
from ocpp.core.grid import Grid
from ocpp.core.limits import Limit, Place, least_a, limit_at
from ocpp.core.schedule import STATION, ChargingProfile, Purpose
from ocpp.core.sharing import Demand, share

# Members of an enumeration are slow to look up, and reviews look at every profile.
_STATION_WIDE = (Purpose.STATION_MAX, Purpose.EXTERNAL)


def station_wide(profiles: Iterable[ChargingProfile]) -> list[ChargingProfile]:
    """Those that hold for the connection to the grid."""
    return [each for each in profiles if each.evse_id == STATION and each.purpose in _STATION_WIDE]


def connection(grid: Grid, phases: int) -> Place:
    """The connection to the grid, as the place where the station's own limits hold."""
    return Place(grid.limit_a, phases, grid.limit_a, phases, grid.voltage_v)


class StationLimit:
    """What the station as a whole may draw at an instant, by the profiles that hold for its connection."""

    def __init__(self, grid: Grid, evses: Evses, profiles: Sequence[ChargingProfile], now: float) -> None:
        self._grid, self._evses, self._profiles, self._now = grid, evses, profiles, now
        self._whole: dict[int, float] = {}

    def current_a(self, phases: int) -> float:
        """In A per phase, on so many phases; infinite where nothing limits it."""
        whole = self._whole.get(phases)
        if whole is None:
            found = limit_at(connection(self._grid, phases), self._profiles, self._now, self._now)
            whole = self._whole[phases] = found.current_a
        return whole

    def left_for(self, evse: Evse, limits: Mapping[int, Limit]) -> Limit:
        """What of its own limit an EVSE may draw, next to those who charge; who does not may have it alone.

        `limits`: what each EVSE may draw by itself, by EVSE id.
        """
        limit = limits[evse.id]
        whole = self.current_a(limit.phases)
        if whole == math.inf:
            return limit
        busy = [each for each in self._evses if each is evse or _charges(each)]
        fraction = share([self._demand(each, limits[each.id]) for each in busy])[busy.index(evse)]
        if fraction * whole >= limit.current_a:
            return limit
        return Limit(fraction * whole, limit.phases, limit.sources)

    def _demand(self, evse: Evse, limit: Limit) -> Demand:
        whole = self.current_a(limit.phases)
        if whole <= 0:
            return Demand(0.0)
        session = evse.session
        transaction = session.transaction if session is not None else None
        return Demand(
            most=limit.current_a / whole,
            least=least_a(limit, self._grid.voltage_v) / whole,
            priority=session.priority if session is not None else 0,
            since=transaction.started_at.timestamp() if transaction is not None else self._now,
            sated=evse.sated,
        )


def _charges(evse: Evse) -> bool:
    return evse.session is not None and evse.session.delivery.allowed
