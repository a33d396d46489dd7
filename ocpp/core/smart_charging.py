"""Smart charging: the profiles installed, what they allow each EVSE now, and when that changes (block K; 1.6 3.13)."""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from ocpp._native.schedule import Limits
from ocpp.clock import Clock, Timer
from ocpp.core.evse import Evse, Evses
from ocpp.core.grid import Grid
from ocpp.core.installed_profiles import Criteria, InstalledProfiles
from ocpp.core.limits import CompositeSchedule, InForce, Limit, Place, Slice, composite, limits_of
from ocpp.core.schedule import STATION, ChargingProfile, Kind, Purpose
from ocpp.core.station_limit import StationLimit, connection, station_wide
from ocpp.core.station_schedule import station_schedule
from ocpp.core.transaction import Transaction
from ocpp.device_model import DeviceModel
from ocpp.storage.charging_profiles import ChargingProfileRepository

MAX_TIMER_S = 3600.0
"""The limits are looked at again at least this often: the wall clock may be set meanwhile."""

TIMER_SLACK_S = 0.001
"""A timer that comes so little early stays: the review it brings sets another."""

MAX_ROUNDS = 4
"""Of a review that is overtaken by what it brings about itself, such as the end of a transaction."""

MAX_DURATION_S = 366 * 86400
"""Of a composite schedule."""

# Members of an enumeration are slow to look up, and reviews look at every profile.
_EXTERNAL, _STATION_MAX, _TX = Purpose.EXTERNAL, Purpose.STATION_MAX, Purpose.TX
_RECURRING, _RELATIVE = Kind.RECURRING, Kind.RELATIVE

log = logging.getLogger(__name__)


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
        self._evses = evses
        self._clock = clock
        self._grid = grid
        self._apply = apply
        self._available = model.boolean("SmartChargingCtrlr/Available")
        self._enabled = model.boolean("SmartChargingCtrlr/Enabled")
        self._stack_levels = model.integer("SmartChargingCtrlr/ProfileStackLevel")
        self._periods = model.integer("SmartChargingCtrlr/PeriodsPerSchedule")
        self._units = model.members("SmartChargingCtrlr/RateUnit")
        self._external = model.boolean("SmartChargingCtrlr/ExternalControlSignalsEnabled")
        self._significance = model.decimal("SmartChargingCtrlr/LimitChangeSignificance")
        self._profiles = InstalledProfiles(repository)
        entries = model.entry("SmartChargingCtrlr/Entries[ChargingProfiles]")
        entries.getter = lambda: str(len(self._profiles))
        self._most = int(entries.definition.high or 0)
        self._external.on_change(lambda _: self.review() if self._running else None)
        self._running = False
        self._timer: Timer | None = None
        self._due = 0.0
        """Monotonic time of the timer."""
        self._reviewing = False
        self._overtaken = False
        """Whether something has changed again while a review went on."""
        self.profiles_changed: Callable[[], None] = lambda: None
        """Called after every review: profiles, or what they are about, may have changed."""
        self.rate_changed: Callable[[Evse], None] = lambda evse: None
        """Called when an external system has changed what an EVSE may draw by more than LimitChangeSignificance."""
        self.agreed: Callable[[int], ChargingProfile | None] = lambda evse_id: None
        """The schedule that the EV at an EVSE has told it will keep to (K15.FR.14)."""

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Forget profiles of transactions that are over, and apply the others."""
        ongoing = {transaction.id for transaction in self._transactions()}
        for profile in self._profiles:
            if profile.purpose is _TX and profile.transaction_id not in ongoing:
                self._profiles.remove(profile)
        self._running = True
        self.review()

    def stop(self) -> None:
        """No more timers."""
        self._running = False
        self._cancel_timer()

    def _cancel_timer(self) -> None:
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
        known = self._profiles.get(profile.id)
        if known is not None and known.purpose is _EXTERNAL:
            return "DuplicateProfile"  # a CSMS cannot replace the limit of an external system (K01.FR.05)
        replaced = self._profiles.replaced_by(profile) if replace_equal else self._profiles.in_the_way(profile)
        if replaced and not replace_equal:
            return "DuplicateProfile"
        if known is None and self._profiles.own - len(replaced) >= self._most:
            return "TooManyElements"
        self._profiles.put(profile, in_place_of=replaced)
        log.info("charging profile %d (%s) at EVSE %d", profile.id, profile.purpose, profile.evse_id)
        self.review()
        return ""

    def defect(self, profile: ChargingProfile, *, starting: bool = False) -> str:
        """A reason code for what is wrong with a profile; "" for a good one.

        `starting`: it comes with a remote start, has to be a TxProfile, and its transaction is yet to begin (K05.FR.02).
        """
        if not self.on:
            return "NotEnabled"
        if profile.evse_id != STATION and profile.evse_id not in self._evses:
            return "UnknownEvse"
        if not 0 <= profile.stack_level <= self._stack_levels.value:
            return "InvalidStackLevel"
        recurring = profile.kind is _RECURRING
        for schedule in (profile.schedule, *profile.alternatives):
            if schedule.unit not in self._units.value:
                return "UnsupportedRateUnit"
            curve = schedule.curve
            if len(curve) > self._periods.value or not curve.sound:
                return "InvalidSchedule"
            if recurring and (profile.recurrency_s is None or schedule.start is None):
                return "InvalidProfile"
        if profile.alternatives and len({each.id for each in profile.schedules}) <= len(profile.alternatives):
            return "InvalidSchedule"  # the EV could not tell which one it has chosen (K15.FR.10)
        if starting:
            return "" if profile.purpose is _TX else "InvalidProfile"
        return self._purpose_defect(profile)

    def _purpose_defect(self, profile: ChargingProfile) -> str:
        purpose = profile.purpose
        if purpose is _EXTERNAL:
            return "InvalidProfile"
        if purpose is _STATION_MAX:
            return "InvalidProfile" if profile.evse_id != STATION or profile.kind is _RELATIVE else ""
        if purpose is _TX:
            if profile.evse_id == STATION:
                return "InvalidProfile"
            transaction = _transaction_of(self._evses[profile.evse_id])
            if transaction is None or profile.transaction_id != transaction.id:
                return "TxNotFound"
        return ""

    def matching(self, criteria: Criteria) -> list[ChargingProfile]:
        """The profiles that are meant."""
        return self._profiles.matching(criteria)

    def clear(self, criteria: Criteria) -> bool:
        """Remove the profiles that are meant; False when there are none (K10.FR.01)."""
        found = [each for each in self.matching(criteria) if each.purpose is not _EXTERNAL]
        for each in found:
            self._profiles.remove(each)
        if found:
            self.review()
        return bool(found)

    # -- external systems -----------------------------------------------------------------------------------------

    @property
    def obeys_external(self) -> bool:
        """Whether limits of external systems are taken and hold (ExternalControlSignalsEnabled)."""
        return self._external.value

    def impose(self, profile: ChargingProfile) -> None:
        """The limit of an external system holds from now on, in place of the one with the same id."""
        self._profiles.put(profile)
        self.review()

    def lift(self, profile: ChargingProfile) -> None:
        """The limit of an external system holds no longer (K13.FR.01)."""
        self._profiles.remove(profile)
        self.review()

    # -- what is to come ------------------------------------------------------------------------------------------

    def schedule(self, evse_id: int, duration: int) -> CompositeSchedule:
        """The composite schedule of an EVSE from now on (K08.FR.02, .06).

        What an EV has told to draw less than it may is taken into account (SC.04).
        """
        now = self._clock.unix()
        return composite(self._expected(self._evses[evse_id], now), now, min(duration, MAX_DURATION_S))

    async def station_schedule(self, duration: int, *, per_phase: bool) -> CompositeSchedule:
        """The composite schedule of the grid connection from now on (K08.FR.03): see `ocpp.core.station_schedule`."""
        now, phases = self._clock.unix(), max(connector.phases for connector in self._evses.connectors)
        own = limits_of(connection(self._grid, phases), station_wide(self._obeyed()), now)
        evses = [self._expected(evse, now) for evse in self._evses]
        duration = min(duration, MAX_DURATION_S)
        return await station_schedule(own, evses, phases, now, duration, per_phase=per_phase)

    def _expected(self, evse: Evse, now: float) -> Limits:
        agreed = self.agreed(evse.id)
        profiles = [*self._for(evse), *([agreed] if agreed is not None else [])]
        return limits_of(self._place(evse), profiles, self._anchor(evse, now))

    def _composite(self, evse: Evse, profiles: list[ChargingProfile], now: float, duration: int) -> list[Slice]:
        limits = limits_of(self._place(evse), profiles, self._anchor(evse, now))
        return composite(limits, now, duration).slices

    def choices(self, evse_id: int, duration: int) -> list[tuple[int, list[Slice]]]:
        """The composite schedules an EV may choose from, with their ids: one for each schedule of its TxProfiles, the
        first of all stack levels together, then the second ones, then the third ones (K15.FR.07, .22).
        """
        evse, now = self._evses[evse_id], self._clock.unix()
        profiles = self._for(evse)
        own = [each for each in profiles if each.purpose is _TX]
        others = [each for each in profiles if each.purpose is not _TX]
        if not own:
            return [(1, self._composite(evse, profiles, now, duration))]
        top = max(own, key=lambda each: (len(each.schedules), each.stack_level))
        if len(top.schedules) == 1:
            return [(top.schedule.id, self._composite(evse, profiles, now, duration))]
        return [
            (
                schedule.id,
                self._composite(evse, [*others, *(each.with_schedule(index) for each in own)], now, duration),
            )
            for index, schedule in enumerate(top.schedules)
        ]

    def select(self, evse_id: int, schedule_id: int) -> None:
        """The EV has chosen one of the schedules of its TxProfiles: those of that place hold."""
        own = [each for each in self._for(self._evses[evse_id]) if each.purpose is _TX]
        if not own:
            return
        top = max(own, key=lambda each: (len(each.schedules), each.stack_level))
        index = next((n for n, each in enumerate(top.schedules) if each.id == schedule_id), None)
        changed = [new for each in own if index is not None and (new := each.with_schedule(index)) != each]
        for each in changed:
            self._profiles.put(each)
        if changed:
            self.review()

    # -- what holds now -------------------------------------------------------------------------------------------

    def limit(self, evse: Evse, at: float | None = None) -> Limit:
        """What an EVSE may draw at an instant (now), before it is shared with others."""
        instant = at if at is not None else self._clock.unix()
        return self._limits(evse, self._obeyed(), instant).at(instant)

    def _limits(self, evse: Evse, obeyed: Sequence[ChargingProfile], now: float) -> Limits:
        return limits_of(self._place(evse), _matter(obeyed, evse), self._anchor(evse, now))

    def power(self, limit: Limit) -> float:
        """A limit in W."""
        return limit.power_w(self._grid.voltage_v)

    def review(self) -> None:
        """Something has changed: apply what holds now, and look again when it changes."""
        self._overtaken = True
        if self._reviewing:
            return
        self._reviewing, now, rounds, chosen = True, self._clock.unix(), 0, []
        try:
            while self._overtaken and rounds < MAX_ROUNDS:
                self._overtaken, rounds = False, rounds + 1
                chosen = self._apply_limits(now)
        finally:
            self._reviewing = False
        if self._overtaken:
            log.warning("the limits do not settle: they are applied as they were found at last")
        self._schedule_review(chosen, now)
        self.profiles_changed()

    def _apply_limits(self, now: float) -> list[Limits]:
        """Let every EVSE have what it may draw now; gives what was found for each."""
        obeyed, chosen = self._obeyed(), []
        wide = station_wide(obeyed)
        shared = bool(wide) or self._grid.limit_a != math.inf
        for evse in self._evses:
            limits = self._limits(evse, obeyed, now)
            chosen.append(limits)
            if not shared:
                self._put(evse, limits.at(now))
        if shared:
            station = StationLimit(self._grid, self._evses, wide, now)
            alone = {evse.id: limits.at(now) for evse, limits in zip(self._evses, chosen, strict=True)}
            for evse in self._evses:
                self._put(evse, station.left_for(evse, alone))
        return chosen

    def _put(self, evse: Evse, limit: Limit) -> None:
        before = evse.limit
        if limit == before:
            return
        evse.limit = limit
        self._apply(evse)
        external = any(_is_external(each) for one in (before, limit) if one is not None for each in one.sources)
        if external and before is not None and self.significant(before.current_a, limit.current_a):
            self.rate_changed(evse)

    def significant(self, before: float, after: float) -> bool:
        """Whether a limit has changed by more than LimitChangeSignificance (SC.03)."""
        return abs(after - before) * 100 > float(self._significance.value) * before

    def _schedule_review(self, chosen: list[Limits], now: float) -> None:
        following = math.inf
        for each in chosen:
            instant = each.next_change(now)
            if instant is not None and instant < following:
                following = instant
        if following == math.inf:
            self._cancel_timer()
            return
        wait, monotonic = following - now, self._clock.monotonic()
        if wait > MAX_TIMER_S:
            wait = MAX_TIMER_S
        if self._timer is not None and monotonic < self._due <= monotonic + wait <= self._due + TIMER_SLACK_S:
            return  # most changes do not move the next instant
        self._cancel_timer()
        self._due = monotonic + wait
        self._timer = self._clock.call_later(wait, self.review)

    def transaction_ended(self) -> None:
        """TxProfiles end with their transaction (K02.FR.05)."""
        ongoing = {transaction.id for transaction in self._transactions()}
        for profile in self._profiles:
            if profile.purpose is _TX and profile.transaction_id not in ongoing:
                self._profiles.remove(profile)
        self.review()

    # -- details --------------------------------------------------------------------------------------------------

    def _for(self, evse: Evse) -> list[ChargingProfile]:
        """The profiles that matter for an EVSE."""
        return _matter(self._obeyed(), evse)

    def _obeyed(self) -> list[ChargingProfile]:
        on, external = self.on, self.obeys_external
        if on and external:
            return self._profiles.all
        return [each for each in self._profiles if (external if each.purpose is _EXTERNAL else on)]

    def _anchor(self, evse: Evse, default: float) -> float:
        transaction = _transaction_of(evse)
        return transaction.started_at.timestamp() if transaction is not None else default

    def _transactions(self) -> Iterator[Transaction]:
        for evse in self._evses:
            transaction = _transaction_of(evse)
            if transaction is not None:
                yield transaction

    def _place(self, evse: Evse) -> Place:
        connector = evse.plugged_connector or evse.connectors[0]
        grid, carries = self._grid, connector.max_current_a
        default = carries if evse.limit_a is None else evse.limit_a
        most = carries if carries < grid.limit_a else grid.limit_a
        return Place(most, connector.phases, default, grid.default_phases, grid.voltage_v)


def _matter(profiles: Iterable[ChargingProfile], evse: Evse) -> list[ChargingProfile]:
    """Those that matter for an EVSE, of the profiles that are obeyed."""
    transaction = _transaction_of(evse)
    transaction_id = transaction.id if transaction is not None else None
    places = (STATION, evse.id)
    return [
        each
        for each in profiles
        if each.evse_id in places
        and (each.purpose is not _TX or (transaction_id is not None and each.transaction_id == transaction_id))
    ]


def _transaction_of(evse: Evse) -> Transaction | None:
    return evse.session.transaction if evse.session is not None else None


def _is_external(source: InForce) -> bool:
    return source.profile.purpose is _EXTERNAL
