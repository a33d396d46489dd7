"""Pin maps of boards, as data: a TOML file each, and what a pin's name means on it."""

import re
import tomllib
from functools import cache
from importlib import resources

import msgspec

from hal.bus import gpio
from hal.errors import DriverError

GENERIC = "linux"

_LINE = re.compile(r"([A-Za-z0-9_.:-]+)/(\d{1,4})")
_DEVICE = re.compile(r"gpiochip\d+")


class Board(msgspec.Struct, frozen=True):
    """A board: `pins` maps names to "chip/line", `devices` are the usual buses ("i2c", "serial", "spi", "pwm").

    A chip is "gpiochip0" or its label, since kernels number the same chips differently.
    """

    name: str
    title: str
    pins: dict[str, str] = msgspec.field(default_factory=dict)
    devices: dict[str, str] = msgspec.field(default_factory=dict)
    notes: str = ""

    def line(self, pin: str) -> tuple[str, int]:
        """Chip device and line of a pin, by its name or as "gpiochip0/17". DriverError when there is no such pin."""
        found = _LINE.fullmatch(self.pins.get(pin, pin))
        if found is None:
            known = ", ".join(list(self.pins)[:8])
            hint = f"pins of {self.title} are {known}, …, or gpiochip0/17" if known else "write it as gpiochip0/17"
            raise DriverError(f"there is no pin {pin!r}; {hint}")
        chip, line = found[1], int(found[2])
        if _DEVICE.fullmatch(chip):
            return f"/dev/{chip}", line
        chips = gpio.chips()
        if chip not in chips:
            there = ", ".join(chips) or "none at all"
            raise DriverError(f"pin {pin} is on the GPIO chip {chip}, which this machine does not have; it has {there}")
        return chips[chip], line


def names() -> list[str]:
    """Every board there is a map for."""
    return sorted(
        each.name.removesuffix(".toml") for each in resources.files(__name__).iterdir() if each.name.endswith(".toml")
    )


@cache
def board(name: str) -> Board:
    """The board of that name; DriverError naming those there are."""
    if name not in names():
        raise DriverError(f"there is no board {name!r}; known are {', '.join(names())}")
    raw = tomllib.loads((resources.files(__name__) / f"{name}.toml").read_text("utf-8"))
    return Board(name, raw["title"], raw.get("pins", {}), raw.get("devices", {}), raw.get("notes", "").strip())
