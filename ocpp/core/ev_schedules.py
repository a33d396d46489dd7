"""Charging schedules negotiated with an EV over ISO 15118 (K15, K16, K17)."""

import logging
from collections.abc import Awaitable, Callable

import msgspec

from ocpp.clock import Clock, Timer
from ocpp.core.ev_link import EvLink, EvNeeds, EvSchedule
from ocpp.core.evse import Evses
from ocpp.core.installed_profiles import Criteria
from ocpp.core.schedule import ChargingProfile, Kind, Period, Purpose, Schedule
from ocpp.core.smart_charging import SmartCharging
from ocpp.errors import RpcError

WAIT_FOR_CSMS_S = 55.0
"""How long a profile of the CSMS is waited for: ISO 15118 gives the EV's question 60 s (K15.FR.08)."""

OFFER_S = 86400
"""How far an offered schedule reaches: ISO 15118 asks for at least a day."""

TOLERANCE_A = 0.1
"""What an EV's schedule may exceed the offer by: schedules are rounded to one decimal."""

NOMINAL_VOLTAGE_V = 230.0
"""What the power of an EV's schedule is compared with (the grid's own setting differs by a few percent at most)."""

REJECTED = "Rejected"

log = logging.getLogger(__name__)


class _Negotiation(msgspec.Struct):
    """Where an EV and the station stand."""

    needs: EvNeeds
    offered: tuple[Schedule, ...] = ()
    waiting: Timer | None = None
    by_csms: bool = False
    """Whether the EV was asked to negotiate anew because the CSMS changed its mind (K16.FR.09)."""
    agreed: list[EvSchedule] = msgspec.field(default_factory=list)


class EvSchedules:
    """The negotiations of all EVSEs. The messages are supplied by the smart charging block of the version spoken."""

    def __init__(self, smart: SmartCharging, evses: Evses, clock: Clock, link: EvLink) -> None:
        self._smart = smart
        self._evses = evses
        self._clock = clock
        self._link = link
        self._negotiations: dict[int, _Negotiation] = {}
        self.online: Callable[[], bool] = lambda: False
        self.spawn: Callable[[Awaitable[None]], object] = lambda work: None
        self.tell_needs: Callable[[int, EvNeeds], Awaitable[str]] | None = None
        """Tells the CSMS what an EV needs; gives the status of its answer. Raises RpcError."""
        self.tell_schedule: Callable[[int, EvSchedule], Awaitable[str]] | None = None
        """Tells the CSMS what an EV has chosen; gives the status of its answer. Raises RpcError."""
        smart.profiles_changed = self.review
        smart.agreed = self.agreed

    def negotiates(self, evse_id: int) -> bool:
        """Whether the EV there has told its needs."""
        return evse_id in self._negotiations

    def agreed(self, evse_id: int) -> ChargingProfile | None:
        """What the EV has told to draw, as a limit from outside (K15.FR.14, K16.FR.10, K17.FR.14)."""
        negotiation = self._negotiations.get(evse_id)
        if negotiation is None or not negotiation.agreed:
            return None
        chosen = negotiation.agreed[-1]
        start = chosen.schedule.start if chosen.schedule.start is not None else chosen.time_base.timestamp()
        return ChargingProfile(
            id=0,
            evse_id=evse_id,
            stack_level=0,
            purpose=Purpose.EXTERNAL,
            kind=Kind.ABSOLUTE,
            schedule=msgspec.structs.replace(chosen.schedule, start=start),
            source="EV",
        )

    # -- what the EV says -----------------------------------------------------------------------------------------

    def needs(self, evse_id: int, needs: EvNeeds) -> None:
        """An EV says what it needs, at first (K15) or again (K17). ValueError when that makes no sense."""
        defect = needs.defect()
        if defect:
            raise ValueError(defect)
        before = self._negotiations.get(evse_id)
        self._forget_timer(before)
        negotiation = self._negotiations[evse_id] = _Negotiation(needs)
        if before is not None and before.by_csms:
            self._offer(evse_id, negotiation)
        elif self.online() and self.tell_needs is not None:
            self.spawn(self._ask(evse_id, negotiation))
        else:
            self._offer(evse_id, negotiation)

    async def _ask(self, evse_id: int, negotiation: _Negotiation) -> None:
        assert self.tell_needs is not None
        negotiation.waiting = self._clock.call_later(WAIT_FOR_CSMS_S, lambda: self._offer(evse_id, negotiation))
        try:
            status = await self.tell_needs(evse_id, negotiation.needs)
        except RpcError as error:
            log.warning("the CSMS did not take the EV's needs: %s", error)
            status = REJECTED
        if status == REJECTED and negotiation.waiting is not None:
            self._offer(evse_id, negotiation)

    def schedule(self, evse_id: int, chosen: EvSchedule) -> None:
        """An EV tells its charging profile; the CSMS hears of one that keeps to the offer (K15.FR.09-10)."""
        negotiation = self._negotiations.get(evse_id)
        if negotiation is None or not negotiation.offered:
            log.warning("EVSE %d: the EV's schedule comes without an offer", evse_id)
            return
        offered = next((each for each in negotiation.offered if each.id == chosen.selected), negotiation.offered[0])
        if not _within(chosen.schedule, offered):
            log.warning("EVSE %d: the EV's schedule exceeds what was offered; negotiating again", evse_id)
            self._link.renegotiate(evse_id)
            self._link.offer(evse_id, negotiation.offered)
            return
        negotiation.agreed = [chosen]
        self._smart.select(evse_id, offered.id)
        if self.online() and self.tell_schedule is not None:
            self.spawn(self._tell(evse_id, chosen))

    async def _tell(self, evse_id: int, chosen: EvSchedule) -> None:
        assert self.tell_schedule is not None
        try:
            status = await self.tell_schedule(evse_id, chosen)
        except RpcError as error:
            log.warning("the CSMS did not take the EV's schedule: %s", error)
            return
        if status == REJECTED:
            log.warning("EVSE %d: the CSMS refuses the EV's schedule; it is expected to send another one", evse_id)

    # -- what the CSMS changes ------------------------------------------------------------------------------------

    def review(self) -> None:
        """Profiles have changed: EVs that wait get their offer, others negotiate anew (K16.FR.02-03)."""
        for evse_id, negotiation in tuple(self._negotiations.items()):
            session = self._evses[evse_id].session
            if session is None or not session.plugged:
                self._forget_timer(self._negotiations.pop(evse_id))
            elif negotiation.waiting is not None:
                if self._smart.matching(Criteria(evse_id=evse_id, purpose=Purpose.TX)):
                    self._offer(evse_id, negotiation)
            elif negotiation.offered and _limits(self._schedules(evse_id)) != _limits(negotiation.offered):
                negotiation.by_csms = True
                self._link.renegotiate(evse_id)
                self._offer(evse_id, negotiation)

    def _offer(self, evse_id: int, negotiation: _Negotiation) -> None:
        self._forget_timer(negotiation)
        negotiation.offered = self._schedules(evse_id)
        self._link.offer(evse_id, negotiation.offered)

    def _schedules(self, evse_id: int) -> tuple[Schedule, ...]:
        """The composite schedules an EV may choose from, one for each schedule of the TxProfile."""
        return tuple(
            Schedule(
                id=number,
                unit="A",
                duration=OFFER_S,
                start=float(int(self._clock.unix())),
                periods=tuple(
                    Period(each.start, int(each.limit.current_a * 10 + 1e-6) / 10, each.limit.phases) for each in slices
                ),
            )
            for number, slices in self._smart.choices(evse_id, OFFER_S)
        )

    @staticmethod
    def _forget_timer(negotiation: _Negotiation | None) -> None:
        if negotiation is not None and negotiation.waiting is not None:
            negotiation.waiting.cancel()
            negotiation.waiting = None

    def stop(self) -> None:
        """No timers any more."""
        for negotiation in self._negotiations.values():
            self._forget_timer(negotiation)


def _limits(schedules: tuple[Schedule, ...]) -> list[tuple[int, list[tuple[float, int | None]]]]:
    """What matters to an EV: which limits follow each other; that time has passed does not."""
    return [(each.id, [(period.limit, period.phases) for period in each.periods]) for each in schedules]


def _within(chosen: Schedule, offered: Schedule) -> bool:
    """Whether a schedule never exceeds another; power is compared as power on the phases offered."""
    starts = sorted({each.start for each in (*chosen.periods, *offered.periods)})
    for start in starts:
        wanted, most = _at(chosen, start), _at(offered, start)
        if wanted is None or most is None:
            continue
        limit = most.limit if chosen.unit == "A" else most.limit * (most.phases or 3) * NOMINAL_VOLTAGE_V
        if wanted.limit > limit + TOLERANCE_A * (1 if chosen.unit == "A" else NOMINAL_VOLTAGE_V):
            return False
    return True


def _at(schedule: Schedule, second: int) -> Period | None:
    return next((each for each in reversed(schedule.periods) if each.start <= second), None)
