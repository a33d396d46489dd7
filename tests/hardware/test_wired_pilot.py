"""A wired EVSE with pilot and contactor on emulated devices: what the line does, the contactor follows in time."""

import asyncio
import time

import pytest
from support.chips.adc import Ads1115
from support.pilot_line import CALIBRATION, PilotLine
from support.pwm import PwmChip

from hal.boards import board
from hal.interfaces import PartDescription
from hal.wired import WiredStation
from ocpp.clock import SystemClock

COIL = 17
NORM_S = 0.1
"""IEC 61851-1:2017 table A.6: from the loss of state C to an open contactor."""

PILOT = {
    "pwm": {"via": "sysfs", "channel": "pwmchip0/0"},
    "high": {"chip": "ads1115", "channel": 0},
    "low": {"chip": "ads1115", "channel": 1},
    "calibration": CALIBRATION,
}


class Heard:
    """An `EvseListener` that writes down what matters here."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, bool]] = []

    def plugged(self, evse_id, connector_id): ...

    def unplugged(self, evse_id, connector_id): ...

    def ev_state(self, evse_id, *, requests_energy, energy_flows): ...

    def fault(self, evse_id, connector_id, kind, *, active, info, vendor_code):
        self.faults.append((kind, active))


class Rig:
    def __init__(self, kernel, **pilot) -> None:
        self.kernel = kernel
        self.generator = PwmChip(kernel)
        self.line = PilotLine(lambda: self.generator.duty(0))
        self.adc = Ads1115()
        self.adc.pins[:2] = [self.line.high_pin, self.line.low_pin]
        kernel.i2c.parts[0x48] = self.adc
        self.heard = Heard()
        self.station = WiredStation(
            1,
            (
                PartDescription("CP", "pilot", 1, options={**PILOT, **pilot}),
                PartDescription("K1", "gpio-contactor", 1, options={"coil": f"gpiochip0/{COIL}", "pause_s": 0}),
            ),
            board=board("linux"),
            clock=SystemClock(),
            to_loop=asyncio.get_running_loop().call_soon_threadsafe,
            listener=self.heard,
        )
        self.station.start()

    @property
    def coil(self) -> int:
        return self.kernel.gpio.levels[COIL]

    async def until(self, condition, seconds=5.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            await asyncio.sleep(0.001)

    async def charge(self, state="C") -> None:
        evse = self.station.evse(1)
        self.line.state = "B"
        await self.until(lambda: evse.plugged)
        evse.allow_energy(16.0)
        await self.until(lambda: self.line.duty() < 1)
        self.line.state = state
        await self.until(lambda: self.coil)

    async def opens_after(self, happen) -> float:
        """How long after something happened the coil was off."""
        began = time.monotonic()
        happen()
        await self.until(lambda: not self.coil)
        return self.kernel.gpio.set_at[COIL] - began


@pytest.fixture
async def rig(kernel):
    made = Rig(kernel)
    yield made
    made.station.stop()


@pytest.mark.parametrize("state", ["A", "B", "E"])
async def test_the_contactor_is_open_in_time_when_the_line_leaves_c(rig, state):
    await rig.charge()
    took = await rig.opens_after(lambda: setattr(rig.line, "state", state))
    assert took < NORM_S


async def test_a_stuck_event_loop_does_not_delay_it(rig):
    await rig.charge()
    rig.line.state = "A"
    began = time.monotonic()
    time.sleep(0.3)  # noqa: ASYNC251 - the loop is stuck, which is what is tested
    assert not rig.coil
    assert rig.kernel.gpio.set_at[COIL] - began < NORM_S


async def test_an_adc_that_vanishes_opens_it_and_is_a_fault_until_it_is_back(rig):
    await rig.charge()
    took = await rig.opens_after(lambda: setattr(rig.adc, "broken", True))
    assert took < NORM_S
    await rig.until(lambda: ("EVCommunicationError", True) in rig.heard.faults)
    rig.adc.broken = False
    await rig.until(lambda: ("EVCommunicationError", False) in rig.heard.faults)
    assert not rig.coil, "energy has to be allowed anew"
    rig.station.evse(1).allow_energy(16.0)
    await rig.until(lambda: rig.coil)


async def test_a_pwm_that_vanishes_opens_it_at_the_next_command(rig):
    await rig.charge()
    rig.generator.unplug(0)
    rig.line.duty = lambda: 0.2667
    rig.station.evse(1).allow_energy(10.0)
    await rig.until(lambda: not rig.coil)
    await rig.until(lambda: rig.heard.faults == [("EVCommunicationError", True)])
    rig.generator.plug(0)
    await rig.until(lambda: rig.heard.faults[-1] == ("EVCommunicationError", False))


async def test_state_d_is_served_only_where_the_place_is_ventilated(kernel):
    rig = Rig(kernel, ventilated=True)
    try:
        await rig.charge("D")
    finally:
        rig.station.stop()


async def test_state_d_opens_where_it_is_not(rig):
    await rig.charge()
    assert await rig.opens_after(lambda: setattr(rig.line, "state", "D")) < NORM_S
