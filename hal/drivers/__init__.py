"""Drivers by name. A driver is imported when the station file names it; others come from the entry points
`pilotwire.drivers` of installed distributions.
"""

from importlib import import_module, metadata

import msgspec

from hal.bench import Bench
from hal.errors import DriverError
from hal.parts import Options, Part

ENTRY_POINTS = "pilotwire.drivers"

BUILT_IN = {
    "d0-meter": "hal.drivers.d0_meter:D0Meter",
    "ds18b20": "hal.drivers.thermometers:Ds18b20",
    "gpio-bay": "hal.drivers.switches:Bay",
    "gpio-buzzer": "hal.drivers.gpio_lights:GpioBuzzer",
    "gpio-contactor": "hal.drivers.contactor:GpioContactor",
    "gpio-emergency-stop": "hal.drivers.switches:EmergencyStop",
    "gpio-leds": "hal.drivers.gpio_lights:GpioLeds",
    "gpio-rcm": "hal.drivers.rcm:GpioRcm",
    "gpio-tamper": "hal.drivers.switches:Tamper",
    "hd44780-i2c": "hal.drivers.hd44780:Hd44780",
    "keyboard-reader": "hal.drivers.keyboard_reader:KeyboardReader",
    "lm75": "hal.drivers.thermometers:Lm75",
    "modbus-meter": "hal.drivers.modbus_meter:ModbusMeter",
    "motor-lock": "hal.drivers.lock:MotorLock",
    "pca9685-leds": "hal.drivers.pca9685_leds:Pca9685Leds",
    "pilot": "hal.drivers.pilot:Pilot",
    "pn532-i2c": "hal.drivers.pn532:I2cPn532",
    "pn532-serial": "hal.drivers.pn532:SerialPn532",
    "proximity": "hal.drivers.proximity:Proximity",
    "rc522": "hal.drivers.rc522:Rc522",
    "s0-meter": "hal.drivers.s0_meter:S0Meter",
    "serial-front-end": "hal.drivers.front_end:SerialFrontEnd",
    "serial-reader": "hal.drivers.serial_reader:SerialReader",
    "sml-meter": "hal.drivers.sml_meter:SmlMeter",
    "ssd1306": "hal.drivers.ssd1306:Ssd1306",
    "tmp102": "hal.drivers.thermometers:Tmp102",
}
"""Name -> module and class."""


def names() -> list[str]:
    """Every driver that can be named."""
    return sorted({*BUILT_IN, *(each.name for each in metadata.entry_points(group=ENTRY_POINTS))})


def driver(name: str) -> type[Part]:
    """The class of a driver; DriverError naming those there are."""
    place = BUILT_IN.get(name)
    if place is not None:
        module, _, cls = place.partition(":")
        found: type[Part] = getattr(import_module(module), cls)
        return found
    for each in metadata.entry_points(group=ENTRY_POINTS, name=name):
        loaded = each.load()
        if not (isinstance(loaded, type) and issubclass(loaded, Part)):
            raise DriverError(f"{each.value} is no driver: it must be a class derived from hal.parts.Part")
        return loaded
    raise DriverError(f"there is no driver {name!r}; known are {', '.join(names())}")


def options_of(name: str, given: dict[str, object]) -> Options:
    """The driver's options, checked; DriverError says which one is wrong and what it must be."""
    try:
        return msgspec.convert(given, driver(name).options_type)
    except msgspec.ValidationError as error:
        raise DriverError(f"{name}: {error}") from error


def make(bench: Bench, owner: str, name: str, given: dict[str, object]) -> Part:
    """A part of that driver, under the name `owner`. Raises HardwareError."""
    cls = driver(name)
    return cls(bench.for_part(owner), options_of(name, given))
