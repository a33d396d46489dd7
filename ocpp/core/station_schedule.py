"""The composite schedule of the whole station: what all EVSEs draw together from the grid (K08.FR.03; 1.6 section 5.7).

The schedules of all EVSEs are walked together, once, in turns with everything else on the event loop: neither many
EVSEs nor many periods keep the station from its work.
"""

import asyncio
import heapq
import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from ocpp._native.schedule import Limits
from ocpp.core.limits import MAX_PERIODS, CompositeSchedule, Limit, Slice, composite
from ocpp.core.schedule import MOST_PHASES

CHANGES_PER_TURN = 128
"""Changes of an EVSE's limit that are looked at before others have their turn: about a millisecond."""


async def station_schedule(
    own: Limits, evses: Sequence[Limits], phases: int, start: float, duration: int, *, per_phase: bool
) -> CompositeSchedule:
    """What all EVSEs draw together by their limits, within the station's `own`, from `start` on.

    `per_phase`: the limits are currents, those of the phase that carries most (1.6 errata 3.69), on as many phases as
    are used; every EVSE is taken to begin with the first phase. Otherwise they mean power, spread over `phases`.
    """
    schedules = [composite(own, start, duration)]
    for each in evses:
        schedules.append(composite(each, start, duration))
        await asyncio.sleep(0)
    duration = min(each.duration for each in schedules)
    total = _Total(len(evses))
    slices: list[Slice] = []
    for turn, (second, changes) in enumerate(groupby(merged(schedules), itemgetter(0))):
        if second >= duration:
            break
        for _, number, limit in changes:
            total.take(number, limit)
        if turn % CHANGES_PER_TURN == CHANGES_PER_TURN - 1:
            await asyncio.sleep(0)
        limit = total.current(phases) if per_phase else total.power(phases)
        if slices and (slices[-1].limit.current_a, slices[-1].limit.phases) == (limit.current_a, limit.phases):
            continue
        if len(slices) == MAX_PERIODS:
            duration = second
            break
        slices.append(Slice(second, limit))
    return CompositeSchedule(slices, duration)


def merged(schedules: Sequence[CompositeSchedule]) -> Iterator[tuple[int, int, Limit]]:
    """Second, number of the schedule and what it says from then on, in the order of time; each when it is asked for."""

    def rows(number: int, schedule: CompositeSchedule) -> Iterator[tuple[int, int, Limit]]:
        return ((part.start, number, part.limit) for part in schedule.slices)

    return heapq.merge(*(rows(number, each) for number, each in enumerate(schedules)), key=itemgetter(0, 1))


class _Total:
    """What all EVSEs draw together. Sums are made anew, since differences of floats would drift."""

    def __init__(self, evses: int) -> None:
        self._phases = [[0.0] * evses for _ in range(MOST_PHASES)]
        self._most = Limit(math.inf, MOST_PHASES)

    def take(self, number: int, limit: Limit) -> None:
        """What holds for an EVSE from now on, counted from 1; 0: for the station as a whole."""
        if number == 0:
            self._most = limit
            return
        for phase, amperes in enumerate(self._phases):
            amperes[number - 1] = limit.current_a if phase < limit.phases else 0.0

    def current(self, phases: int) -> Limit:
        """The current of the phase that carries most, and on how many there is any."""
        most, sums = self._most, [math.fsum(amperes) for amperes in self._phases]
        used = sum(each > 0 for each in sums) or phases
        return Limit(min(sums[0], most.current_a), min(used, most.phases), most.sources)

    def power(self, phases: int) -> Limit:
        """The power, as a current on all phases of the connection."""
        most, amperes = self._most, math.fsum(math.fsum(each) for each in self._phases)
        return Limit(min(amperes / phases, most.current_a * most.phases / phases), phases, most.sources)
