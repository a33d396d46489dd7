"""Charging profiles as arithmetic: which period of which profile holds at an instant, and when that changes.

Pure calculation on Unix seconds; nothing here knows a clock, an EVSE or a message. An `anchor` is the instant that
relative schedules count from: the start of the transaction, or of the window that is asked about.
"""

import math
from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

DAY_S, WEEK_S = 86400, 604800

STATION = 0
"""The EVSE id that means the whole station, its grid connection."""

CSO = "CSO"
"""The source of what comes from the CSMS."""


class Purpose(StrEnum):
    """ChargingProfilePurposeEnumType; 1.6 calls the second one ChargePointMaxProfile."""

    EXTERNAL = "ChargingStationExternalConstraints"
    STATION_MAX = "ChargingStationMaxProfile"
    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"


class Kind(StrEnum):
    """ChargingProfileKindEnumType."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"


class Period(msgspec.Struct, frozen=True, omit_defaults=True):
    """From `start` seconds after the schedule's begin: a limit in the schedule's unit; A are per phase."""

    start: int
    limit: float
    phases: int | None = None


class Schedule(msgspec.Struct, frozen=True, omit_defaults=True):
    """Periods in ascending order, the first at 0. `unit` is "A" or "W"; `start` and `duration` in s."""

    unit: str
    periods: tuple[Period, ...]
    start: float | None = None
    duration: int | None = None
    min_rate: float | None = None
    id: int = 0


class ChargingProfile(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A profile as installed at an EVSE (0: the station)."""

    id: int
    evse_id: int
    stack_level: int
    purpose: Purpose
    kind: Kind
    schedule: Schedule
    recurrency_s: int | None = None
    valid_from: float | None = None
    valid_to: float | None = None
    transaction_id: str | None = None
    alternatives: tuple[Schedule, ...] = ()
    """Further schedules that an EV may choose instead (ISO 15118; K15.FR.07)."""
    chosen: int = 0
    """Where `schedule` stands among all of them."""
    source: str = CSO
    """Who imposes it: the CSMS on behalf of the operator, or an external system (ChargingLimitSourceEnumType)."""

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """All its schedules, in the order in which they came."""
        return (*self.alternatives[: self.chosen], self.schedule, *self.alternatives[self.chosen :])

    def with_schedule(self, index: int) -> "ChargingProfile":
        """The profile with another of its schedules in force; the last one where it has fewer (K15.FR.22)."""
        schedules = self.schedules
        index = min(index, len(schedules) - 1)
        others = (*schedules[:index], *schedules[index + 1 :])
        return msgspec.structs.replace(self, schedule=schedules[index], alternatives=others, chosen=index)

    def begin(self, at: float, anchor: float) -> float:
        """When the occurrence of the schedule that `at` falls into began, or the first one will."""
        start = self.schedule.start
        if self.kind is Kind.RELATIVE or start is None:
            return anchor
        if self.kind is Kind.RECURRING and self.recurrency_s and at >= start:
            return start + math.floor((at - start) / self.recurrency_s) * self.recurrency_s
        return start

    def period(self, at: float, anchor: float) -> int | None:
        """The index of the period in force at an instant; None when the profile says nothing then (K01.FR.11-13)."""
        if (self.valid_from is not None and at < self.valid_from) or (
            self.valid_to is not None and at >= self.valid_to
        ):
            return None
        elapsed = at - self.begin(at, anchor)
        duration = self.schedule.duration
        if elapsed < 0 or (duration is not None and elapsed >= duration):
            return None
        found = None
        for index, each in enumerate(self.schedule.periods):
            if each.start > elapsed:
                break
            found = index
        return found

    def changes(self, after: float, anchor: float) -> Iterator[float]:
        """The next instants after `after` at which another period, or none, may be in force."""
        begin = self.begin(after, anchor)
        candidates = [begin, *(begin + each.start for each in self.schedule.periods)]
        if self.schedule.duration is not None:
            candidates.append(begin + self.schedule.duration)
        if self.kind is Kind.RECURRING and self.recurrency_s:
            candidates.append(begin + self.recurrency_s)
        candidates += [each for each in (self.valid_from, self.valid_to) if each is not None]
        return (each for each in candidates if each > after)


class InForce(msgspec.Struct, frozen=True):
    """A period that holds, and the profile it belongs to."""

    profile: ChargingProfile
    index: int

    @property
    def period(self) -> Period:
        """The period."""
        return self.profile.schedule.periods[self.index]

    def current(self, rate: float, phases: int, voltage_v: float) -> float:
        """A rate of the schedule in A per phase (K01.FR.50-51: A are per phase, W for all phases together)."""
        return rate if self.profile.schedule.unit == "A" else rate / (voltage_v * phases)


def in_force(profiles: Iterable[ChargingProfile], at: float, anchor: float) -> InForce | None:
    """Of profiles with one purpose: the highest stack level that says something (K01.FR.17); an EVSE's own before 0's."""
    best: InForce | None = None
    for profile in profiles:
        if best is not None and _rank(profile) <= _rank(best.profile):
            continue
        index = profile.period(at, anchor)
        if index is not None:
            best = InForce(profile, index)
    return best


def _rank(profile: ChargingProfile) -> tuple[int, bool]:
    return profile.stack_level, profile.evse_id > 0


def next_change(profiles: Iterable[ChargingProfile], after: float, anchor: float) -> float | None:
    """The next instant at which what is in force may be something else; None for never."""
    return min((instant for profile in profiles for instant in profile.changes(after, anchor)), default=None)
