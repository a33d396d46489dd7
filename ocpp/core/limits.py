"""What an EVSE may draw at an instant, and why: the limits of every purpose brought together (K08.FR.04)."""

from collections.abc import Iterable, Sequence

import msgspec

from ocpp.core.evse import LEAST_CURRENT_A
from ocpp.core.schedule import ChargingProfile, InForce, Purpose, in_force, next_change

MAX_PERIODS = 1024
"""Of a composite schedule (CompositeScheduleType); a longer one ends early."""


class Limit(msgspec.Struct, frozen=True):
    """A current in A per phase on a number of phases, and the periods that make it; no `sources`: the default."""

    current_a: float
    phases: int
    sources: tuple[InForce, ...] = ()

    def power_w(self, voltage_v: float) -> float:
        """The same as power."""
        return self.current_a * self.phases * voltage_v

    def least_a(self, voltage_v: float) -> float:
        """The current below which charging makes no sense: what a pilot can offer, or the schedule's minChargingRate."""
        rates = [
            each.current(rate, self.phases, voltage_v)
            for each in self.sources
            if (rate := each.profile.schedule.min_rate) is not None
        ]
        return max([LEAST_CURRENT_A, *rates])


class Place(msgspec.Struct, frozen=True):
    """What is fixed about an EVSE: what its connector carries, and what holds without any profile."""

    max_current_a: float
    phases: int
    default_a: float
    default_phases: int = 3
    voltage_v: float = 230.0


class Slice(msgspec.Struct, frozen=True):
    """A stretch of a composite schedule, from `start` seconds after its begin."""

    start: int
    limit: Limit


def limit_at(place: Place, profiles: Sequence[ChargingProfile], at: float, anchor: float) -> Limit:
    """The limit at an instant. A TxProfile goes before TxDefaultProfiles, by purpose and never by kind; where it says
    nothing they hold (K02.FR.04, .08); the station's limits are never exceeded, nor that of any external system (SC.01).
    """
    own = in_force(_of(profiles, Purpose.TX), at, anchor) or in_force(_of(profiles, Purpose.TX_DEFAULT), at, anchor)
    found = [own, in_force(_of(profiles, Purpose.STATION_MAX), at, anchor)]
    found += [in_force([each], at, anchor) for each in _of(profiles, Purpose.EXTERNAL)]
    sources = tuple(each for each in found if each is not None)
    phases = min([place.phases, *(each.period.phases or place.default_phases for each in sources)])
    currents = [each.current(each.period.limit, phases, place.voltage_v) for each in sources]
    if own is None:
        currents.append(place.default_a)
    return Limit(max(0.0, min([place.max_current_a, *currents])), phases, sources)


def _of(profiles: Iterable[ChargingProfile], purpose: Purpose) -> list[ChargingProfile]:
    return [each for each in profiles if each.purpose is purpose]


def composite(
    place: Place, profiles: Sequence[ChargingProfile], start: float, duration: int, anchor: float
) -> list[Slice]:
    """The limits from `start` on, as stretches that differ (K08.FR.02)."""
    slices: list[Slice] = []
    at: float | None = start
    while at is not None and at < start + duration and len(slices) < MAX_PERIODS:
        limit = limit_at(place, profiles, at, anchor)
        same = slices and (slices[-1].limit.current_a, slices[-1].limit.phases) == (limit.current_a, limit.phases)
        if not same:
            slices.append(Slice(int(at - start), limit))
        at = next_change(profiles, at, anchor)
    return slices
