"""What all EVSEs draw together, against a plain oracle; and the turns that others have meanwhile."""

import asyncio
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp._native.schedule import Limits
from ocpp.core import station_schedule as module
from ocpp.core.limits import MAX_PERIODS, Place, limits_of
from ocpp.core.schedule import ChargingProfile, Kind, Period, Purpose, Schedule
from ocpp.core.station_schedule import station_schedule

NOON = 1_767_268_800.0
VOLTS = 230.0


def limits(*periods: tuple[int, float, int], most: float = 32.0, phases: int = 3) -> Limits:
    profile = ChargingProfile(
        id=1,
        evse_id=1,
        stack_level=0,
        purpose=Purpose.TX_DEFAULT,
        kind=Kind.ABSOLUTE,
        schedule=Schedule("A", tuple(Period(*each) for each in periods), NOON),
    )
    return limits_of(Place(most, phases, most), [profile], NOON)


curves = st.lists(
    st.tuples(st.integers(1, 300), st.sampled_from([0.0, 6.0, 7.5, 16.0, 31.9]), st.integers(1, 3)), max_size=6
).map(lambda found: [(0, 10.0, 3), *sorted({each[0]: each for each in found}.values())])


def at(periods, second: int) -> tuple[float, int]:
    return [(amperes, phases) for start, amperes, phases in periods if start <= second][-1]


def sums(evses, second: int) -> list[float]:
    return [sum(at(each, second)[0] for each in evses if at(each, second)[1] > phase) for phase in range(3)]


@settings(max_examples=300, deadline=None)
@given(st.lists(curves, min_size=1, max_size=5), curves, st.booleans())
def test_every_second_tells_the_sum_within_the_stations_own_limit(evses, own, per_phase):
    made = asyncio.run(
        station_schedule(limits(*own, most=40.0), [limits(*each) for each in evses], 3, NOON, 400, per_phase=per_phase)
    )
    assert made.duration == 400
    for second in range(0, 400, 7):
        told = [each.limit for each in made.slices if each.start <= second][-1]
        most, its_phases = at(own, second)
        amperes = sums(evses, second)
        if per_phase:
            used = sum(each > 0 for each in amperes) or 3
            assert (told.current_a, told.phases) == (pytest.approx(min(amperes[0], most)), min(used, its_phases))
        else:
            assert told.power_w(VOLTS) == pytest.approx(min(sum(amperes), most * its_phases) * VOLTS)
    for one, other in zip(made.slices, made.slices[1:], strict=False):
        assert (one.limit.current_a, one.limit.phases) != (other.limit.current_a, other.limit.phases)


async def test_staggered_schedules_of_many_evses_leave_others_their_turns(monkeypatch):
    """Between two turns of others no more is done than one EVSE's schedule, or a handful of instants."""
    done, most = [0], [0]

    class Counted(module._Total):
        def take(self, number, limit):
            done[0] += 1
            super().take(number, limit)

    monkeypatch.setattr(module, "_Total", Counted)
    composite = module.composite

    def counted(*given):
        done[0] += module.CHANGES_PER_TURN
        return composite(*given)

    monkeypatch.setattr(module, "composite", counted)

    async def others():
        while True:
            most[0], done[0] = max(most[0], done[0]), 0
            await asyncio.sleep(0)

    watching = asyncio.ensure_future(others())
    evses = [limits((0, 8.0, 3), *((64 * n + number + 1, 6.0 + n % 2, 3) for n in range(1000))) for number in range(64)]
    own = limits((0, 5000.0, 3), most=math.inf)
    made = await station_schedule(own, evses, 3, NOON, 64_000, per_phase=True)
    watching.cancel()
    most[0] = max(most[0], done[0])
    assert len(made.slices) == MAX_PERIODS
    assert made.duration > made.slices[-1].start
    assert 0 < most[0] <= 2 * module.CHANGES_PER_TURN + 1
