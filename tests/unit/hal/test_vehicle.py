"""The virtual EV against a plain calculation, second by second."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.iec61851 import PilotState
from hal.simulated.vehicle import NOMINAL_VOLTAGE_V, RAMP_A_PER_S, Vehicle, VehicleOptions
from ocpp.clock import ManualClock


def make(**options) -> tuple[Vehicle, ManualClock, list[PilotState]]:
    clock, seen = ManualClock(), []
    vehicle = Vehicle(VehicleOptions.read(options), clock, lambda: seen.append(vehicle.state))
    return vehicle, clock, seen


def start(vehicle: Vehicle, clock: ManualClock, current_a: float = 32.0) -> None:
    vehicle.offer(current_a)
    clock.tick(vehicle.options.delay_s)
    vehicle.power(True)


def test_it_asks_for_energy_some_time_after_it_is_offered():
    vehicle, clock, seen = make(delay_s=2)
    vehicle.offer(16)
    clock.tick(1.9)
    assert seen == []
    clock.tick(0.1)
    assert seen == [PilotState.C]


def test_told_not_to_it_never_asks():
    vehicle, clock, seen = make(requests_energy=False)
    vehicle.offer(16)
    clock.tick(3600)
    assert seen == []


def test_without_an_offer_it_lets_go_and_asks_again_after_the_pause():
    vehicle, clock, seen = make(delay_s=1)
    start(vehicle, clock)
    clock.tick(10)
    vehicle.offer(0)
    assert (vehicle.state, vehicle.current_a) == (PilotState.B, 0)
    vehicle.offer(16)
    clock.tick(1)
    assert seen == [PilotState.C, PilotState.B, PilotState.C]


def test_it_ramps_up_and_obeys_a_lower_offer_at_once():
    vehicle, clock, _ = make(phases=1)
    start(vehicle, clock)
    clock.tick(1)
    assert vehicle.current_a == RAMP_A_PER_S
    clock.tick(10)
    assert vehicle.current_a == 32
    vehicle.offer(10)
    assert vehicle.current_a == 10


@pytest.mark.parametrize(("phases", "wired", "power"), [(1, 3, 1), (3, 3, 3), (3, 1, 1), (2, 3, 2)])
def test_it_draws_from_the_phases_that_both_sides_have(phases, wired, power):
    vehicle, clock, _ = make(phases=phases, soc=10)
    vehicle.phases_available = wired
    start(vehicle, clock, 16)
    clock.tick(10)
    assert vehicle.power_w == pytest.approx(16 * power * NOMINAL_VOLTAGE_V)


def test_a_full_battery_ends_the_wish():
    vehicle, clock, seen = make(battery_wh=100, soc=99, max_current_a=16)
    start(vehicle, clock)
    clock.tick(600)
    assert vehicle.soc == 100
    assert (seen[-1], vehicle.current_a) == (PilotState.B, 0)


def test_without_power_nothing_flows():
    vehicle, clock, _ = make()
    vehicle.offer(32)
    clock.tick(60)
    assert (vehicle.current_a, vehicle.soc) == (0, 20)


def test_gone_it_has_no_timers():
    vehicle, clock, _ = make()
    start(vehicle, clock)
    vehicle.unplug()
    assert clock.next_timer is None


@pytest.mark.parametrize(
    "values",
    [
        {"soc": -1},
        {"soc": 101},
        {"soc": True},
        {"soc": float("nan")},
        {"phases": 0},
        {"phases": 1.5},
        {"battery_wh": 0},
        {"max_current_a": "16"},
        {"delay_s": -1},
        {"requests_energy": 1},
        {"wheels": 4},
    ],
)
def test_what_is_no_ev_is_told(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        VehicleOptions.read(values)


ACTIONS = st.lists(st.tuples(st.sampled_from([0.0, 6.0, 10.0, 16.0, 32.0]), st.integers(1, 120)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(ACTIONS, st.floats(6, 40), st.integers(1, 3), st.floats(0, 99), st.integers(200, 60000))
def test_it_never_draws_more_than_it_is_offered_and_energy_is_the_integral_of_power(
    actions, most, phases, soc, battery
):
    vehicle, clock, _ = make(max_current_a=most, phases=phases, soc=soc, battery_wh=battery)
    metered = 0.0

    def meter() -> None:
        nonlocal metered
        metered += vehicle.advance()

    vehicle.metered = meter
    vehicle.power(True)
    integral = 0.0
    for offered, seconds in actions:
        vehicle.offer(offered)
        for _ in range(seconds):
            assert vehicle.current_a <= min(offered, most) + 1e-9
            if offered == 0:
                assert vehicle.current_a == 0
            power = vehicle.power_w
            before = vehicle.soc
            clock.tick(1.0)
            room = (100.0 - before) / 100.0 * battery
            integral += min(power / 3600.0, room)
    vehicle.metered()
    assert metered == pytest.approx((vehicle.soc - soc) / 100.0 * battery, abs=1e-6)
    # The ramp moves once a second, at moments of its own: one step per change of the offer is the difference.
    slack = sum(1 for _ in actions) * most * phases * NOMINAL_VOLTAGE_V * 2 / 3600.0 + 0.1
    assert metered == pytest.approx(integral, abs=slack)
