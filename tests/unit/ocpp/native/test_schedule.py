"""The compiled arithmetic of schedules at its edges; against the oracle it is tested in core/test_limits.py."""

import math
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ocpp._native.schedule import Curve, InForce, Limit, Limits, Slice, Track
from ocpp.core.schedule import PERIOD_IN_MESSAGE, Period, Periods

HOURS = Curve([Period(0, 6.0), Period(3600, 8.0, 1)])


def limits(*groups: list[Track]) -> Limits:
    return Limits(list(groups), 32.0, 3, 16.0, 3, 230.0)


@pytest.mark.parametrize("begin", [0.1, 1_767_268_800.3, 1_767_268_800.7, 2.0**31 + 0.9])
def test_a_period_holds_at_the_very_instant_that_was_foretold(begin):
    curve = Curve([Period(each * 7, 6.0 + each) for each in range(50)])
    chosen = limits([Track("profile", curve, True, begin, 350)])
    at, seen = begin, [chosen.at(begin).current_a]
    while (at := chosen.next_change(at)) is not None:
        seen.append(chosen.at(at).current_a)
    assert seen == [*(min(32.0, 6.0 + each) for each in range(50)), 16.0]


@pytest.mark.parametrize("every", [7.3, 600.1, 86400.0])
def test_an_occurrence_begins_at_the_very_instant_that_was_foretold(every):
    chosen = limits([Track("profile", Curve([Period(0, 6.0), Period(3, 8.0)]), True, 0.3, None, every)])
    at = 0.3
    for number in range(1, 1000):
        at = chosen.next_change(at)
        assert chosen.at(at).current_a == (8.0 if number % 2 else 6.0), number


def test_no_change_comes_after_the_last():
    assert limits([Track("profile", HOURS, True, 100.0)]).next_change(50.0) == 100.0
    assert limits([Track("profile", HOURS, True, 100.0)]).next_change(3700.0) is None
    assert limits([]).next_change(0.0) is None


def test_a_schedule_without_periods_says_nothing():
    assert limits([Track("profile", Curve([]), True, 0.0)]).at(5.0) == Limit(16.0, 3)


def test_the_period_in_force_is_told_with_its_profile():
    profile = SimpleNamespace(schedule=SimpleNamespace(periods=("first", "second")))
    (source,) = limits([Track(profile, HOURS, True, 0.0)]).at(4000.0).sources
    assert (source.profile, source.index, source.period) == (profile, 1, "second")


def test_slices_compare_and_show_what_they_hold():
    one, other = (limits([Track("profile", HOURS, True, 0.0)]).slices(0.0, 7200.0, 9) for _ in range(2))
    assert one == other == [Slice(0, one[0].limit), Slice(3600, one[1].limit)]
    assert len({*one, *other}) == 2
    assert one[0] != one[1] != "a slice"
    assert one[0].limit != one[1].limit != "a limit"
    assert one[0].limit.sources[0] != one[1].limit.sources[0] != "a period"
    assert repr(one[1]) == (
        "Slice(start=3600, limit=Limit(current_a=8.0, phases=1, sources=(InForce(profile='profile', index=1),)))"
    )
    assert isinstance(one[0].limit.sources[0], InForce)


def test_they_end_where_they_may_and_where_the_window_does():
    chosen = limits([Track("profile", HOURS, True, 0.0)])
    assert len(chosen.slices(0.0, 7200.0, 1)) == 1
    assert len(chosen.slices(0.0, 3600.0, 9)) == 1
    assert chosen.slices(5.0, 0.0, 9) == []


def test_slices_count_from_the_second_that_the_begin_falls_into():
    """A profile that began in this very second holds from its begin; what changes within a second stands for it."""
    begun = limits([Track("profile", Curve([Period(0, 6.0), Period(60, 8.0)]), True, 100.4)])
    assert [(each.start, each.limit.current_a) for each in begun.slices(100.9, 90.0, 9)] == [(0, 6.0), (60, 8.0)]
    assert [(each.start, each.limit.current_a) for each in begun.slices(100.1, 90.0, 9)] == [(0, 6.0), (60, 8.0)]
    brief = Track("brief", Curve([Period(0, 9.0)]), True, 0.0, valid_from=100.2, valid_to=100.4)
    longer = Track("longer", Curve([Period(0, 6.0), Period(5, 7.0)]), True, 100.0)
    found = limits([brief, longer]).slices(100.0, 90.0, 9)
    assert [(each.start, each.limit.current_a) for each in found] == [(0, 6.0), (5, 7.0)]


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="own profiles is missing"):
        Limits([], 32.0, 3, 16.0, 3, 230.0)
    with pytest.raises(TypeError, match="a Track is needed, not str"):
        limits(["profile"])
    with pytest.raises(ValueError, match="after no time"):
        Track("profile", HOURS, True, 0.0, None, 0)


# -- what a curve says of its periods ---------------------------------------------------------------------------------


def sound(periods: list[Period]) -> bool:
    """In plain words."""
    starts = [each.start for each in periods]
    if not starts or starts[0] != 0 or starts != sorted(set(starts)) or starts[-1] >= 2**63:
        return False
    return not any(not each.limit >= 0 or not 1 <= (each.phases or 1) <= 3 for each in periods)


class _Message(msgspec.Struct):
    """A period as messages have it."""

    start_period: int
    limit: float | None
    number_phases: int | None


PERIODS = st.builds(
    Period,
    st.one_of(st.integers(-2, 5), st.sampled_from([2**63 - 1, 2**63, -(2**63) - 1, 10**400, -(10**400)])),
    st.one_of(st.sampled_from([0, 0.0, -0.0, -1.0, 6, 6.0, math.inf, math.nan]), st.floats(allow_nan=False)),
    st.one_of(st.none(), st.integers(-1, 5), st.sampled_from([2**70, -(2**70), 2**32 + 1])),
)


def _ascending(periods: list[Period]) -> list[Period]:
    return [Period(number, each.limit, each.phases) for number, each in enumerate(periods)]


@given(st.one_of(st.lists(PERIODS, max_size=4), st.lists(PERIODS, max_size=4).map(_ascending)))
@example([])
@example([Period(0, 0.0, 1), Period(1, 6.0, 2), Period(2, 6.0)])
@example([Period(0, 6.0), Period(0, 6.0)])
@example([Period(0, 6.0), Period(10**400, 6.0)])
def test_it_knows_whether_its_periods_make_sense_and_the_fewest_phases(periods):
    curve = Curve(periods)
    assert curve.sound is sound(periods)
    if curve.sound:
        named = [each.phases for each in periods if each.phases is not None and each.limit]
        assert curve.fewest_phases == min(named, default=None)


@given(st.lists(PERIODS, max_size=4).map(_ascending), st.lists(PERIODS, max_size=4).map(_ascending))
def test_sound_periods_are_the_sequence_that_they_were_made_of(one, other):
    periods, others = Periods(one), Periods(other)
    if not (periods.sound and others.sound):
        return
    assert (len(periods), tuple(periods)) == (len(one), tuple(one))
    for index in range(-len(one), len(one)):
        assert periods[index] == one[index]
    assert periods[1:] == tuple(one[1:])
    assert list(reversed(periods)) == one[::-1]
    assert (periods == others) is (one == other)
    assert hash(periods) == hash(Periods(tuple(one)))
    assert repr(periods) == repr(tuple(periods))
    messages = [_Message(*msgspec.structs.astuple(each)) for each in one]
    assert Periods(messages, PERIOD_IN_MESSAGE) == periods


def test_there_is_no_period_beyond_the_last_or_before_the_first():
    periods = Periods([Period(0, 6.0)])
    for index in (1, -2, 2**40):
        with pytest.raises(IndexError, match="there is no period"):
            periods[index]
    assert periods != (Period(0, 6.0),)


def test_a_period_without_a_limit_is_not_sound():
    assert not Curve([_Message(0, None, None)], PERIOD_IN_MESSAGE).sound


class _Slots:
    """Keeps its period in slots that may be empty."""

    __slots__ = ("limit", "phases", "start")

    def __init__(self, **values):
        for name, value in values.items():
            setattr(self, name, value)


class _Calculated(_Slots):
    """One of them is no slot any more."""

    __slots__ = ()
    phases = property(lambda self: 2)


def test_periods_are_read_from_objects_of_every_kind():
    given = [
        Period(0, 6.0, 3),
        _Slots(start=1, limit=7.0, phases=None),
        _Calculated(start=2, limit=8.0),
        SimpleNamespace(start=3, limit=9.0, phases=1),
        Period(4, 10.0),
        _Slots(start=5, limit=11.0, phases=3),
    ]
    assert Periods(given).steps() == [(each.start, each.limit, each.phases) for each in given]


class _Busy:
    """Reads periods of another class while it is read itself."""

    __slots__ = ("a", "b", "limit", "phases")

    def __init__(self):
        self.a, self.b, self.limit, self.phases = 99.0, 3, 9.0, 1

    @property
    def start(self):
        Curve([_Slots(start=0, limit=6.0, phases=3)])
        return 0


def test_periods_are_read_while_others_are():
    assert Periods([_Busy()]).steps() == [(0, 9.0, 1)]


def test_a_slot_that_was_never_filled_is_told():
    with pytest.raises(AttributeError, match="phases"):
        Curve([_Slots(start=0, limit=6.0, phases=None), _Slots(start=1, limit=6.0)])


class _Growing(list):
    """Grows while it is looked at."""

    def __iter__(self):
        yield from super().__iter__()
        yield Period(60, 7.0)


@pytest.mark.parametrize(
    ("periods", "error"),
    [
        ([Period("0", 6.0)], TypeError),
        ([Period(0.5, 6.0)], TypeError),
        ([Period(0, "6")], TypeError),
        ([Period(0, 6.0, "3")], TypeError),
        ([(0, 6.0)], AttributeError),
        (5, TypeError),
        (None, TypeError),
        (_Growing([Period(0, 6.0)]), ValueError),
    ],
)
def test_what_is_no_period_is_told(periods, error):
    with pytest.raises(error):
        Curve(periods)


def test_fewer_phases_than_none_are_named_fewest_too():
    assert Curve([Period(0, 6.0, -3), Period(1, 6.0, 2)]).fewest_phases < 0


def test_a_duration_beyond_every_number_is_for_ever():
    chosen = limits([Track("profile", Curve([Period(0, 6.0)]), True, 0.0, 10**400)])
    assert (chosen.at(1e300).current_a, chosen.next_change(0.0)) == (6.0, None)
