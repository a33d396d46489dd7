"""Charging profiles as they are kept; what they say at an instant is calculated in `ocpp._native.schedule`.

Times are Unix seconds; nothing here knows a clock, an EVSE or a message. An `anchor` is the instant that relative
schedules count from: the start of the transaction, or of the window that is asked about.
"""

from enum import StrEnum

import msgspec

from ocpp._native.schedule import Curve, Track

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


_RELATIVE, _RECURRING = Kind.RELATIVE, Kind.RECURRING  # members of an enumeration are slow to look up


class Period(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """From `start` seconds after the schedule's begin: a limit in the schedule's unit; A are per phase."""

    start: int
    limit: float
    phases: int | None = None


class Schedule(msgspec.Struct, frozen=True, omit_defaults=True, dict=True):
    """Periods in ascending order, the first at 0. `unit` is "A" or "W"; `start` and `duration` in s."""

    unit: str
    periods: tuple[Period, ...]
    start: float | None = None
    duration: int | None = None
    min_rate: float | None = None
    id: int = 0

    @property
    def curve(self) -> Curve:
        """Its periods for calculation."""
        # Kept beside the fields; functools.cached_property takes a lock for it before Python 3.12.
        kept: Curve | None = self.__dict__.get("curve")
        if kept is None:
            kept = self.__dict__["curve"] = Curve(self.periods, self.unit == "A", self.duration)
        return kept


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

    def track(self, anchor: float) -> Track:
        """The profile on the time line; relative schedules begin at `anchor`."""
        schedule = self.schedule
        start = schedule.start
        if start is None or self.kind is _RELATIVE:
            return Track(self, schedule.curve, anchor, None, self.valid_from, self.valid_to)
        recurrency_s = self.recurrency_s if self.kind is _RECURRING else None
        return Track(self, schedule.curve, start, recurrency_s, self.valid_from, self.valid_to)
