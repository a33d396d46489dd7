"""LEDs and buzzers on GPIO, which are on or off."""

from typing import Annotated

from msgspec import Meta

from hal.bench import PartBench
from hal.drivers.indicator import LedName, LedOptions, Leds, Shows
from hal.errors import HardwareError
from hal.parts import Options
from hal.patterns import Effect, State, sound

DEFAULT_SOUNDS: dict[State, str] = {"Accepted": "beep", "Refused": "buzz", "PlugIn": "beep-beep"}


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
