"""Charging profiles as they are kept; what they say at an instant is calculated in `ocpp._native.schedule`.

Times are Unix seconds; nothing here knows a clock, an EVSE or a message. An `anchor` is the instant that relative
schedules count from: the start of the transaction, or of the window that is asked about.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import starmap
from typing import cast, overload

import msgspec

from ocpp._native.schedule import Curve, Fields, Track

DAY_S, WEEK_S = 86400, 604800

STATION = 0
"""The EVSE id that means the whole station, its grid connection."""

MOST_PHASES = 3
"""Of any connector."""

PERIOD_IN_MESSAGE = Fields("start_period", "limit", "number_phases")
"""What periods are made of in the messages of every version."""

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


class Periods(Curve, Sequence[Period]):
    """Periods kept as numbers: a `Period` is made of one whenever somebody asks for it.

    msgspec has to be told with `enc_hook=tuple` how to write them; what it reads becomes `Periods` in a `Schedule`.
    """

    __slots__ = ()

    @overload
    def __getitem__(self, index: int) -> Period: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Period, ...]: ...
    def __getitem__(self, index: int | slice) -> Period | tuple[Period, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        return Period(*self.step(index + len(self) if index < 0 else index))

    def __iter__(self) -> Iterator[Period]:
        return starmap(Period, self.steps())

    def __repr__(self) -> str:
        return repr(tuple(self))


class Schedule(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Periods in ascending order, the first at 0. `unit` is "A" or "W"; `start` and `duration` in s.

    Raises TypeError for a period that is made of other things than numbers.
    """

    unit: str
    periods: Sequence[Period]
    start: float | None = None
    duration: int | None = None
    min_rate: float | None = None
    id: int = 0

    def __post_init__(self) -> None:
        if type(self.periods) is not Periods:
            msgspec.structs.force_setattr(self, "periods", Periods(self.periods))

    @property
    def curve(self) -> Periods:
        """Its periods for calculation."""
        return cast("Periods", self.periods)


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
        recurrency_s = self.recurrency_s if self.kind is _RECURRING else None
        if start is None or self.kind is _RELATIVE:
            start, recurrency_s = anchor, None
        return Track(
            self,
            schedule.curve,
            schedule.unit == "A",
            start,
            schedule.duration,
            recurrency_s,
            self.valid_from,
            self.valid_to,
        )
