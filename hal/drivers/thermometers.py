"""Thermometers: LM75 and TMP102 on I2C, DS18B20 on 1-wire by the kernel's driver."""

import logging
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta

from hal.bench import PartBench
from hal.derating import Derating
from hal.errors import BusError, DriverError, HardwareError
from hal.parts import Options, Part, Role
from hal.worker import BusThread

INTERVAL_S = 1.0

log = logging.getLogger(__name__)


class ThermometerOptions(Options, frozen=True, kw_only=True):
    """What every thermometer has."""

    limit_c: Annotated[float, Meta(ge=-40, le=125)] = 80.0
    """Above it nothing may flow."""
    hysteresis_c: Annotated[float, Meta(ge=0, le=30)] = 5.0
    """How far below the limit that ends; also that of the derating."""
    derating: tuple[tuple[float, float], ...] = ()
    """Points of °C and A, see `hal.derating`."""
    stale_s: Annotated[float, Meta(ge=2, le=300)] = 10.0
    """A temperature that was not measured for so long is not known."""


class Thermometer(Part):
    """See `hal.interfaces.Thermometer`. Drivers say how to `measure`, and in which `thread`."""

    role = Role.TEMPERATURE
    options_type: ClassVar[type[Options]] = ThermometerOptions

    def __init__(self, bench: PartBench, options: ThermometerOptions) -> None:
        super().__init__(bench, options)
        self._limit_c, self._hysteresis_c, self._stale_s = options.limit_c, options.hysteresis_c, options.stale_s
        self._derating = Derating(options.derating, options.hysteresis_c)
        self.changed: Callable[[], object] = lambda: None
        """Called in the sensor's thread when `most_a` is another."""
        self.most_a = math.inf
        """What may flow at this temperature, in A."""
        self.thread: BusThread | None = None
        self._celsius: float | None = None
        self._seen_at = bench.clock.monotonic()
        self._hot = False
        self._error = ""

    def measure(self) -> float:
        """The temperature in °C, however long that takes; BusError without a sound one."""
        raise NotImplementedError

    @property
    def celsius(self) -> float | None:
        """See `hal.interfaces.Thermometer`."""
        return self._celsius

    def sample(self) -> None:
        """Measure once; in the sensor's thread."""
        now = self.bench.clock.monotonic()
        try:
            self._celsius = self.measure()
        except HardwareError as error:
            self._fails(str(error))
            if now - self._seen_at <= self._stale_s:
                return
            self._celsius = None
        else:
            self._fails("")
            self._seen_at = now
        most = self._derating.limit(self._celsius)
        if most != self.most_a:
            self.most_a = most
            self.changed()

    def wrong(self, now: float) -> str:
        """Too hot, or not known for too long."""
        age = now - self._seen_at
        if age > self._stale_s:
            return f"no temperature for {age:.0f} s"
        celsius = self._celsius
        if celsius is None:
            return ""
        self._hot = celsius > self._limit_c - (self._hysteresis_c if self._hot else 0.0)
        return f"{celsius:.1f} °C" if self._hot else ""

    def _fails(self, error: str) -> None:
        if error and not self._error:
            log.error("%s: no temperature: %s", self.name, error)
        elif self._error and not error:
            log.info("%s: it measures again", self.name)
        self._error = error

    def start(self) -> None:
        """See `Part.start`."""
        (self.thread or self.bench.thread()).every(INTERVAL_S, self.sample)

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        found = {"temperature": "unknown" if self._celsius is None else f"{self._celsius:.1f} °C"}
        if self.most_a != math.inf:
            found["bound"] = f"{self.most_a:g} A"
        return found


class I2cOptions(ThermometerOptions, frozen=True, kw_only=True):
    """Where the chip is."""

    bus: str | None = None
    address: Annotated[int, Meta(ge=0x48, le=0x4F)] = 0x48


class Lm75(Thermometer):
    """LM75 and its many copies, and PCT2075: register 0 holds 9 to 11 bits, left-justified, in 1/256 °C."""

    options_type = I2cOptions
    configuration = b"\x00"
    """Register 1: converting all the time."""
    unused = 0x1F
    """Low bits that are always 0; a bus that is stuck high shows them."""

    def __init__(self, bench: PartBench, options: I2cOptions) -> None:
        super().__init__(bench, options)
        path = options.bus or bench.device("i2c")
        self._device = bench.i2c(path, options.address)
        self.thread = bench.thread(path)
        self._configured = False

    def measure(self) -> float:
        """See `Thermometer.measure`; a chip that failed is configured again."""
        try:
            if not self._configured:
                self._device.write(1, self.configuration)
                self._configured = True
            raw = int.from_bytes(self._device.read(0, 2), "big", signed=True)
        except BusError:
            self._configured = False
            raise
        if raw & self.unused:
            raise BusError(f"{self._device.name} gives no temperature: 0x{raw & 0xFFFF:04x}")
        return raw / 256.0


class Tmp102(Lm75):
    """TMP102, TMP112: 12 bits in the same form (SBOS397, section 7.5), four times a second."""

    configuration = b"\x60\xa0"
    unused = 0x0F
    """Bit 0 would be set in extended mode, which is not used."""


class Ds18b20Options(ThermometerOptions, frozen=True, kw_only=True):
    """`id`: that of the sensor, as the folders below /sys/bus/w1/devices are called."""

    id: str


class Ds18b20(Thermometer):
    """DS18B20 by the kernel's w1_therm driver, which takes most of a second and checks the CRC."""

    options_type = Ds18b20Options

    _ID = re.compile(r"[0-9a-f]{2}-[0-9a-f]{12}")
    _TEMPERATURE = re.compile(r"crc=[0-9a-f]{2} YES\b.*\bt=(-?\d{1,6})", re.DOTALL)
    RESET_C = 85.0
    """What a sensor shows that has lost its supply before it converted (data sheet, table 1); believed if it was hot before."""
    PLAUSIBLE_C = 5.0

    def __init__(self, bench: PartBench, options: Ds18b20Options) -> None:
        super().__init__(bench, options)
        if not self._ID.fullmatch(options.id):
            raise DriverError(f"{self.name}: {options.id!r} is no sensor; write it as 28-0123456789ab")
        bench.claim(f"1-wire sensor {options.id}")
        self._path = Path("/sys/bus/w1/devices") / options.id / "w1_slave"
        self.thread = bench.thread("1-wire")
        self._last = math.nan

    def measure(self) -> float:
        """See `Thermometer.measure`."""
        try:
            text = self._path.read_text("ascii", errors="replace")
        except OSError as error:
            raise BusError(f"{self._path.parent.name} does not answer: {error.strerror}") from error
        found = self._TEMPERATURE.search(text)
        if found is None:
            raise BusError(f"{self._path.parent.name}: the CRC is wrong")
        celsius = int(found[1]) / 1000.0
        if celsius == self.RESET_C and not abs(self._last - celsius) < self.PLAUSIBLE_C:
            raise BusError(f"{self._path.parent.name} was without supply")
        self._last = celsius
        return celsius
