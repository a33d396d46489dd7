import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.iec61851 import (
    CONNECTED,
    MAX_CURRENT_A,
    MIN_CURRENT_A,
    STOP_REACTION_S,
    PilotMachine,
    PilotState,
    current_for_duty,
    duty_for_current,
)

CURRENTS = st.floats(-10, 200, allow_nan=False)


@pytest.mark.parametrize(
    ("current", "duty"),
    [(6, 10.0), (10, 16.67), (16, 26.67), (32, 53.33), (51, 85.0), (52.5, 85.0), (63, 89.2), (80, 96.0), (100, 96.0)],
)
def test_the_duty_cycles_of_the_table(current, duty):
    assert duty_for_current(current) == pytest.approx(duty, abs=0.01)


@pytest.mark.parametrize(
    ("duty", "current"),
    [
        (0, 0),
        (5, 0),
        (7.9, 0),
        (8, 6),
        (9.9, 6),
        (10, 6),
        (50, 30),
        (85, 51),
        (90, 65),
        (96, 80),
        (97, 80),
        (98, 0),
        (100, 0),
    ],
)
def test_what_an_ev_may_draw_at_a_duty_cycle(duty, current):
    assert current_for_duty(duty) == pytest.approx(current)


@given(CURRENTS)
def test_what_is_offered_never_exceeds_what_is_allowed(current):
    offered = current_for_duty(duty_for_current(current))
    assert offered <= max(0.0, current) + 1e-9
    assert (offered == 0) is (current < MIN_CURRENT_A)


@given(CURRENTS, CURRENTS)
def test_more_is_never_offered_for_less(one, other):
    low, high = sorted((one, other))
    if low >= MIN_CURRENT_A:
        assert duty_for_current(low) <= duty_for_current(high)


@given(st.floats(6, MAX_CURRENT_A))
def test_the_offer_comes_back_as_it_was_but_for_the_gap_of_the_table(current):
    offered = current_for_duty(duty_for_current(current))
    assert offered == pytest.approx(current if not 51 < current <= 52.5 else 51)


@pytest.mark.parametrize("value", [None, float("nan"), 0, 5.99, -1])
def test_what_cannot_be_offered_is_no_pwm(value):
    machine = PilotMachine()
    machine.see(PilotState.B, 0.0)
    machine.offer(value, 0.0)
    assert machine.offered_a is None


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["see", "offer", "wait", "cut"]),
        st.sampled_from(list(PilotState)),
        st.sampled_from([None, 3.0, 6.0, 16.0, 32.0]),
        st.floats(0, 5),
    ),
    max_size=40,
)


@given(st.booleans(), STEPS)
def test_the_contactor_is_closed_only_while_it_may_be(ventilated, steps):
    """Closed in C (D where ventilated) with an offer, or within the reaction time after it was withdrawn."""
    machine, now, closed, withdrawn, due = PilotMachine(ventilated=ventilated), 0.0, False, None, None
    serving = {PilotState.C, PilotState.D} if ventilated else {PilotState.C}
    for what, state, current, seconds in steps:
        if what == "wait":
            now += seconds
            if due is None or now < due:
                continue
            decision = machine.decide(now)
        elif what == "see":
            decision = machine.see(state, now)
        elif what == "offer":
            had = machine.offered_a is not None
            decision = machine.offer(current, now)
            if had and machine.offered_a is None:
                withdrawn = now
        else:
            machine.cut()
            closed, due = False, None
            continue
        closed = (closed or decision.close) and not decision.open
        due = decision.open_by
        assert closed is machine.closed
        if closed:
            assert machine.state in serving
            if machine.offered_a is None:
                assert due is not None
                assert withdrawn is None or due <= withdrawn + STOP_REACTION_S
        if machine.state not in CONNECTED:
            assert (machine.offered_a, closed) == (None, False)


def test_only_a_unplugs():
    machine = PilotMachine()
    for state, plugged in (("B", True), ("E", True), ("F", True), ("C", True), ("A", False), ("F", False)):
        machine.see(PilotState(state), 0.0)
        assert machine.plugged is plugged
