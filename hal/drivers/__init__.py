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
    "ds18b20": "hal.drivers.thermometers:Ds18b20",
    "gpio-contactor": "hal.drivers.contactor:GpioContactor",
    "gpio-rcm": "hal.drivers.rcm:GpioRcm",
    "lm75": "hal.drivers.thermometers:Lm75",
    "pilot": "hal.drivers.pilot:Pilot",
    "proximity": "hal.drivers.proximity:Proximity",
    "serial-front-end": "hal.drivers.front_end:SerialFrontEnd",
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
