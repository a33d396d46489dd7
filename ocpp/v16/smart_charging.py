"""The Smart Charging profile (1.6 sections 3.13, 5.5, 5.7 and 5.16)."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from datetime import datetime

from ocpp.clock import instant
from ocpp.core.context import Context
from ocpp.core.installed_profiles import Criteria
from ocpp.core.limits import CompositeSchedule, Slice
from ocpp.core.schedule import (
    DAY_S,
    PERIOD_IN_MESSAGE,
    STATION,
    WEEK_S,
    ChargingProfile,
    Kind,
    Periods,
    Purpose,
    Schedule,
)
from ocpp.core.transaction import Transaction
from ocpp.errors import DeviceModelError
from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler

PURPOSES = {
    "ChargePointMaxProfile": Purpose.STATION_MAX,
    "TxDefaultProfile": Purpose.TX_DEFAULT,
    "TxProfile": Purpose.TX,
}
_RECURRENCY_S = {"Daily": DAY_S, "Weekly": WEEK_S}


class SmartCharging:
    """Feature profile Smart Charging."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {
            "SetChargingProfile": self.set_charging_profile,
            "ClearChargingProfile": self.clear_charging_profile,
            "GetCompositeSchedule": self.get_composite_schedule,
        }

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._context.remote_start_profile = self.for_remote_start

    # -- setting and clearing -------------------------------------------------------------------------------------

    def set_charging_profile(self, request: v16.SetChargingProfileRequest) -> v16.SetChargingProfileResponse:
        """SetChargingProfile."""
        smart = self._context.charging.smart
        if not smart.on:
            return v16.SetChargingProfileResponse(status=v16.ChargingProfileStatus("NotSupported"))
        accepted = False
        try:
            evse_id = self._evse_id(request.connector_id)
        except DeviceModelError:
            evse_id = None
        if evse_id is not None:
            given = request.cs_charging_profiles
            transaction = self._transaction(evse_id)
            tied = given.charging_profile_purpose == "TxProfile"
            named = given.transaction_id if tied else None  # it means nothing to profiles of other purposes
            if named is None or (transaction is not None and transaction.csms_id == named):
                profile = _profile(given, evse_id, transaction, self._context.clock.unix())
                accepted = smart.install(profile, replace_equal=True) == ""
        return v16.SetChargingProfileResponse(status=v16.ChargingProfileStatus("Accepted" if accepted else "Rejected"))

    def clear_charging_profile(self, request: v16.ClearChargingProfileRequest) -> v16.ClearChargingProfileResponse:
        """ClearChargingProfile: by id alone, or by every other criterion given."""
        if request.id is not None:
            criteria = Criteria(ids=(request.id,))
        else:
            purpose = request.charging_profile_purpose
            try:
                evse_id = self._evse_id(request.connector_id) if request.connector_id is not None else None
            except DeviceModelError:
                return v16.ClearChargingProfileResponse(status=v16.ClearChargingProfileStatus("Unknown"))
            criteria = Criteria(
                evse_id=evse_id,
                purpose=PURPOSES[purpose.value] if purpose is not None else None,
                stack_level=request.stack_level,
            )
        cleared = self._context.charging.smart.clear(criteria)
        return v16.ClearChargingProfileResponse(
            status=v16.ClearChargingProfileStatus("Accepted" if cleared else "Unknown")
        )

    def for_remote_start(self, given: v16.ChargingProfile, evse_id: int, transaction_id: str) -> ChargingProfile:
        """The TxProfile of a remote start (1.6 section 5.11), for a transaction that begins."""
        return _profile(given, evse_id, None, self._context.clock.unix(), transaction_id)

    # -- asking ---------------------------------------------------------------------------------------------------

    def get_composite_schedule(
        self, request: v16.GetCompositeScheduleRequest
    ) -> v16.GetCompositeScheduleResponse | Awaitable[v16.GetCompositeScheduleResponse]:
        """GetCompositeSchedule; connector 0 is the station's connection to the grid."""
        smart = self._context.charging.smart
        try:
            evse_id = self._evse_id(request.connector_id)
        except DeviceModelError:
            evse_id = None
        if evse_id is None or not smart.on or request.duration <= 0:
            return v16.GetCompositeScheduleResponse(status=v16.GetCompositeScheduleStatus("Rejected"))
        unit = request.charging_rate_unit or v16.ChargingRateUnitType("A")
        if evse_id == STATION:
            return self._station_schedule(request, unit)
        return self._composite(request, unit, self._now(), smart.schedule(evse_id, request.duration))

    async def _station_schedule(
        self, request: v16.GetCompositeScheduleRequest, unit: v16.ChargingRateUnitType
    ) -> v16.GetCompositeScheduleResponse:
        smart, start = self._context.charging.smart, self._now()
        found = await smart.station_schedule(request.duration, per_phase=unit == "A")
        return self._composite(request, unit, start, found)

    def _now(self) -> datetime:
        return instant(self._context.clock.unix())

    def _composite(
        self,
        request: v16.GetCompositeScheduleRequest,
        unit: v16.ChargingRateUnitType,
        start: datetime,
        found: CompositeSchedule,
    ) -> v16.GetCompositeScheduleResponse:
        return v16.GetCompositeScheduleResponse(
            status=v16.GetCompositeScheduleStatus("Accepted"),
            connector_id=request.connector_id,
            schedule_start=start,
            charging_schedule=v16.ChargingSchedule(
                charging_rate_unit=unit,
                charging_schedule_period=[self._period(each, unit.value) for each in found.slices],
                duration=found.duration,
                start_schedule=start,
            ),
        )

    def _period(self, part: Slice, unit: str) -> v16.ChargingSchedulePeriod:
        limit = part.limit.current_a if unit == "A" else self._context.charging.smart.power(part.limit)
        return v16.ChargingSchedulePeriod(start_period=part.start, limit=tenths(limit), number_phases=part.limit.phases)

    # -- details --------------------------------------------------------------------------------------------------

    def _evse_id(self, connector: int) -> int:
        return STATION if connector == STATION else self._context.evses.numbered(connector)[0].id

    def _transaction(self, evse_id: int) -> Transaction | None:
        session = self._context.evses[evse_id].session if evse_id != STATION else None
        return session.transaction if session is not None else None


def tenths(value: float) -> float:
    """A limit with one decimal, never more than it is (1.6: at most one digit behind the point)."""
    return int(value * 10 + 1e-6) / 10


def _profile(
    given: v16.ChargingProfile,
    evse_id: int,
    transaction: Transaction | None,
    now: float,
    transaction_id: str | None = None,
) -> ChargingProfile:
    purpose = PURPOSES[given.charging_profile_purpose.value]
    schedule = given.charging_schedule
    recurrency = given.recurrency_kind
    kind, start = _beginning(given, now)
    tied = transaction_id or (transaction.id if transaction is not None else None)
    return ChargingProfile(
        id=given.charging_profile_id,
        evse_id=evse_id,
        stack_level=given.stack_level,
        purpose=purpose,
        kind=kind,
        recurrency_s=_RECURRENCY_S[recurrency.value] if recurrency is not None else None,
        valid_from=_seconds(given.valid_from),
        valid_to=_seconds(given.valid_to),
        transaction_id=tied if purpose is Purpose.TX else None,
        schedule=Schedule(
            unit=schedule.charging_rate_unit.value,
            periods=Periods(schedule.charging_schedule_period, PERIOD_IN_MESSAGE),
            start=start,
            duration=schedule.duration,
            min_rate=float(schedule.min_charging_rate) if schedule.min_charging_rate is not None else None,
        ),
    )


def _beginning(given: v16.ChargingProfile, now: float) -> tuple[Kind, float | None]:
    """Kind and begin of a schedule. Where 1.6 leaves the begin to the station: a limit of the station, which no charging
    begins for, counts from its arrival; a recurring schedule from the begin of the day, or of the week (UTC).
    """
    kind, start = Kind(given.charging_profile_kind.value), _seconds(given.charging_schedule.start_schedule)
    without = kind is Kind.RELATIVE or (start is None and kind is not Kind.RECURRING)
    if without and given.charging_profile_purpose == "ChargePointMaxProfile":
        return Kind.ABSOLUTE, now
    if kind is Kind.RECURRING and start is None and given.recurrency_kind is not None:
        midnight = now // DAY_S * DAY_S
        weekly = given.recurrency_kind == "Weekly"
        return kind, midnight - (instant(midnight).weekday() * DAY_S if weekly else 0)
    return kind, start


def _seconds(at: datetime | None) -> float | None:
    return at.timestamp() if at is not None else None
