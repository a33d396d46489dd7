"""An emulated wall box with everything real drivers need: pilot line, contactor, Modbus meter, card reader."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from support.chips.adc import Ads1115
from support.chips.pca9685 import Pca9685
from support.chips.pn532 import Pn532Chip
from support.modbus_meter import EmulatedMeter, ModbusServer
from support.pilot_line import PilotLine
from support.serial_line import SerialLine

COIL, AUXILIARY, EMERGENCY = 17, 27, 22

STATION = """
[station]
id = "CS001"
vendor = "pilotwire"
model = "Wall box"
[[network]]
url = "ws://127.0.0.1:9/ocpp"
version = "2.0.1"
security_profile = 0
[[evse]]
[[evse.connector]]
hardware = "wired"
"""
"""A station file for it, without the parts; there is no CSMS."""

PARTS = """
[hardware]
board = "linux"

[[part]]
driver = "pilot"
name = "CP"
evse = 1
pwm = { via = "pca9685", channel = 0 }
high = { chip = "ads1115", channel = 0 }
low = { chip = "ads1115", channel = 1 }
calibration = [[0.25, -12.0], [3.05, 12.0]]

[[part]]
driver = "gpio-contactor"
name = "K1"
evse = 1
coil = "gpiochip0/17"
feedback = "gpiochip0/27"

[[part]]
driver = "modbus-meter"
name = "M1"
evse = 1
model = "eastron-sdm630"
port = "{serial}"
interval_s = 0.1
max_power_w = 1000000

[[part]]
driver = "gpio-emergency-stop"
name = "S1"
pin = "gpiochip0/22"

[[part]]
driver = "pn532-i2c"
name = "reader"
removed_after_s = 0.3
"""


class WallBox:
    """What surrounds the board. An EV of `draw` turns to C when PWM offers current, and its energy is counted."""

    def __init__(self, kernel, directory: Path) -> None:
        self.kernel = kernel
        self.generator = Pca9685()
        self.line = PilotLine(lambda: self.generator.duty(0))
        self.adc = Ads1115()
        self.adc.pins[:2] = [self.line.high_pin, self.line.low_pin]
        self.reader = Pn532Chip()
        kernel.i2c.parts.update({0x40: self.generator, 0x48: self.adc, 0x24: self.reader})
        self.welded = False
        kernel.gpio.driven = self._follow
        kernel.gpio.levels[EMERGENCY] = 0
        self.serial = SerialLine(directory)
        self.meter = EmulatedMeter([(0x0000, 0x5A), (0x0156, 0x14)], function=4)
        self.count(1000.0, 0.0)
        self._server = ModbusServer(self.serial.far, self.meter)
        self.parts = PARTS.replace("{serial}", self.serial.near)

    def _follow(self) -> None:
        """The auxiliary contact follows the coil, unless the power contacts are welded."""
        levels = self.kernel.gpio.levels
        levels[AUXILIARY] = int(levels[COIL] or (self.welded and levels[AUXILIARY]))

    @property
    def coil(self) -> bool:
        """Whether the contactor is told to be closed."""
        return bool(self.kernel.gpio.levels[COIL])

    def count(self, energy_kwh: float, power_w: float) -> None:
        """What the meter shows."""
        self.meter.put(0x0048, "f", energy_kwh)
        self.meter.put(0x0034, "f", power_w)

    def close(self) -> None:
        self._server.close()
        self.serial.close()


async def until(condition: Callable[[], object], what: str, deadline_s: float = 15.0) -> None:
    """Let the loop go on until something is the case."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"{what}: did not come about"
        await asyncio.sleep(0.005)
