"""Meters of every kind behind one face, for the suite that all of them have to pass."""

import json
import os
import random
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hal.drivers import make
from hal.simulated.parts import SimulatedMeter
from ocpp.clock import SystemClock
from support.d0_meter import D0Head
from support.modbus_meter import EmulatedMeter, ModbusServer
from support.serial_line import SerialLine
from support.sml_meter import content, entry, telegram
from support.workbench import workbench

WIRED = "PILOTWIRE_WIRED_METER"
"""The options of a real meter as JSON: {"driver": "modbus-meter", "model": "eastron-sdm630", "port": "/dev/ttyUSB0"}."""

PIN = 22


class Rig:
    """A meter in a test's hands. Energy is in whole kWh, which every meter can tell."""

    can_break = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self.closing = ExitStack()
        self.bench, self.clock = workbench()
        self.closing.callback(self.bench.close)
        self.meter: Any = None

    def refresh(self) -> None:
        """A minute passes, and the meter is read."""
        self.clock.tick(60.0)
        self.meter.poll()

    def count(self, kwh: int) -> None:
        """Energy flows."""

    def fail(self) -> None:
        """The meter is not heard any more."""

    def mend(self) -> None:
        """It is again."""


class Simulated(Rig):
    def __init__(self, path: Path, kernel: Any = None) -> None:
        super().__init__(path)
        self.meter = SimulatedMeter(random.Random(1), signed=False, now=self.clock.monotonic)

    def refresh(self) -> None:
        pass

    def count(self, kwh: int) -> None:
        self.meter.set_energy(float(self.meter.energy_wh) + kwh * 1000)

    def fail(self) -> None:
        self.meter.broken = True

    def mend(self) -> None:
        self.meter.broken = False


class Serial(Rig):
    """At the end of a serial line that can be cut."""

    def __init__(self, path: Path, kernel: Any = None) -> None:
        super().__init__(path)
        self.line = SerialLine(path)
        self.closing.callback(self.line.close)
        self.kwh = 1000

    def count(self, kwh: int) -> None:
        self.kwh += kwh

    def fail(self) -> None:
        self.line.to_driver = lambda data: b""

    def mend(self) -> None:
        self.line.to_driver = lambda data: data


class Modbus(Serial):
    def __init__(self, path: Path, kernel: Any = None) -> None:
        super().__init__(path)
        self.emulated = EmulatedMeter([(0, 0x60), (0x156, 0x14)], function=4)
        server = ModbusServer(self.line.far, self.emulated)
        self.closing.callback(server.close)
        options = {"model": "eastron-sdm630", "port": self.line.near, "timeout_s": 0.25}
        self.meter = make(self.bench, "M1", "modbus-meter", options)
        self.count(0)

    def count(self, kwh: int) -> None:
        super().count(kwh)
        self.emulated.put(0x48, "f", float(self.kwh))


class Sml(Serial):
    def __init__(self, path: Path, kernel: Any = None) -> None:
        super().__init__(path)
        self.silent = False
        self.meter = make(self.bench, "M1", "sml-meter", {"port": self.line.near})

    def refresh(self) -> None:
        if not self.silent:
            self.line.send(telegram(content(entry("1.8.0", self.kwh * 10_000))))
        super().refresh()

    def fail(self) -> None:
        self.silent = True

    def mend(self) -> None:
        self.silent = False


class D0(Serial):
    def __init__(self, path: Path, kernel: Any = None) -> None:
        super().__init__(path)
        self.head = D0Head(self.line, b"")
        self.closing.callback(self.head.close)
        self.meter = make(self.bench, "M1", "d0-meter", {"port": self.line.near})

    def refresh(self) -> None:
        self.head.data = f"1.8.0({self.kwh:07d}.000*kWh)\r\n".encode()
        super().refresh()


class S0(Rig):
    def __init__(self, path: Path, kernel: Any) -> None:
        super().__init__(path)
        self.kernel = kernel
        kernel.gpio.levels[PIN] = 1
        self.now_ns = 10**9
        options = {"pin": f"gpiochip0/{PIN}", "pulses_per_kwh": 10, "state_file": str(path / "count")}
        self.meter = make(self.bench, "M1", "s0-meter", options)

    def count(self, kwh: int) -> None:
        for _ in range(10 * kwh):
            for level in (0, 1):
                self.now_ns += 5_000_000_000  # 36 kW
                self.kernel.gpio.press(PIN, level, self.now_ns)

    def refresh(self) -> None:
        self.clock.tick(60.0)
        self.meter.poll(0.01)

    def fail(self) -> None:
        self.kernel.gpio.broken.add(PIN)

    def mend(self) -> None:
        self.kernel.gpio.broken.clear()


class Wired(Rig):
    """A real one; nobody can make it count or fail."""

    can_break = False

    def __init__(self, path: Path, kernel: Any = None) -> None:
        super().__init__(path)
        options = json.loads(os.environ[WIRED])
        self.bench.clock = SystemClock()
        self.meter = make(self.bench, "wired", options.pop("driver"), options)

    def refresh(self) -> None:
        self.meter.poll()


KINDS = {"simulated": Simulated, "modbus": Modbus, "sml": Sml, "d0": D0, "s0": S0, "wired": Wired}
