"""A wired EVSE on emulated devices: pilot, contactor, and whatever parts a test adds."""

import asyncio
import time

from hal.boards import board
from hal.interfaces import PartDescription
from hal.wired import WiredStation
from ocpp.clock import SystemClock
from support.chips.adc import Ads1115
from support.pilot_line import CALIBRATION, PilotLine
from support.pwm import PwmChip

COIL, FEEDBACK = 17, 27

CONTACTOR = {"coil": f"gpiochip0/{COIL}", "pause_s": 0}
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

    def socket(self, evse_id, connector_id, occupied): ...

    def ev_state(self, evse_id, *, requests_energy, energy_flows): ...

    def fault(self, evse_id, connector_id, kind, *, active, info, vendor_code):
        self.faults.append((kind, active))


class Rig:
    def __init__(self, kernel, *parts, contactor=None, **pilot) -> None:
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
                PartDescription("K1", "gpio-contactor", 1, options={**CONTACTOR, **(contactor or {})}),
                *parts,
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

    def follows(self) -> None:
        """The feedback contact does what the coil does."""
        self.kernel.gpio.follows[FEEDBACK] = COIL

    async def until(self, condition, seconds=5.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            await asyncio.sleep(0.001)

    async def charge(self, state="C") -> None:
        """As the program does it: energy is allowed anew when a fault (an overloaded machine's late sample) has gone."""
        evse = self.station.evse(1)
        self.line.state = "B"
        await self.until(lambda: evse.plugged)
        self.line.state = state
        end = time.monotonic() + 20
        while not self.coil:
            assert time.monotonic() < end, "it does not charge"
            evse.allow_energy(16.0)
            await asyncio.sleep(0.05)

    async def offers(self, amperes, allowed=16.0) -> None:
        """So much is offered of what is allowed; allowed anew as for `charge`."""
        end = time.monotonic() + 20
        while abs(self.line.duty() - amperes / 60) > 0.001:
            assert time.monotonic() < end, f"not offered, but {self.line.duty() * 60:.1f} A"
            self.station.evse(1).allow_energy(allowed)
            await asyncio.sleep(0.05)

    async def opens_after(self, happen) -> float:
        """How long after something happened the coil was off."""
        began = time.monotonic()
        happen()
        await self.until(lambda: not self.coil)
        return self.kernel.gpio.set_at[COIL] - began
