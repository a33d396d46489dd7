"""Lights and buzzers that show what an EVSE does: LEDs on GPIO, LEDs on a PCA9685, a buzzer on GPIO."""

import logging
from typing import Annotated, Literal

from msgspec import Meta

from hal.bench import PartBench
from hal.chips.pca9685 import Pca9685
from hal.errors import DriverError, HardwareError
from hal.parts import Options, Part, Role
from hal.patterns import Effect, Light, Player, State, light, sound

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

DEFAULT_SOUNDS: dict[State, str] = {"Accepted": "beep", "Refused": "buzz", "PlugIn": "beep-beep"}

GAMMA = 2.2
"""Eyes see a fraction of the time to its power of 1 / 2.2."""

REFRESH_S = 2.0

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


class GpioLedOptions(LedOptions, frozen=True, kw_only=True):
    """`pins`: LED -> pin, by the board's names."""

    pins: Annotated[dict[LedName, str], Meta(min_length=1)]
    inverted: bool = False


class GpioLeds(Leds):
    """LEDs that are on or off."""

    options_type = GpioLedOptions

    def __init__(self, bench: PartBench, options: GpioLedOptions) -> None:
        super().__init__(bench, options, list(options.pins))
        self._lines = {led: bench.output(pin, inverted=options.inverted) for led, pin in options.pins.items()}
        self._on = dict.fromkeys(self._lines, False)

    def drive(self) -> None:
        """See `Leds.drive`."""
        try:
            for led, line in self._lines.items():
                on = self.levels[led] >= 0.5
                if on is not self._on[led] or self.problem:
                    line.write(on)
                    self._on[led] = on
        except HardwareError as error:
            self.failed(error)
        else:
            self.works()


class Pca9685LedOptions(LedOptions, frozen=True, kw_only=True):
    """`channels`: LED -> channel. `frequency_hz` is the whole chip's, which may carry a pilot as well."""

    channels: Annotated[dict[LedName, Annotated[int, Meta(ge=0, le=15)]], Meta(min_length=1)]
    bus: str | None = None
    address: Annotated[int, Meta(ge=0x03, le=0x77)] = 0x40
    frequency_hz: Annotated[float, Meta(ge=100, le=1500)] = 1000.0
    inverted: bool = False
    brightness: Annotated[float, Meta(gt=0, le=1)] = 1.0


class Pca9685Leds(Leds):
    """LEDs with brightness. The chip is told in its bus's thread, of several wishes the newest."""

    options_type = Pca9685LedOptions

    def __init__(self, bench: PartBench, options: Pca9685LedOptions) -> None:
        super().__init__(bench, options, list(options.channels))
        self._channels: dict[str, int] = {str(led): channel for led, channel in options.channels.items()}
        self._brightness, self._inverted = options.brightness, options.inverted
        path = options.bus or bench.device("i2c")
        self._thread = bench.thread(path)
        self._chip = Pca9685.of(bench, path, options.address, options.frequency_hz)
        self._shown: dict[str, float] = {}
        self._waiting = False
        for channel in options.channels.values():
            self._chip.claim(bench, channel, rest=1.0 if self._inverted else 0.0)
        self._write()

    def start(self) -> None:
        """See `Part.start`."""
        self._thread.every(REFRESH_S, self._refresh)

    def drive(self) -> None:
        """See `Leds.drive`."""
        if not self._waiting:
            self._waiting = True
            self._thread.soon(self._write)

    def stop(self) -> None:
        """See `Part.stop`: the chip darkens them when the bench closes."""
        self._player.stop()

    def _write(self) -> None:
        """In the bus's thread."""
        self._waiting = False
        try:
            for led, level in self.levels.items():
                if self._shown.get(led) != level:
                    fraction = self._brightness * level**GAMMA
                    self._chip.set(self._channels[led], 1.0 - fraction if self._inverted else fraction)
                    self._shown[led] = level
        except HardwareError as error:
            self._shown.clear()
            self.failed(error)
        else:
            self.works()

    def _refresh(self) -> None:
        """In the bus's thread."""
        try:
            self._chip.refresh()
        except HardwareError as error:
            self._shown.clear()
            self.failed(error)
        else:
            self._write()


class BuzzerOptions(Options, frozen=True, kw_only=True):
    """`pin` switches a buzzer with a tone of its own; `states`: state -> sound, in place of the default."""

    pin: str
    inverted: bool = False
    states: dict[State, str] = {}


class GpioBuzzer(Shows):
    """A buzzer that is on or off."""

    options_type = BuzzerOptions

    def __init__(self, bench: PartBench, options: BuzzerOptions) -> None:
        super().__init__(bench, options)
        self._sounds: dict[str, Effect] = {
            state: sound(text) for state, text in {**DEFAULT_SOUNDS, **options.states}.items()
        }
        self._line = bench.output(options.pin, inverted=options.inverted)

    def effect(self, state: str) -> Effect:
        """See `Shows.effect`."""
        return self._sounds.get(state, sound("silent"))

    def show(self, brightness: float) -> None:
        """See `Shows.show`."""
        try:
            self._line.write(brightness >= 0.5)
        except HardwareError as error:
            self.failed(error)
        else:
            self.works()

    def stop(self) -> None:
        """See `Part.stop`: silent."""
        self._player.stop()
        self.show(0.0)
