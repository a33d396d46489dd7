"""What an EVSE may draw at an instant, and why: the limits of every purpose brought together (K08.FR.04)."""

from collections.abc import Sequence

import msgspec

from ocpp._native.schedule import InForce, Limit, Limits, Slice, Track
from ocpp.core.evse import LEAST_CURRENT_A
from ocpp.core.schedule import ChargingProfile, Purpose

__all__ = ["CompositeSchedule", "InForce", "Limit", "Place", "Slice", "composite", "least_a", "limit_at", "limits_of"]

# Members of an enumeration are slow to look up, and every review does.
_TX, _TX_DEFAULT, _STATION_MAX = Purpose.TX, Purpose.TX_DEFAULT, Purpose.STATION_MAX

MAX_PERIODS = 1024
"""Of a composite schedule (CompositeScheduleType); where there are more it is one of a shorter time."""


class Place(msgspec.Struct, frozen=True):
    """What is fixed about an EVSE: what its connector carries, and what holds without any profile."""

    max_current_a: float
    phases: int
    default_a: float
    default_phases: int = 3
    voltage_v: float = 230.0


def least_a(limit: Limit, voltage_v: float) -> float:
    """The current below which charging makes no sense: what a pilot can offer, or the schedule's minChargingRate."""
    least = LEAST_CURRENT_A
    for each in limit.sources:
        schedule = each.profile.schedule
        if schedule.min_rate is not None:
            rate = schedule.min_rate
            least = max(least, rate if schedule.unit == "A" else rate / (voltage_v * limit.phases))
    return least


def limit_at(place: Place, profiles: Sequence[ChargingProfile], at: float, anchor: float) -> Limit:
    """The limit at an instant."""
    return limits_of(place, profiles, anchor).at(at)


class CompositeSchedule(msgspec.Struct, frozen=True):
    """Limits as stretches that differ (K08.FR.02), the first from 0 s on, and for how many seconds they hold."""

    slices: list[Slice]
    duration: int


def composite(limits: Limits, start: float, duration: int) -> CompositeSchedule:
    """The limits from `start` on, counted from the second that it falls into; `MAX_PERIODS` stretches at most."""
    slices = limits.slices(start, duration, MAX_PERIODS)
    return CompositeSchedule(slices, int(limits.told_s))


def limits_of(place: Place, profiles: Sequence[ChargingProfile], anchor: float) -> Limits:
    """For questions about several instants: what holds until place or profiles change.

    A TxProfile goes before TxDefaultProfiles, by purpose and never by kind; where it says nothing they hold
    (K02.FR.04, .08); the station's limits are never exceeded, nor that of any external system (SC.01).
    """
    tx: list[Track] = []
    default: list[Track] = []
    station: list[Track] = []
    external: list[list[Track]] = []
    for each in sorted(profiles, key=_rank, reverse=True) if len(profiles) > 1 else profiles:
        track, purpose = each.track(anchor), each.purpose
        if purpose is _TX:
            tx.append(track)
        elif purpose is _TX_DEFAULT:
            default.append(track)
        elif purpose is _STATION_MAX:
            station.append(track)
        else:
            external.append([track])
    groups = [tx + default, station, *external]
    return Limits(groups, place.max_current_a, place.phases, place.default_a, place.default_phases, place.voltage_v)


def _rank(profile: ChargingProfile) -> tuple[int, bool]:
    """The higher stack level holds (K01.FR.17), and an EVSE's own profile before one of EVSE 0."""
    return profile.stack_level, profile.evse_id > 0
