"""Smart charging: the profiles installed, what they allow each EVSE now, and when that changes (block K; 1.6 3.13)."""

import logging
import math
from collections.abc import Callable, Iterable, Iterator

from ocpp._native.schedule import Limits
from ocpp.clock import Clock, Timer
from ocpp.core.evse import Evse, Evses
from ocpp.core.grid import Grid
from ocpp.core.installed_profiles import Criteria, InstalledProfiles
from ocpp.core.limits import InForce, Limit, Place, Slice, composite, least_a, limit_at, limits_of
from ocpp.core.schedule import STATION, ChargingProfile, Kind, Purpose
from ocpp.core.sharing import Demand, share
from ocpp.core.transaction import Transaction
from ocpp.device_model import DeviceModel
from ocpp.storage.charging_profiles import ChargingProfileRepository

MAX_TIMER_S = 3600.0
"""The limits are looked at again at least this often: the wall clock may be set meanwhile."""

TIMER_SLACK_S = 0.001
"""A timer that comes so little early stays: the review it brings sets another."""

MAX_DURATION_S = 366 * 86400
"""Of a composite schedule."""

# Members of an enumeration are slow to look up, and reviews look at every profile.
_EXTERNAL, _TX = Purpose.EXTERNAL, Purpose.TX
_STATION_WIDE = (Purpose.STATION_MAX, Purpose.EXTERNAL)

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
            if profile.purpose is Purpose.TX and profile.transaction_id not in ongoing:
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
        if known is not None and known.purpose is Purpose.EXTERNAL:
            return "DuplicateProfile"  # a CSMS cannot replace the limit of an external system (K01.FR.05)
        replaced = self._profiles.in_the_way(profile)
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
        schedule = profile.schedule
        if not self.on:
            return "NotEnabled"
        if profile.evse_id != STATION and profile.evse_id not in self._evses:
            return "UnknownEvse"
        if not 0 <= profile.stack_level <= self._stack_levels.value:
            return "InvalidStackLevel"
        if schedule.unit not in self._units.value:
            return "UnsupportedRateUnit"
        if len(schedule.periods) > self._periods.value or not schedule.curve.sound:
            return "InvalidSchedule"
        recurring = profile.kind is Kind.RECURRING
        if recurring and (profile.recurrency_s is None or schedule.start is None):
            return "InvalidProfile"
        if starting:
            return "" if profile.purpose is Purpose.TX else "InvalidProfile"
        return self._purpose_defect(profile)

    def _purpose_defect(self, profile: ChargingProfile) -> str:
        if profile.purpose is _EXTERNAL:
            return "InvalidProfile"
        if profile.purpose is Purpose.STATION_MAX:
            return "InvalidProfile" if profile.evse_id != STATION or profile.kind is Kind.RELATIVE else ""
        if profile.purpose is _TX:
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
        found = [each for each in self.matching(criteria) if each.purpose is not Purpose.EXTERNAL]
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

    def schedule(self, evse_id: int, duration: int) -> list[Slice]:
        """The composite schedule of an EVSE from now on, or of the grid connection (K08.FR.02-03, .06).

        What an EV has told to draw less than it may is taken into account (SC.04).
        """
        now, duration = self._clock.unix(), min(duration, MAX_DURATION_S)
        if evse_id != STATION:
            agreed = self.agreed(evse_id)
            evse = self._evses[evse_id]
            return self._composite(evse, [*self._for(evse), *([agreed] if agreed is not None else [])], now, duration)
        each = [self.schedule(evse.id, duration) for evse in self._evses]
        return self._sum(each, now, duration)

    def _composite(self, evse: Evse, profiles: list[ChargingProfile], now: float, duration: int) -> list[Slice]:
        return composite(self._place(evse), profiles, now, duration, self._anchor(evse, now))

    def choices(self, evse_id: int, duration: int) -> list[tuple[int, list[Slice]]]:
        """The composite schedules an EV may choose from, with their ids: one for each schedule of its TxProfiles, the
        first of all stack levels together, then the second ones, then the third ones (K15.FR.07, .22).
        """
        evse, now = self._evses[evse_id], self._clock.unix()
        profiles = self._for(evse)
        own = [each for each in profiles if each.purpose is Purpose.TX]
        others = [each for each in profiles if each.purpose is not Purpose.TX]
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
        own = [each for each in self._for(self._evses[evse_id]) if each.purpose is Purpose.TX]
        if not own:
            return
        top = max(own, key=lambda each: (len(each.schedules), each.stack_level))
        index = next((n for n, each in enumerate(top.schedules) if each.id == schedule_id), None)
        changed = [new for each in own if index is not None and (new := each.with_schedule(index)) != each]
        for each in changed:
            self._profiles.put(each)
        if changed:
            self.review()

    def _sum(self, schedules: list[list[Slice]], now: float, duration: int) -> list[Slice]:
        """What all EVSEs draw together, within the station's own limits."""
        phases = max(connector.phases for connector in self._evses.connectors)
        own = composite(self._connection(phases), self._station_wide(), now, duration, now)
        slices: list[Slice] = []
        for start in sorted({each.start for schedule in (*schedules, own) for each in schedule}):
            power = sum(_at(schedule, start).power_w(self._grid.voltage_v) for schedule in schedules)
            most = _at(own, start)
            limit = Limit(min(power / (phases * self._grid.voltage_v), most.current_a), phases, most.sources)
            if not slices or slices[-1].limit.current_a != limit.current_a:
                slices.append(Slice(start, limit))
        return slices

    # -- what holds now -------------------------------------------------------------------------------------------

    def limit(self, evse: Evse, at: float | None = None) -> Limit:
        """What an EVSE may draw at an instant (now), before it is shared with others."""
        instant = at if at is not None else self._clock.unix()
        return self._limits(evse, self._obeyed(), instant).at(instant)

    def _limits(self, evse: Evse, obeyed: Iterable[ChargingProfile], now: float) -> Limits:
        return limits_of(self._place(evse), _matter(obeyed, evse), self._anchor(evse, now))

    def power(self, limit: Limit) -> float:
        """A limit in W."""
        return limit.power_w(self._grid.voltage_v)

    def review(self) -> None:
        """Something has changed: apply what holds now, and look again when it changes."""
        if self._reviewing:
            self._overtaken = True
            return
        self._reviewing, self._overtaken = True, False
        now = self._clock.unix()
        try:
            obeyed = self._obeyed()
            chosen = [self._limits(evse, obeyed, now) for evse in self._evses]
            limits = {evse.id: each.at(now) for evse, each in zip(self._evses, chosen, strict=True)}
            shared = self._grid.limit_a != math.inf or bool(_wide(obeyed))
            for evse in self._evses:
                self._put(evse, self._shared(evse, limits, now) if shared else limits[evse.id])
        finally:
            self._reviewing = False
        if self._overtaken:
            obeyed = self._obeyed()
            chosen = [self._limits(evse, obeyed, now) for evse in self._evses]
        self._schedule_review(chosen, now)
        self.profiles_changed()

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

    def _shared(self, evse: Evse, limits: dict[int, Limit], now: float) -> Limit:
        """The station's own limit is shared by those who charge (K04.FR.05); who does not may have it alone."""
        limit = limits[evse.id]
        whole = self._station_limit(limit.phases, now)
        if whole.current_a == math.inf:
            return limit
        busy = [each for each in self._evses if each is evse or _charges(each)]
        demands = [self._demand(each, limits[each.id], now) for each in busy]
        current = share(demands)[busy.index(evse)] * whole.current_a
        if current >= limit.current_a:
            return limit
        return Limit(current, limit.phases, limit.sources)

    def _demand(self, evse: Evse, limit: Limit, now: float) -> Demand:
        whole = self._station_limit(limit.phases, now).current_a
        transaction = _transaction_of(evse)
        if whole <= 0:
            return Demand(0.0)
        return Demand(
            most=limit.current_a / whole,
            least=least_a(limit, self._grid.voltage_v) / whole,
            priority=evse.session.priority if evse.session is not None else 0,
            since=transaction.started_at.timestamp() if transaction is not None else now,
            sated=evse.sated,
        )

    def _station_limit(self, phases: int, now: float) -> Limit:
        return limit_at(self._connection(phases), self._station_wide(), now, now)

    def _connection(self, phases: int) -> Place:
        """The connection to the grid, as the place where the station's own limits hold."""
        return Place(self._grid.limit_a, phases, self._grid.limit_a, phases, self._grid.voltage_v)

    def _schedule_review(self, chosen: list[Limits], now: float) -> None:
        instants = [each.next_change(now) for each in chosen]
        following = min([each for each in instants if each is not None], default=None)
        if following is None:
            self._cancel_timer()
            return
        wait, monotonic = min(following - now, MAX_TIMER_S), self._clock.monotonic()
        if self._timer is not None and monotonic < self._due <= monotonic + wait <= self._due + TIMER_SLACK_S:
            return  # most changes do not move the next instant
        self._cancel_timer()
        self._due = monotonic + wait
        self._timer = self._clock.call_later(wait, self.review)

    def transaction_ended(self) -> None:
        """TxProfiles end with their transaction (K02.FR.05)."""
        ongoing = {transaction.id for transaction in self._transactions()}
        for profile in self._profiles:
            if profile.purpose is Purpose.TX and profile.transaction_id not in ongoing:
                self._profiles.remove(profile)
        self.review()

    # -- details --------------------------------------------------------------------------------------------------

    def _for(self, evse: Evse) -> list[ChargingProfile]:
        """The profiles that matter for an EVSE."""
        return _matter(self._obeyed(), evse)

    def _station_wide(self) -> list[ChargingProfile]:
        return _wide(self._obeyed())

    def _obeyed(self) -> list[ChargingProfile]:
        on, external = self.on, self.obeys_external
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
        default = connector.max_current_a if evse.limit_a is None else evse.limit_a
        most = min(connector.max_current_a, self._grid.limit_a)
        return Place(most, connector.phases, default, self._grid.default_phases, self._grid.voltage_v)


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


def _wide(profiles: Iterable[ChargingProfile]) -> list[ChargingProfile]:
    """Those that hold for the connection to the grid."""
    return [each for each in profiles if each.evse_id == STATION and each.purpose in _STATION_WIDE]


def _transaction_of(evse: Evse) -> Transaction | None:
    return evse.session.transaction if evse.session is not None else None


def _charges(evse: Evse) -> bool:
    return evse.session is not None and evse.session.delivery.allowed


def _at(schedule: list[Slice], start: int) -> Limit:
    """What holds at a second of a composite schedule."""
    return [each for each in schedule if each.start <= start][-1].limit


def _is_external(source: InForce) -> bool:
    return source.profile.purpose is Purpose.EXTERNAL
