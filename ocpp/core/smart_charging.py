"""Smart charging: the profiles installed, what they allow each EVSE now, and when that changes (block K; 1.6 3.13)."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from ocpp.clock import Clock, Timer
from ocpp.core.evse import Evse, Evses
from ocpp.core.limits import Limit, Place, Slice, composite, limit_at
from ocpp.core.schedule import ChargingProfile, Kind, Purpose, next_change
from ocpp.core.transaction import Transaction
from ocpp.device_model import DeviceModel
from ocpp.storage.charging_profiles import ChargingProfileRepository

STATION = 0
"""The EVSE id that means the grid connection."""

MAX_TIMER_S = 3600.0
"""The limits are looked at again at least this often: the wall clock may be set meanwhile."""

MAX_DURATION_S = 366 * 86400
"""Of a composite schedule."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Grid:
    """What is configured about the supply (the station file's [smart_charging])."""

    default_phases: int = 3
    voltage_v: float = 230.0


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which profiles are meant; what is None does not matter."""

    ids: tuple[int, ...] | None = None
    evse_id: int | None = None
    purpose: Purpose | None = None
    stack_level: int | None = None

    def match(self, profile: ChargingProfile) -> bool:
        """Whether a profile is meant (as logical AND, K10.FR.04)."""
        return (
            (self.ids is None or profile.id in self.ids)
            and (self.evse_id is None or profile.evse_id == self.evse_id)
            and (self.purpose is None or profile.purpose is self.purpose)
            and (self.stack_level is None or profile.stack_level == self.stack_level)
        )


class SmartCharging:
    """Installs profiles, and lets `apply` know whenever an EVSE may draw something else."""

    def __init__(
        self,
        repository: ChargingProfileRepository,
        evses: Evses,
        model: DeviceModel,
        clock: Clock,
        grid: Grid,
        apply: Callable[[Evse], None],
    ) -> None:
        self._repository = repository
        self._evses = evses
        self._clock = clock
        self._grid = grid
        self._apply = apply
        self._available = model.boolean("SmartChargingCtrlr/Available")
        self._enabled = model.boolean("SmartChargingCtrlr/Enabled")
        self._stack_levels = model.integer("SmartChargingCtrlr/ProfileStackLevel")
        self._periods = model.integer("SmartChargingCtrlr/PeriodsPerSchedule")
        self._units = model.members("SmartChargingCtrlr/RateUnit")
        entries = model.entry("SmartChargingCtrlr/Entries[ChargingProfiles]")
        entries.getter = lambda: str(len(self._profiles))
        self._most = int(entries.definition.high or 0)
        loaded = (msgspec.json.decode(each, type=ChargingProfile) for each in repository.load())
        self._profiles: dict[int, ChargingProfile] = {each.id: each for each in loaded}
        self._timer: Timer | None = None
        self._reviewing = False
        self.profiles_changed: Callable[[], None] = lambda: None
        """Called after every review: profiles, or what they are about, may have changed."""

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Forget profiles of transactions that are over, and apply the others."""
        ongoing = {transaction.id for transaction in self._transactions()}
        for profile in list(self._profiles.values()):
            if profile.purpose is Purpose.TX and profile.transaction_id not in ongoing:
                self._forget(profile)
        self.review()

    def stop(self) -> None:
        """No more timers."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- the CSMS's wishes ----------------------------------------------------------------------------------------

    @property
    def on(self) -> bool:
        """Whether profiles are taken and obeyed."""
        return self._available.value and self._enabled.value

    def install(self, profile: ChargingProfile, *, replace_equal: bool) -> str:
        """Install a profile; gives "" or a reason code for a refusal.

        `replace_equal`: one of the same purpose, stack level and place is replaced (1.6) rather than a reason for a
        refusal (K01.FR.06, .39, .52, .53).
        """
        defect = self.defect(profile)
        if defect:
            return defect
        replaced = [each for each in self._profiles.values() if _collides(each, profile)]
        if replaced and not replace_equal:
            return "DuplicateProfile"
        if len(self._profiles) - len(replaced) >= self._most and profile.id not in self._profiles:
            return "TooManyElements"
        for each in replaced:
            self._forget(each)
        self._repository.put(profile.id, msgspec.json.encode(profile))
        self._profiles[profile.id] = profile
        log.info("charging profile %d (%s) at EVSE %d", profile.id, profile.purpose, profile.evse_id)
        self.review()
        return ""

    def defect(self, profile: ChargingProfile, *, starting: bool = False) -> str:
        """A reason code for what is wrong with a profile; "" for a good one.

        `starting`: it comes with a remote start, has to be a TxProfile, and its transaction is yet to begin (K05.FR.02).
        """
        schedule = profile.schedule
        starts = [each.start for each in schedule.periods]
        if not self.on:
            return "NotEnabled"
        if profile.evse_id != STATION and profile.evse_id not in self._evses:
            return "UnknownEvse"
        if not 0 <= profile.stack_level <= self._stack_levels.value:
            return "InvalidStackLevel"
        if schedule.unit not in self._units.value:
            return "UnsupportedRateUnit"
        if not starts or starts[0] != 0 or starts != sorted(set(starts)) or len(starts) > self._periods.value:
            return "InvalidSchedule"
        if any(each.limit < 0 or not 1 <= (each.phases or 1) <= 3 for each in schedule.periods):
            return "InvalidSchedule"
        recurring = profile.kind is Kind.RECURRING
        if recurring and (profile.recurrency_s is None or schedule.start is None):
            return "InvalidProfile"
        if starting:
            return "" if profile.purpose is Purpose.TX else "InvalidProfile"
        return self._purpose_defect(profile)

    def _purpose_defect(self, profile: ChargingProfile) -> str:
        if profile.purpose is Purpose.EXTERNAL:
            return "InvalidProfile"
        if profile.purpose is Purpose.STATION_MAX:
            return "InvalidProfile" if profile.evse_id != STATION or profile.kind is Kind.RELATIVE else ""
        if profile.purpose is Purpose.TX:
            if profile.evse_id == STATION:
                return "InvalidProfile"
            transaction = self._transaction_at(profile.evse_id)
            if transaction is None or profile.transaction_id != transaction.id:
                return "TxNotFound"
        return ""

    def matching(self, criteria: Criteria) -> list[ChargingProfile]:
        """The profiles that are meant."""
        return [each for each in self._profiles.values() if criteria.match(each)]

    def clear(self, criteria: Criteria) -> bool:
        """Remove the profiles that are meant; False when there are none (K10.FR.01)."""
        found = [each for each in self.matching(criteria) if each.purpose is not Purpose.EXTERNAL]
        for each in found:
            self._forget(each)
        if found:
            self.review()
        return bool(found)

    def _forget(self, profile: ChargingProfile) -> None:
        self._repository.remove(profile.id)
        self._profiles.pop(profile.id, None)

    def schedule(self, evse_id: int, duration: int) -> list[Slice]:
        """The composite schedule of an EVSE from now on, or of the grid connection (K08.FR.02-03, .06)."""
        now, duration = float(int(self._clock.unix())), min(duration, MAX_DURATION_S)
        if evse_id != STATION:
            evse = self._evses[evse_id]
            return composite(self._place(evse), self._for(evse), now, duration, self._anchor(evse, now))
        each = [self.schedule(evse.id, duration) for evse in self._evses]
        return self._sum(each, now)

    def choices(self, evse_id: int, duration: int) -> list[tuple[int, list[Slice]]]:
        """The composite schedules an EV may choose from: one for each schedule of its TxProfile, by the schedule's id."""
        evse, now = self._evses[evse_id], float(int(self._clock.unix()))
        profiles = self._for(evse)
        own = next((each for each in profiles if each.purpose is Purpose.TX), None)
        variants = own.variants if own is not None else ()
        if own is None or len(variants) < 2:
            number = own.schedule.id if own is not None else 1
            return [(number, composite(self._place(evse), profiles, now, duration, self._anchor(evse, now)))]
        others = [each for each in profiles if each is not own]
        return [
            (
                variant.schedule.id,
                composite(self._place(evse), [*others, variant], now, duration, self._anchor(evse, now)),
            )
            for variant in variants
        ]

    def select(self, evse_id: int, schedule_id: int) -> None:
        """The EV has chosen one of the schedules of its TxProfile: that one holds."""
        for profile in self._for(self._evses[evse_id]):
            if profile.purpose is Purpose.TX and schedule_id != profile.schedule.id:
                for variant in profile.variants:
                    if variant.schedule.id == schedule_id:
                        self._repository.put(variant.id, msgspec.json.encode(variant))
                        self._profiles[variant.id] = variant
                        self.review()
                        return

    def _sum(self, schedules: list[list[Slice]], now: float) -> list[Slice]:
        """What all EVSEs draw together, within the station's own limit."""
        phases = max(connector.phases for connector in self._evses.connectors)
        slices: list[Slice] = []
        for start in sorted({each.start for schedule in schedules for each in schedule}):
            power = sum(
                [each for each in schedule if each.start <= start][-1].limit.power_w(self._grid.voltage_v)
                for schedule in schedules
            )
            own = limit_at(Place(float("inf"), phases, float("inf")), self._station_wide(), now + start, now)
            limit = Limit(min(power / (phases * self._grid.voltage_v), own.current_a), phases, own.sources)
            if not slices or slices[-1].limit.current_a != limit.current_a:
                slices.append(Slice(start, limit))
        return slices

    # -- what holds now -------------------------------------------------------------------------------------------

    def limit(self, evse: Evse, at: float | None = None) -> Limit:
        """What an EVSE may draw at an instant (now), before it is shared with others."""
        instant = at if at is not None else self._clock.unix()
        return limit_at(self._place(evse), self._for(evse), instant, self._anchor(evse, instant))

    def power(self, limit: Limit) -> float:
        """A limit in W."""
        return limit.power_w(self._grid.voltage_v)

    def review(self) -> None:
        """Something has changed: apply what holds now, and look again when it changes."""
        if self._reviewing:
            return
        self._reviewing = True
        try:
            now = self._clock.unix()
            for evse in self._evses:
                limit = self._shared(self.limit(evse, now), now)
                if limit != evse.limit:
                    evse.limit = limit
                    self._apply(evse)
        finally:
            self._reviewing = False
        self._schedule_review()
        self.profiles_changed()

    def _shared(self, limit: Limit, now: float) -> Limit:
        """The station's own limit is shared equally by those who charge (K04.FR.05)."""
        station = limit_at(Place(float("inf"), limit.phases, float("inf")), self._station_wide(), now, now)
        busy = sum(1 for evse in self._evses if evse.session is not None and evse.session.delivery.allowed)
        share = station.current_a / max(1, busy)
        return limit if share >= limit.current_a else Limit(share, limit.phases, limit.sources)

    def _schedule_review(self) -> None:
        self.stop()
        now = self._clock.unix()
        instants = [next_change(self._for(evse), now, self._anchor(evse, now)) for evse in self._evses]
        following = min((each for each in instants if each is not None), default=None)
        if following is not None:
            self._timer = self._clock.call_later(min(following - now, MAX_TIMER_S), self.review)

    def transaction_ended(self) -> None:
        """TxProfiles end with their transaction (K02.FR.05)."""
        ongoing = {transaction.id for transaction in self._transactions()}
        for profile in list(self._profiles.values()):
            if profile.purpose is Purpose.TX and profile.transaction_id not in ongoing:
                self._forget(profile)
        self.review()

    # -- details --------------------------------------------------------------------------------------------------

    def _for(self, evse: Evse) -> list[ChargingProfile]:
        """The profiles that matter for an EVSE."""
        if not self.on:
            return []
        transaction = self._transaction_at(evse.id)
        return [
            each
            for each in self._profiles.values()
            if each.evse_id in (STATION, evse.id)
            and (each.purpose is not Purpose.TX or (transaction is not None and each.transaction_id == transaction.id))
        ]

    def _station_wide(self) -> list[ChargingProfile]:
        wide = (Purpose.STATION_MAX, Purpose.EXTERNAL)
        return [each for each in self._profiles.values() if each.purpose in wide] if self.on else []

    def _anchor(self, evse: Evse, default: float) -> float:
        transaction = self._transaction_at(evse.id)
        return transaction.started_at.timestamp() if transaction is not None else default

    def _transaction_at(self, evse_id: int) -> Transaction | None:
        session = self._evses[evse_id].session
        return session.transaction if session is not None else None

    def _transactions(self) -> Iterator[Transaction]:
        for evse in self._evses:
            transaction = self._transaction_at(evse.id)
            if transaction is not None:
                yield transaction

    def _place(self, evse: Evse) -> Place:
        connector = evse.plugged_connector or evse.connectors[0]
        default = connector.max_current_a if evse.limit_a is None else evse.limit_a
        return Place(
            connector.max_current_a, connector.phases, default, self._grid.default_phases, self._grid.voltage_v
        )


def _collides(one: ChargingProfile, other: ChargingProfile) -> bool:
    """Two profiles that must not be there together: same purpose and stack level at one place, and at one time."""
    if one.id == other.id or (one.purpose, one.stack_level) != (other.purpose, other.stack_level):
        return False
    if one.purpose is Purpose.TX:
        return one.transaction_id == other.transaction_id
    overlap = _before(one.valid_from, other.valid_to) and _before(other.valid_from, one.valid_to)
    same_place = one.evse_id == other.evse_id or STATION in (one.evse_id, other.evse_id)
    return overlap and same_place


def _before(start: float | None, end: float | None) -> bool:
    return start is None or end is None or start < end
