"""K. Smart charging: profiles of the CSMS, and what follows from them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import groupby

from ocpp.clock import MAX_UNIX, MIN_UNIX, instant
from ocpp.core.context import Context
from ocpp.core.external_limits import ExternalLimit
from ocpp.core.installed_profiles import Criteria
from ocpp.core.limits import CompositeSchedule, Slice
from ocpp.core.schedule import (
    DAY_S,
    MOST_PHASES,
    PERIOD_IN_MESSAGE,
    STATION,
    WEEK_S,
    ChargingProfile,
    Kind,
    Periods,
    Purpose,
    Schedule,
)
from ocpp.errors import RpcError
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler, Reply

_RECURRENCY_S = {"Daily": DAY_S, "Weekly": WEEK_S}
_PURPOSES: dict[str, Purpose] = {each.value: each for each in Purpose}
_UNITS: dict[str, str] = {"A": "A", "W": "W"}  # the member of a message as plain text
_KINDS: dict[str, Kind] = {each.value: each for each in Kind}
_RECURRENCY = {seconds: name for name, seconds in _RECURRENCY_S.items()}

PROFILES_PER_MESSAGE = 10
"""Profiles in one ReportChargingProfiles."""


class SmartCharging:
    """Functional block K."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._switches_phases = context.model.boolean("SmartChargingCtrlr/Phases3to1")
        self._units = context.model.members("SmartChargingCtrlr/RateUnit")
        self._with_schedules = context.model.boolean("SmartChargingCtrlr/NotifyChargingLimitWithSchedules")

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {
            "SetChargingProfile": self.set_charging_profile,
            "ClearChargingProfile": self.clear_charging_profile,
            "GetCompositeSchedule": self.get_composite_schedule,
            "GetChargingProfiles": self.get_charging_profiles,
        }

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        context = self._context
        context.remote_start_profile = self.for_remote_start
        limits = context.external_limits
        limits.tell_set, limits.tell_cleared = self.tell_limit, self.tell_limit_cleared
        context.signals.accepted.listen(limits.tell_soon)

    # -- setting and clearing -------------------------------------------------------------------------------------

    def set_charging_profile(self, request: v2.SetChargingProfileRequest) -> v2.SetChargingProfileResponse:
        """K01."""
        profile = read_profile(request.charging_profile, request.evse_id)
        if profile is None:
            known = _purpose(request.charging_profile.charging_profile_purpose) is not None
            reason = "UnsupportedKind" if known else "UnsupportedPurpose"
        else:
            negotiated = self._context.ev_schedules.negotiates(request.evse_id)
            reason = (
                strict_defect(request.charging_profile, negotiated=negotiated)
                or self._phase_defect(profile)
                or self._context.charging.smart.install(profile, replace_equal=False)
            )
        if not reason:
            return v2.SetChargingProfileResponse(status=_accepted())
        return v2.SetChargingProfileResponse(
            status=v2.ChargingProfileStatusEnum("Rejected"), status_info=v2.StatusInfo(reason_code=reason)
        )

    def _phase_defect(self, profile: ChargingProfile) -> str:
        """Fewer phases than an EVSE has can be promised only where they can be switched (K01.FR.43)."""
        if self._switches_phases.value:
            return ""
        for schedule in (profile.schedule, *profile.alternatives):
            fewest = schedule.curve.fewest_phases
            if fewest is not None and fewest < MOST_PHASES and fewest < self._most_phases(profile.evse_id):
                return "UnsupportedParam"
        return ""

    def _most_phases(self, evse_id: int) -> int:
        """Of the connectors of an EVSE, or of the station; 0 for an unknown EVSE."""
        evses = self._context.evses
        if evse_id in evses:
            return max([connector.phases for connector in evses[evse_id].connectors])
        return max([connector.phases for connector in evses.connectors]) if evse_id == STATION else 0

    def clear_charging_profile(self, request: v2.ClearChargingProfileRequest) -> v2.ClearChargingProfileResponse:
        """K10: by id, or by every other criterion given."""
        given = request.charging_profile_criteria
        if request.charging_profile_id is not None:
            criteria = Criteria(ids=(request.charging_profile_id,))
        elif given is None:
            criteria = Criteria()
        else:
            purpose = _purpose(given.charging_profile_purpose)
            criteria = Criteria(evse_id=given.evse_id, purpose=purpose, stack_level=given.stack_level)
        cleared = self._context.charging.smart.clear(criteria)
        return v2.ClearChargingProfileResponse(
            status=v2.ClearChargingProfileStatusEnum("Accepted" if cleared else "Unknown")
        )

    def for_remote_start(self, given: v2.ChargingProfile, evse_id: int, transaction_id: str) -> ChargingProfile | None:
        """The TxProfile of a remote start (K05), for a transaction that begins."""
        profile = read_profile(given, evse_id, transaction_id)
        if profile is None or strict_defect(given) or self._phase_defect(profile):
            return None
        return profile

    # -- asking ---------------------------------------------------------------------------------------------------

    def get_composite_schedule(
        self, request: v2.GetCompositeScheduleRequest
    ) -> v2.GetCompositeScheduleResponse | Awaitable[v2.GetCompositeScheduleResponse]:
        """K08; EVSE 0 is the station's connection to the grid."""
        smart = self._context.charging.smart
        unit = request.charging_rate_unit or v2.ChargingRateUnitEnum(self._units.value[0])
        defect = ""
        if request.evse_id != STATION and request.evse_id not in self._context.evses:
            defect = "UnknownEvse"
        elif not smart.on:
            defect = "NotEnabled"
        elif unit.value not in self._units.value:
            defect = "UnsupportedRateUnit"  # K08.FR.07
        elif request.duration <= 0:
            defect = "PropertyConstraintViolation"
        if defect:
            return v2.GetCompositeScheduleResponse(
                status=v2.GenericStatusEnum("Rejected"), status_info=v2.StatusInfo(reason_code=defect)
            )
        if request.evse_id == STATION:
            return self._station_schedule(request, unit)
        return self._composite(request, unit, self._now(), smart.schedule(request.evse_id, request.duration))

    async def _station_schedule(
        self, request: v2.GetCompositeScheduleRequest, unit: v2.ChargingRateUnitEnum
    ) -> v2.GetCompositeScheduleResponse:
        smart, start = self._context.charging.smart, self._now()
        found = await smart.station_schedule(request.duration, per_phase=unit == "A")
        return self._composite(request, unit, start, found)

    def _now(self) -> datetime:
        return instant(self._context.clock.unix())

    def _composite(
        self,
        request: v2.GetCompositeScheduleRequest,
        unit: v2.ChargingRateUnitEnum,
        start: datetime,
        found: CompositeSchedule,
    ) -> v2.GetCompositeScheduleResponse:
        schedule = v2.CompositeSchedule(
            evse_id=request.evse_id,
            duration=found.duration,
            schedule_start=start,
            charging_rate_unit=unit,
            charging_schedule_period=[self._period(each, unit.value) for each in found.slices],
        )
        return v2.GetCompositeScheduleResponse(status=v2.GenericStatusEnum("Accepted"), schedule=schedule)

    def _period(self, part: Slice, unit: str) -> v2.ChargingSchedulePeriod:
        limit = part.limit.current_a if unit == "A" else self._context.charging.smart.power(part.limit)
        return v2.ChargingSchedulePeriod(
            start_period=part.start, limit=int(limit * 10 + 1e-6) / 10, number_phases=part.limit.phases
        )

    def get_charging_profiles(self, request: v2.GetChargingProfilesRequest) -> v2.GetChargingProfilesResponse | Reply:
        """K09: the response says whether there are any; the profiles follow."""
        wanted = request.charging_profile
        sources = wanted.charging_limit_source
        found = self._context.charging.smart.matching(
            Criteria(
                ids=tuple(wanted.charging_profile_id) if wanted.charging_profile_id else None,
                evse_id=request.evse_id,
                purpose=_purpose(wanted.charging_profile_purpose),
                stack_level=wanted.stack_level,
                sources=frozenset(str(each) for each in sources) if sources else None,
            )
        )
        if not found:
            return v2.GetChargingProfilesResponse(status=v2.GetChargingProfileStatusEnum("NoProfiles"))
        return Reply(
            v2.GetChargingProfilesResponse(status=v2.GetChargingProfileStatusEnum("Accepted")),
            lambda: self._report(request.request_id, found),
        )

    async def _report(self, request_id: int, found: list[ChargingProfile]) -> None:
        """K09.FR.01-02: a message per source, EVSE and handful of profiles, all but the last with tbc."""
        messages: list[v2.ReportChargingProfilesRequest] = []
        found = sorted(found, key=lambda each: (each.evse_id, each.source, each.id))
        for (evse_id, source), group in groupby(found, lambda each: (each.evse_id, each.source)):
            profiles = [write_profile(each) for each in group]
            for first in range(0, len(profiles), PROFILES_PER_MESSAGE):
                messages.append(
                    v2.ReportChargingProfilesRequest(
                        request_id=request_id,
                        charging_limit_source=source,
                        evse_id=evse_id,
                        charging_profile=profiles[first : first + PROFILES_PER_MESSAGE],
                        tbc=True,
                    )
                )
        messages[-1].tbc = None
        for message in messages:
            try:
                await self._context.rpc.call(message, requested=True)
            except RpcError:
                return

    # -- external limits ------------------------------------------------------------------------------------------

    async def tell_limit(self, limit: ExternalLimit) -> None:
        """K11.FR.02-03, K12.FR.02-03."""
        await self._context.rpc.call(
            v2.NotifyChargingLimitRequest(
                charging_limit=v2.ChargingLimit(
                    charging_limit_source=limit.source, is_grid_critical=limit.grid_critical
                ),
                evse_id=limit.evse_id or None,
                charging_schedule=[write_schedule(limit.schedule)] if self._with_schedules.value else None,
            )
        )

    async def tell_limit_cleared(self, source: str, evse_id: int) -> None:
        """K13.FR.02."""
        await self._context.rpc.call(
            v2.ClearedChargingLimitRequest(charging_limit_source=source, evse_id=evse_id or None)
        )


@cache
def _accepted() -> v2.ChargingProfileStatusEnum:
    return v2.ChargingProfileStatusEnum("Accepted")


def strict_defect(given: v2.ChargingProfile, *, negotiated: bool = False) -> str:
    """What 2.x asks of a profile beyond the common rules; "" when nothing is wrong.

    `negotiated`: the EV has told its needs over ISO 15118, and may choose among several schedules.
    """
    several = negotiated and given.charging_profile_purpose == "TxProfile"
    if len(given.charging_schedule) > 1 and not several:
        return "InvalidSchedule"  # K01.FR.34: one, without ISO 15118
    for schedule in given.charging_schedule:
        defect = _schedule_defect(given, schedule)
        if defect:
            return defect
    return ""


def _schedule_defect(given: v2.ChargingProfile, schedule: v2.ChargingSchedule) -> str:
    relative = given.charging_profile_kind == "Relative"
    if relative is (schedule.start_schedule is not None):
        return "InvalidSchedule"  # K01.FR.40-41
    for each in schedule.charging_schedule_period:
        if each.phase_to_use is not None or each.limit is None:
            return "UnsupportedParam"  # K01.FR.48: phases cannot be switched
    return ""


def _purpose(given: v2.ChargingProfilePurposeEnum | None) -> Purpose | None:
    return _PURPOSES.get(given) if given is not None else None


def read_profile(given: v2.ChargingProfile, evse_id: int, transaction_id: str | None = None) -> ChargingProfile | None:
    """The profile of a message; None for a purpose or a kind that is not supported."""
    purpose, kind = _purpose(given.charging_profile_purpose), _KINDS.get(given.charging_profile_kind)
    if purpose is None or kind is None:
        return None
    schedules = [read_schedule(each) for each in given.charging_schedule]
    recurrency = given.recurrency_kind
    return ChargingProfile(
        id=given.id,
        evse_id=evse_id,
        stack_level=given.stack_level,
        purpose=purpose,
        kind=kind,
        recurrency_s=_RECURRENCY_S[recurrency.value] if recurrency is not None else None,
        valid_from=_seconds(given.valid_from),
        valid_to=_seconds(given.valid_to),
        transaction_id=transaction_id or given.transaction_id,
        schedule=schedules[0],
        alternatives=tuple(schedules[1:]),
    )


def read_schedule(given: v2.ChargingSchedule) -> Schedule:
    """A ChargingScheduleType in the domain's terms."""
    return Schedule(
        id=given.id,
        unit=_UNITS[given.charging_rate_unit],
        periods=Periods(given.charging_schedule_period, PERIOD_IN_MESSAGE),
        start=_seconds(given.start_schedule),
        duration=given.duration,
        min_rate=float(given.min_charging_rate) if given.min_charging_rate is not None else None,
    )


def write_profile(profile: ChargingProfile) -> v2.ChargingProfile:
    """A profile as the CSMS sent it."""
    recurrency = _RECURRENCY.get(profile.recurrency_s or 0)
    return v2.ChargingProfile(
        id=profile.id,
        stack_level=profile.stack_level,
        charging_profile_purpose=v2.ChargingProfilePurposeEnum(profile.purpose.value),
        charging_profile_kind=v2.ChargingProfileKindEnum(profile.kind.value),
        recurrency_kind=v2.RecurrencyKindEnum(recurrency) if recurrency is not None else None,
        valid_from=_instant(profile.valid_from),
        valid_to=_instant(profile.valid_to),
        transaction_id=profile.transaction_id,
        charging_schedule=[write_schedule(each) for each in profile.schedules],
    )


def write_schedule(schedule: Schedule) -> v2.ChargingSchedule:
    """A schedule as ChargingScheduleType."""
    return v2.ChargingSchedule(
        id=schedule.id,
        charging_rate_unit=v2.ChargingRateUnitEnum(schedule.unit),
        start_schedule=_instant(schedule.start),
        duration=schedule.duration,
        min_charging_rate=schedule.min_rate,
        charging_schedule_period=[
            v2.ChargingSchedulePeriod(start_period=each.start, limit=each.limit, number_phases=each.phases)
            for each in schedule.periods
        ],
    )


def _seconds(at: datetime | None) -> float | None:
    return at.timestamp() if at is not None else None


def _instant(seconds: float | None) -> datetime | None:
    """What an offset put beyond the calendar is its end."""
    return datetime.fromtimestamp(min(max(seconds, MIN_UNIX), MAX_UNIX), UTC) if seconds is not None else None
