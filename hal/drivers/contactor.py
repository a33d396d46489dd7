"""A contactor on GPIO: coil, feedback contacts, minimum times, and a count of its operations."""

from typing import Annotated

from msgspec import Meta

from hal.bench import PartBench
from hal.errors import ContactorError, HardwareError
from hal.parts import Options, Part, Role

Seconds = Annotated[float, Meta(ge=0, le=60)]


class ContactorOptions(Options, frozen=True, kw_only=True):
    """Pins by the board's names. `feedback`: an auxiliary contact that closes with the power contacts."""

    coil: str
    inverted: bool = False
    feedback: str | None = None
    feedback_inverted: bool = False
    pause_s: Seconds = 0.5
    """How long the contactor stays open before it is closed again; spares coil and relay contacts."""


class GpioContactor(Part):
    """See `hal.interfaces.Contactor`. Opening is never delayed; closing within `pause_s` of opening is refused."""

    role = Role.CONTACTOR
    options_type = ContactorOptions

    def __init__(self, bench: PartBench, options: ContactorOptions) -> None:
        super().__init__(bench, options)
        self._options = options
        self._coil = bench.output(options.coil, inverted=options.inverted)
        self._feedback = (
            bench.input(options.feedback, inverted=options.feedback_inverted) if options.feedback is not None else None
        )
        self._energised = False
        self._opened_at = bench.clock.monotonic() - options.pause_s
        self.operations = 0
        """How often it was closed since the start."""

    def close(self) -> None:
        """Let current flow; ContactorError when the coil cannot be driven, or it was opened a moment ago."""
        if self._energised:
            return
        wait = self._opened_at + self._options.pause_s - self.bench.clock.monotonic()
        if wait > 0:
            raise ContactorError(f"{self.name} was opened a moment ago and may not close for another {wait:.1f} s")
        self._drive(True)
        self.operations += 1

    def open(self) -> None:
        """Interrupt."""
        if self._energised:
            self._opened_at = self.bench.clock.monotonic()
        self._drive(False)

    @property
    def closed(self) -> bool:
        """What the feedback contact says; without one, what the coil was told."""
        if self._feedback is None:
            return self._energised
        try:
            return self._feedback.read()
        except HardwareError as error:
            raise ContactorError(f"{self.name}: no feedback: {error}") from error

    def _drive(self, level: bool) -> None:
        try:
            self._coil.write(level)
        except HardwareError as error:
            raise ContactorError(f"{self.name}: {error}") from error
        self._energised = level

    def stop(self) -> None:
        """See `Part.stop`."""
        self.open()

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        told = "closed" if self._energised else "open"
        return {"told": told, "feedback": "closed" if self.closed else "open", "operations": str(self.operations)}
