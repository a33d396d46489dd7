"""What lights and buzzers do over time: colours and effects by name, and a player for them."""

import math
from collections.abc import Callable, Collection
from typing import Literal

import msgspec

from hal.clock import Clock, Timer
from hal.errors import DriverError

State = Literal[
    "Available",
    "Authorizing",
    "Accepted",
    "Refused",
    "PlugIn",
    "Charging",
    "Suspended",
    "Finished",
    "Unavailable",
    "Faulted",
]
"""What an indicator is told to show; see `hal.interfaces.Indicator`."""

MIXTURES: dict[str, frozenset[str]] = {
    "red": frozenset({"red"}),
    "green": frozenset({"green"}),
    "blue": frozenset({"blue"}),
    "yellow": frozenset({"red", "green"}),
    "cyan": frozenset({"green", "blue"}),
    "magenta": frozenset({"red", "blue"}),
    "white": frozenset({"red", "green", "blue"}),
    "off": frozenset(),
}
"""Colours that red, green and blue LEDs make together."""


class Effect(msgspec.Struct, frozen=True):
    """Steps of seconds and brightness (0 to 1), again and again or once; after that the brightness stays."""

    steps: tuple[tuple[float, float], ...]
    repeats: bool = True


BREATH_S, BREATH_STEPS = 3.0, 30

LIGHTS = {
    "steady": Effect(((0.0, 1.0),), repeats=False),
    "blink": Effect(((0.5, 1.0), (0.5, 0.0))),
    "fast": Effect(((0.125, 1.0), (0.125, 0.0))),
    "flash": Effect(((0.1, 1.0), (1.9, 0.0))),
    "breathe": Effect(
        tuple(
            (BREATH_S / BREATH_STEPS, (1.0 - math.cos(2.0 * math.pi * step / BREATH_STEPS)) / 2.0)
            for step in range(BREATH_STEPS)
        )
    ),
}
"""What a light does; where it can only be on or off, half the brightness is on."""

SOUNDS = {
    "silent": Effect(((0.0, 0.0),), repeats=False),
    "beep": Effect(((0.1, 1.0), (0.0, 0.0)), repeats=False),
    "beep-beep": Effect(((0.1, 1.0), (0.1, 0.0), (0.1, 1.0), (0.0, 0.0)), repeats=False),
    "buzz": Effect(((0.8, 1.0), (0.0, 0.0)), repeats=False),
    "alarm": Effect(((0.3, 1.0), (0.7, 0.0))),
}
"""What a buzzer does."""


class Light(msgspec.Struct, frozen=True):
    """LEDs by name, and what they do together."""

    leds: frozenset[str]
    effect: Effect


def light(text: str, leds: Collection[str]) -> Light:
    """What "green", "blue breathe" or "off" means where there are these LEDs. DriverError says what can be named."""
    colour, _, effect = text.partition(" ")
    if (effect or "steady") not in LIGHTS:
        raise DriverError(f"{text!r}: a light can be {', '.join(LIGHTS)}, written behind its colour")
    wanted = frozenset({colour}) if colour in leds else MIXTURES.get(colour)
    if wanted is None:
        raise DriverError(f"{text!r}: there is no colour {colour!r}; known are {', '.join(MIXTURES)}")
    if not wanted <= set(leds):
        raise DriverError(f"{text!r} needs LEDs that are not there: {', '.join(sorted(wanted - set(leds)))}")
    return Light(wanted, LIGHTS[effect or "steady"])


def sound(text: str) -> Effect:
    """What a buzzer is told by name. DriverError says what can be named."""
    found = SOUNDS.get(text)
    if found is None:
        raise DriverError(f"there is no sound {text!r}; known are {', '.join(SOUNDS)}")
    return found


class Player:
    """Plays one effect at a time on the event loop; `show` gets every brightness and must return at once."""

    def __init__(self, clock: Clock, show: Callable[[float], object]) -> None:
        self._clock = clock
        self._show = show
        self._timer: Timer | None = None

    def play(self, effect: Effect) -> None:
        """Play this from its beginning, instead of what is played."""
        self.stop()
        self._step(effect, 0)

    def stop(self) -> None:
        """Leave the brightness as it is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _step(self, effect: Effect, index: int) -> None:
        seconds, brightness = effect.steps[index]
        self._show(brightness)
        following = index + 1
        if following == len(effect.steps):
            if not effect.repeats:
                return
            following = 0
        self._timer = self._clock.call_later(seconds, lambda: self._step(effect, following))
