"""A wired EVSE with what protects it: the monitor trips, the place gets hot, the cable is thin."""

import pytest
from support.chips.thermometer import Lm75
from support.wired import COIL, Rig

from hal.interfaces import PartDescription

TRIP, TEST = 5, 6
NORM_S = 0.1

MONITOR = PartDescription(
    "RCM", "gpio-rcm", 1, options={"trip": f"gpiochip0/{TRIP}", "test": f"gpiochip0/{TEST}", "bias": "default"}
)
THERMOMETER = PartDescription(
    "T1",
    "lm75",
    1,
    options={"address": 0x49, "limit_c": 80, "hysteresis_c": 2, "derating": [[50, 16], [70, 8]]},
)
CABLE = PartDescription(
    "PP", "proximity", 1, options={"adc": {"chip": "ads1115", "channel": 2}, "supply_v": 3.3, "pull_up_ohm": 1000}
)


@pytest.fixture
async def rig(kernel):
    kernel.gpio.follows[TRIP] = TEST  # a monitor that does what its test input wants
    kernel.i2c.parts[0x49] = Lm75()
    made = Rig(kernel, MONITOR, THERMOMETER, CABLE)
    made.adc.pins[2] = 3.3 * 220 / 1220
    made.place = kernel.i2c.parts[0x49]
    yield made
    made.station.stop()


async def test_it_charges_after_the_monitor_has_been_tested(rig):
    tested = []
    rig.kernel.gpio.set_at.pop(TEST)
    await rig.charge()
    tested.append(rig.kernel.gpio.set_at[TEST])
    assert tested[0] < rig.kernel.gpio.set_at[COIL]
    assert ("PowerSwitchFailure", True) not in rig.heard.faults
    assert ("GroundFailure", True) not in rig.heard.faults


async def test_leakage_opens_it_until_the_ev_has_gone(rig):
    times = []
    while len(times) < 5 and min(times, default=1.0) >= NORM_S:
        await rig.charge()
        times.append(await rig.opens_after(lambda: rig.kernel.gpio.press(TRIP, 1)))
        rig.kernel.gpio.levels[TRIP] = 0
        await rig.until(lambda: ("GroundFailure", True) in rig.heard.faults)
        rig.station.evse(1).allow_energy(16.0)
        assert not rig.coil, "it is refused"
        rig.station.parts[2][1]._tested_at -= 100.0  # a minute has passed since the last test
        rig.line.state = "A"
        await rig.until(lambda: rig.heard.faults[-1] == ("GroundFailure", False))
    assert min(times) < NORM_S
    await rig.charge()


async def test_heat_bounds_the_offer_and_too_much_of_it_ends_charging(rig):
    await rig.charge()
    await rig.offers(16)
    rig.place.celsius = 60.0
    await rig.offers(12)
    rig.place.celsius = 85.0
    await rig.until(lambda: not rig.coil)
    await rig.until(lambda: ("HighTemperature", True) in rig.heard.faults)
    rig.place.celsius = 40.0
    await rig.until(lambda: ("HighTemperature", False) in rig.heard.faults)
    await rig.charge()
    await rig.offers(16)


async def test_the_cable_bounds_the_offer(rig):
    rig.adc.pins[2] = 3.3 * 1500 / 2500
    await rig.charge()
    await rig.offers(13)


async def test_a_cable_that_codes_nothing_gets_nothing(rig):
    rig.adc.pins[2] = 3.3 * 3000 / 4000
    await rig.until(lambda: rig.station.parts[4][1].ohms == pytest.approx(3000, rel=0.01))
    rig.line.state = "B"
    await rig.until(lambda: rig.station.evse(1).plugged)
    rig.station.evse(1).allow_energy(16.0)
    assert rig.station.evse(1).offered_a == 0
