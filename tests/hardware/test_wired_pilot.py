"""A wired EVSE with pilot and contactor on emulated devices: what the line does, the contactor follows in time."""

import time

import pytest
from support.wired import COIL, FEEDBACK, Rig

NORM_S = 0.1
"""IEC 61851-1:2017 table A.6: from the loss of state C to an open contactor."""


@pytest.fixture
async def rig(kernel):
    made = Rig(kernel)
    yield made
    made.station.stop()


ATTEMPTS = 5
"""A machine that runs other things may be late; what is shown is that nothing but that makes it late."""


async def fastest(rig, happen, undo) -> float:
    """The best of some attempts; one in time is enough."""
    times: list[float] = []
    while len(times) < ATTEMPTS and min(times, default=1.0) >= NORM_S:
        await rig.charge()
        times.append(await rig.opens_after(happen))
        undo()
    return min(times)


@pytest.mark.parametrize("state", ["A", "B", "D", "E"])
async def test_the_contactor_is_open_in_time_when_the_line_leaves_c(rig, state):
    assert await fastest(rig, lambda: setattr(rig.line, "state", state), lambda: None) < NORM_S


async def test_a_stuck_event_loop_does_not_delay_it(rig):
    times: list[float] = []
    while len(times) < ATTEMPTS and min(times, default=1.0) >= NORM_S:
        await rig.charge()
        rig.line.state = "A"
        began = time.monotonic()
        time.sleep(0.3)  # noqa: ASYNC251 - the loop is stuck, which is what is tested
        assert not rig.coil
        times.append(rig.kernel.gpio.set_at[COIL] - began)
    assert min(times) < NORM_S


async def test_an_adc_that_vanishes_opens_it_and_is_a_fault_until_it_is_back(rig):
    took = await fastest(rig, lambda: setattr(rig.adc, "broken", True), lambda: setattr(rig.adc, "broken", False))
    assert took < NORM_S
    rig.adc.broken = True
    await rig.until(lambda: rig.heard.faults[-1:] == [("EVCommunicationError", True)])
    rig.adc.broken = False
    await rig.until(lambda: rig.heard.faults[-1:] == [("EVCommunicationError", False)])
    assert not rig.coil, "energy has to be allowed anew"
    await rig.charge()


async def test_a_pwm_that_vanishes_opens_it_at_the_next_command(rig):
    await rig.charge()
    rig.generator.unplug(0)
    rig.line.duty = lambda: 0.2667
    rig.station.evse(1).allow_energy(10.0)
    await rig.until(lambda: not rig.coil)
    await rig.until(lambda: rig.heard.faults[-1:] == [("EVCommunicationError", True)])
    rig.generator.plug(0)
    await rig.until(lambda: rig.heard.faults[-1] == ("EVCommunicationError", False))


async def test_state_d_is_served_only_where_the_place_is_ventilated(kernel):
    rig = Rig(kernel, ventilated=True)
    try:
        await rig.charge("D")
    finally:
        rig.station.stop()


# -- contactor --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def fed_back(kernel):
    """With a feedback contact and a pause."""
    made = Rig(kernel, contactor={"feedback": f"gpiochip0/{FEEDBACK}", "pause_s": 0.4})
    yield made
    made.station.stop()


async def test_a_contactor_that_welds_without_a_command_is_a_fault_that_comes_and_goes_once(fed_back):
    await fed_back.until(lambda: fed_back.station.evse(1).plugged is False)
    fed_back.kernel.gpio.levels[FEEDBACK] = 1
    await fed_back.until(lambda: "PowerSwitchFailure" in fed_back.station.evse(1)._blocks)
    await fed_back.until(lambda: ("PowerSwitchFailure", True) in fed_back.heard.faults)
    fed_back.kernel.gpio.levels[FEEDBACK] = 0
    await fed_back.until(lambda: ("PowerSwitchFailure", False) in fed_back.heard.faults)
    kinds = [each for each in fed_back.heard.faults if each[0] == "PowerSwitchFailure"]
    assert kinds == [("PowerSwitchFailure", True), ("PowerSwitchFailure", False)]


async def test_an_ev_that_asks_again_at_once_is_served_after_the_pause_without_a_fault(fed_back):
    fed_back.follows()
    await fed_back.charge()
    await fed_back.opens_after(lambda: setattr(fed_back.line, "state", "B"))
    opened = fed_back.kernel.gpio.set_at[COIL]
    await fed_back.charge()
    assert fed_back.kernel.gpio.set_at[COIL] - opened >= 0.4
    assert ("PowerSwitchFailure", True) not in fed_back.heard.faults
