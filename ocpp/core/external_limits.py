"""Limits that other systems than the CSMS impose: energy management, the grid's operator (K11 to K13).

They hold until they are released, over restarts, and whether the CSMS can be reached or not. What the CSMS was told of
them is kept, too, so that it hears of every change sooner or later, and of small ones once they have added up.
"""

import logging
from collections.abc import Awaitable, Callable

import msgspec

from ocpp.core.evse import Evses
from ocpp.core.installed_profiles import Criteria
from ocpp.core.schedule import CSO, STATION, ChargingProfile, Kind, Purpose, Schedule
from ocpp.core.smart_charging import SmartCharging
from ocpp.errors import CallError, RpcError
from ocpp.storage.state import StateRepository

SOURCES = ("EMS", "Other", "SO")
"""ChargingLimitSourceEnumType without the charging station operator, who speaks OCPP (K11.FR.05)."""

MAX_PERIODS = 1024
"""Of a schedule, as in messages."""

STATE_KEY = "external_limits_told"

log = logging.getLogger(__name__)


class ExternalLimit(msgspec.Struct, frozen=True):
    """What `source` (one of SOURCES) allows the EVSE (0: the whole station, all EVSEs together) to draw.

    A schedule without a start begins when it is imposed.
    """

    source: str
    schedule: Schedule
    evse_id: int = STATION
    grid_critical: bool | None = None
    """Whether the grid depends on it; for the CSMS to know."""


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """A limit that the CSMS knows of; without a schedule: one it may believe in, since an answer has not come."""

    source: str
    evse_id: int
    schedule: Schedule | None


class ExternalLimits:
    """One limit for each source and place. The messages are supplied by the smart charging block of the version spoken."""

    def __init__(self, smart: SmartCharging, evses: Evses, state: StateRepository, now: Callable[[], float]) -> None:
        self._smart = smart
        self._evses = evses
        self._state = state
        self._now = now
        self._telling = False
        self._critical: dict[tuple[str, int], bool | None] = {}
        self.online: Callable[[], bool] = lambda: False
        self.spawn: Callable[[Awaitable[None]], object] = lambda work: None
        self.tell_set: Callable[[ExternalLimit], Awaitable[None]] | None = None
        """Tells the CSMS of a limit. Raises RpcError."""
        self.tell_cleared: Callable[[str, int], Awaitable[None]] | None = None
        """Tells the CSMS that the limit of a source at an EVSE is gone. Raises RpcError."""

    # -- what outside systems want --------------------------------------------------------------------------------

    def impose(self, limit: ExternalLimit) -> None:
        """The limit holds from now on, in place of the one of the same source and EVSE; on disk when this returns.

        ValueError for what makes no sense or while external control is switched off; LookupError for an unknown EVSE.
        """
        self._check(limit)
        schedule = limit.schedule
        if schedule.start is None:
            schedule = msgspec.structs.replace(schedule, start=float(int(self._now())))
        log.info("%s limits %s", limit.source, f"EVSE {limit.evse_id}" if limit.evse_id else "the station")
        self._critical[limit.source, limit.evse_id] = limit.grid_critical
        self._smart.impose(
            ChargingProfile(
                id=_number(limit.source, limit.evse_id),
                evse_id=limit.evse_id,
                stack_level=0,
                purpose=Purpose.EXTERNAL,
                kind=Kind.ABSOLUTE,
                schedule=msgspec.structs.replace(schedule, id=1),
                source=limit.source,
            )
        )
        self.tell_soon()

    def release(self, source: str, evse_id: int = STATION) -> bool:
        """The limit of a source holds no longer; False when there is none. ValueError for an unknown source."""
        _check_source(source)
        profile = self._profile(source, evse_id)
        if profile is None:
            return False
        log.info("%s releases its limit for %s", source, f"EVSE {evse_id}" if evse_id else "the station")
        self._critical.pop((source, evse_id), None)
        self._smart.lift(profile)
        self.tell_soon()
        return True

    @property
    def limits(self) -> list[ExternalLimit]:
        """Every limit that was imposed and not released."""
        return [
            ExternalLimit(each.source, each.schedule, each.evse_id, self._critical.get((each.source, each.evse_id)))
            for each in self._smart.matching(Criteria(purpose=Purpose.EXTERNAL))
        ]

    def _check(self, limit: ExternalLimit) -> None:
        _check_source(limit.source)
        if not self._smart.obeys_external:
            raise ValueError("external control is switched off: SmartChargingCtrlr/ExternalControlSignalsEnabled")
        if limit.evse_id != STATION and limit.evse_id not in self._evses:
            raise LookupError(f"there is no EVSE {limit.evse_id}")
        schedule = limit.schedule
        starts = [each.start for each in schedule.periods]
        if schedule.unit not in ("A", "W"):
            raise ValueError(f"unit = {schedule.unit!r} must be A or W")
        if not starts or starts[0] != 0 or starts != sorted(set(starts)) or len(starts) > MAX_PERIODS:
            raise ValueError(f"periods must begin at 0 and ascend, {MAX_PERIODS} at most")
        if any(each.limit < 0 for each in schedule.periods):
            raise ValueError("a limit must not be negative")

    def _profile(self, source: str, evse_id: int) -> ChargingProfile | None:
        criteria = Criteria(evse_id=evse_id, purpose=Purpose.EXTERNAL, sources=frozenset({source}))
        return next(iter(self._smart.matching(criteria)), None)

    # -- what the CSMS is told ------------------------------------------------------------------------------------

    def tell_soon(self) -> None:
        """There may be something to tell, and somebody to tell it to."""
        if self.online() and not self._telling and self.tell_set is not None and self._untold() is not None:
            self.spawn(self._tell())

    async def _tell(self) -> None:
        if self._telling:
            return
        self._telling = True
        try:
            while (untold := self._untold()) is not None:
                await self._tell_one(*untold)
        except RpcError as error:
            log.info("the external limit is told at the next connection: %s", error)
        finally:
            self._telling = False

    async def _tell_one(self, source: str, evse_id: int, limit: ExternalLimit | None) -> None:
        assert self.tell_set is not None
        assert self.tell_cleared is not None
        # Noted before it is sent: an answer that is lost must not hide that the CSMS may believe in the limit.
        self._note(source, evse_id, Told(source, evse_id, None))
        try:
            await (self.tell_set(limit) if limit is not None else self.tell_cleared(source, evse_id))
        except CallError as refusal:
            log.info("the CSMS does not take the external limit: %s", refusal)
        self._note(source, evse_id, Told(source, evse_id, limit.schedule) if limit is not None else None)

    def _note(self, source: str, evse_id: int, told: Told | None) -> None:
        """Keep what the CSMS knows of the limit of a source at an EVSE; None: nothing."""
        others = [each for each in self._told() if (each.source, each.evse_id) != (source, evse_id)]
        self._state.put(
            STATE_KEY, msgspec.to_builtins([*others, *([told] if told is not None else [])], enc_hook=tuple)
        )

    def _told(self) -> list[Told]:
        try:
            return msgspec.convert(self._state.get(STATE_KEY, []), list[Told])
        except msgspec.ValidationError as error:
            log.error("what the CSMS knows of external limits cannot be read: %s", error)
            return []

    def _untold(self) -> tuple[str, int, ExternalLimit | None] | None:
        """A limit of which the CSMS does not know yet, or, as None, a released one that it believes in."""
        told = {(each.source, each.evse_id): each.schedule for each in self._told()}
        for limit in self.limits:
            before = told.pop((limit.source, limit.evse_id), None)
            if before is None or self._significant(before, limit.schedule):
                return limit.source, limit.evse_id, limit
        for source, evse_id in told:
            return source, evse_id, None
        return None

    def _significant(self, before: Schedule, after: Schedule) -> bool:
        """Whether the limit has changed by more than LimitChangeSignificance anywhere (K11.FR.02, K12.FR.02)."""
        if (before.unit, before.duration, len(before.periods)) != (after.unit, after.duration, len(after.periods)):
            return True
        moved = len(after.periods) > 1 or after.duration is not None
        if moved and before.start != after.start:
            return True
        return any(
            old.start != new.start or self._smart.significant(old.limit, new.limit)
            for old, new in zip(before.periods, after.periods, strict=True)
        )


def _check_source(source: str) -> None:
    if source == CSO or source not in SOURCES:
        raise ValueError(f"source = {source!r} must be one of {', '.join(SOURCES)}")


def _number(source: str, evse_id: int) -> int:
    """The profile id, negative so as not to meet one of the CSMS's (K11.FR.06)."""
    return -(1 + SOURCES.index(source) + len(SOURCES) * evse_id)
