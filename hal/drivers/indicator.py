"""What lights and buzzers have in common: they play an effect by the state that they are told to show."""

import logging
from typing import Literal

from hal.bench import PartBench
from hal.errors import DriverError, HardwareError
from hal.parts import Options, Part, Role
from hal.patterns import Effect, Light, Player, State, light

LedName = Literal["red", "green", "blue", "yellow", "white"]

DEFAULT_LIGHTS: dict[State, str] = {
    "Available": "green",
    "Authorizing": "blue fast",
    "Accepted": "green fast",
    "Refused": "red fast",
    "PlugIn": "green blink",
    "Charging": "blue breathe",
    "Suspended": "blue flash",
    "Finished": "blue",
    "Unavailable": "yellow",
    "Faulted": "red",
}
"""No norm says what they should be; where the LEDs for one are missing it is dark."""

log = logging.getLogger(__name__)


class Shows(Part):
    """See `hal.interfaces.Indicator`. A light that fails is logged once, and once when it works again."""

    role = Role.INDICATOR

    def __init__(self, bench: PartBench, options: Options) -> None:
        super().__init__(bench, options)
        self.state = ""
        self.problem = ""
        self._player = Player(bench.clock, self.show)

    def indicate(self, state: str) -> None:
        """See `Indicator.indicate`. What is played once is played again when it is told again."""
        effect = self.effect(state)
        if state == self.state and effect.repeats:
            return
        self.state = state
        self._player.play(effect)

    def effect(self, state: str) -> Effect:
        """What to play for a state."""
        raise NotImplementedError

    def show(self, brightness: float) -> None:
        """Be that bright, or loud."""
        raise NotImplementedError

    def failed(self, error: HardwareError) -> None:
        """It does not show what it should."""
        if not self.problem:
            log.error("%s: %s", self.name, error)
        self.problem = str(error)

    def works(self) -> None:
        """It does."""
        if self.problem:
            log.info("%s works again", self.name)
            self.problem = ""

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        return {"state": self.problem or "works", "shows": self.state}


def _lights(given: dict[State, str], leds: list[str], owner: str) -> dict[str, Light]:
    """State -> light; a default that these LEDs cannot show is left out, a given one is an error."""
    found: dict[str, Light] = {}
    for state, text in {**DEFAULT_LIGHTS, **given}.items():
        try:
            found[state] = light(text, leds)
        except DriverError as error:
            if state in given:
                raise DriverError(f"{owner}: {state}: {error}") from error
    return found


DARK = light("off", ())


class LedOptions(Options, frozen=True, kw_only=True):
    """`states`: state -> "colour" or "colour effect", in place of the default."""

    states: dict[State, str] = {}


class Leds(Shows):
    """What LEDs have in common, however they are driven: `levels` is what each of them is to be, from 0 to 1."""

    def __init__(self, bench: PartBench, options: LedOptions, leds: list[str]) -> None:
        super().__init__(bench, options)
        self._lights = _lights(options.states, leds, self.name)
        self.levels = dict.fromkeys(leds, 0.0)

    def effect(self, state: str) -> Effect:
        """See `Shows.effect`."""
        return self._lights.get(state, DARK).effect

    def show(self, brightness: float) -> None:
        """See `Shows.show`."""
        lit = self._lights.get(self.state, DARK).leds
        self.levels = {led: brightness if led in lit else 0.0 for led in self.levels}
        self.drive()

    def drive(self) -> None:
        """Let the LEDs be what `levels` says."""
        raise NotImplementedError

    def stop(self) -> None:
        """See `Part.stop`: dark."""
        self._player.stop()
        self.levels = dict.fromkeys(self.levels, 0.0)
        self.drive()
