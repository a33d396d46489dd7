"""A contactor on GPIO: poles with coil and feedback, weld detection, minimum times, and a count of its operations."""

import logging
import math
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from hal.bench import PartBench
from hal.errors import ContactorBusy, ContactorError, HardwareError
from hal.parts import Options, Part, Role
from hal.registers import RegisterFile

Seconds = Annotated[float, Meta(ge=0, le=60)]

DISAGREES_S = 0.5
"""A feedback that disagrees with its coil for so long is wrong; an EVSE itself looks sooner, after a command."""

MAINS_GAP_S = 0.1
"""A detector of mains voltage that follows the half-waves is quiet for less."""

SYNC_S = 60.0
"""How often the counters are forced onto the disk."""

log = logging.getLogger(__name__)


class PoleOptions(Options, frozen=True, kw_only=True):
    """A coil and what it switches. Pins by the board's names."""

    coil: str
    inverted: bool = False
    feedback: str | None = None
    """An auxiliary contact that closes with the power contacts, or a detector of voltage behind them."""
    feedback_inverted: bool = False
    phases: Literal[1, 3] = 1
    """3: it is closed only where three phases are used."""


class ContactorOptions(PoleOptions, frozen=True, kw_only=True):
    """The first pole, and what belongs to all of them."""

    poles: Annotated[tuple[PoleOptions, ...], Meta(max_length=7)] = ()
    """Further poles: a second contactor in series, or that of L2 and L3."""
    mains: str | None = None
    """A detector of the voltage in front of the contactor."""
    mains_inverted: bool = False
    pause_s: Seconds = 0.5
    """How long the contactor stays open before it is closed again; spares coil and relay contacts."""
    cycle_s: Annotated[float, Meta(ge=0, le=600)] = 0.0
    """From one closing to the next at least: stands for a minimum on-time, since opening is never delayed."""
    counters: str | None = None
    """A file that keeps the numbers of operations over restarts."""


class GpioContactor(Part):
    """See `hal.interfaces.Contactor` and `PhaseSwitch`. Opening is never delayed; closing too soon raises ContactorBusy."""

    role = Role.CONTACTOR
    options_type = ContactorOptions

    def __init__(self, bench: PartBench, options: ContactorOptions) -> None:
        super().__init__(bench, options)
        self._options = options
        self._poles = [_Pole(bench, each) for each in (options, *options.poles)]
        self._mains = bench.input(options.mains, inverted=options.mains_inverted) if options.mains is not None else None
        self.switches_phases = any(pole.phases == 3 for pole in self._poles)
        self.phases = 3
        self._energised = False
        now = bench.clock.monotonic()
        self._opened_at = now - options.pause_s
        self._closed_at = -math.inf
        self._told_at = now
        self._agreed_at = now
        self._powered_at = now
        self._file: RegisterFile | None = None
        if options.counters is not None:
            self._keep_counters(Path(options.counters))

    # -- commands -------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let current flow; ContactorError when a coil cannot be driven, ContactorBusy for what is too soon."""
        if self._energised:
            return
        wait = self._wait_s()
        if wait > 0:
            raise ContactorBusy(f"{self.name} may not close again for another {wait:.1f} s", wait)
        self._closed_at = self._told_at = self.bench.clock.monotonic()
        self._energised = True
        for pole in self._used():
            self._drive(pole, True)
            pole.operations += 1
        self._note_counters()

    def _wait_s(self) -> float:
        options, now = self._options, self.bench.clock.monotonic()
        return max(self._opened_at + options.pause_s, self._closed_at + options.cycle_s) - now

    def open(self) -> None:
        """Interrupt, every pole, whatever fails on the way; ContactorError afterwards."""
        if self._energised:
            self._opened_at = self._told_at = self.bench.clock.monotonic()
        failed: ContactorError | None = None
        for pole in self._poles:
            try:
                self._drive(pole, False)
            except ContactorError as error:
                failed = error
        if failed is not None:
            raise failed
        self._energised = False

    def use(self, phases: int) -> None:
        """See `PhaseSwitch.use`."""
        if self._energised:
            raise ContactorError(f"{self.name}: phases are switched only while it is open")
        self.phases = 3 if phases != 1 else 1

    def _used(self) -> list["_Pole"]:
        return [pole for pole in self._poles if pole.phases <= self.phases]

    def _drive(self, pole: "_Pole", level: bool) -> None:
        try:
            pole.coil.write(level)
        except HardwareError as error:
            raise ContactorError(f"{self.name}: {error}") from error

    # -- what it shows --------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """What the feedback contacts say: closed when all that should be are, open when none is; else the one that lags.

        Without a feedback contact, what the coils were told.
        """
        if not self._energised:
            return any(self._shows(pole, False) for pole in self._poles)
        return all(self._shows(pole, True) for pole in self._used())

    def _shows(self, pole: "_Pole", told: bool) -> bool:
        if pole.feedback is None:
            return told
        try:
            return pole.feedback.read()
        except HardwareError as error:
            raise ContactorError(f"{self.name}: no feedback: {error}") from error

    def wrong(self, now: float) -> str:
        """A pole that has not done what it was told for `DISAGREES_S`, or "". Raises ContactorError without feedback."""
        energised = self._energised
        used = self._used() if energised else []
        strange = [pole for pole in self._poles if self._shows(pole, pole in used) is not (pole in used)]
        if not strange:
            self._agreed_at = now
        if not strange or now - max(self._agreed_at, self._told_at) < DISAGREES_S:
            return ""
        pole = strange[0]
        return f"{pole.coil.name} is open and should be closed" if pole in used else f"welded at {pole.coil.name}"

    def unpowered(self, now: float) -> str:
        """That there is no mains voltage in front of the contactor, or ""; also where nothing looks at it."""
        if self._mains is None:
            return ""
        if self._mains.read():
            self._powered_at = now
        return "no mains voltage" if now - self._powered_at > MAINS_GAP_S else ""

    # -- counters -------------------------------------------------------------------------------------------------

    def _keep_counters(self, path: Path) -> None:
        self.bench.claim(f"file {path}")
        self._file = self.bench.keep(file := RegisterFile(path), file.close)
        kept = self._file.open()
        for number, pole in enumerate(self._poles, 1):
            pole.operations = int(kept.get(number, 0))

    def _note_counters(self) -> None:
        if self._file is not None:
            for number, pole in enumerate(self._poles, 1):
                self._file.write(number, pole.operations)

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """See `Part.start`."""
        if self._file is not None:
            self.bench.thread().every(SYNC_S, self._file.sync)

    def stop(self) -> None:
        """See `Part.stop`."""
        self.open()

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        found = {
            "told": "closed" if self._energised else "open",
            "feedback": "closed" if self.closed else "open",
            "operations": ", ".join(str(pole.operations) for pole in self._poles),
        }
        if self.switches_phases:
            found["phases"] = str(self.phases)
        return found


class _Pole:
    def __init__(self, bench: PartBench, options: PoleOptions) -> None:
        self.coil = bench.output(options.coil, inverted=options.inverted)
        self.feedback = (
            bench.input(options.feedback, inverted=options.feedback_inverted) if options.feedback is not None else None
        )
        self.phases = options.phases
        self.operations = 0
        """How often it was closed, since the start or since the counters began."""
