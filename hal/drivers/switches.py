"""Contacts on GPIO: emergency stop, tamper contact, sensor of a parking bay."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from msgspec import Meta

from hal.bench import PartBench
from hal.bus.gpio import Line
from hal.debounce import Debounce
from hal.errors import HardwareError
from hal.parts import Options, Part, Role

Seconds = Annotated[float, Meta(ge=0, le=60)]

WAIT_S = 0.2
"""How long a thread waits for an edge before it looks at the level all the same."""

SETTLING_S = 0.01
"""The same while the contact bounces."""

log = logging.getLogger(__name__)


class ContactOptions(Options, frozen=True, kw_only=True):
    """`pin`: what the contact is connected to; `to`: what it connects the pin with when it is closed."""

    pin: str
    to: Literal["ground", "supply"] = "ground"
    bias: Literal["default", "pull_up", "pull_down", "disable"] | None = None
    """Without it the kernel is asked for the resistor that holds the pin while the contact is open."""


def _contact(bench: PartBench, options: ContactOptions, *, edge: str = "none") -> Line:
    """The line of a contact; true while it is closed."""
    ground = options.to == "ground"
    bias = options.bias or ("pull_up" if ground else "pull_down")
    return bench.input(options.pin, inverted=ground, bias=bias, edge=edge)


# -- emergency stop ---------------------------------------------------------------------------------------------------


class EmergencyStopOptions(ContactOptions, frozen=True, kw_only=True):
    """`settle_s`: how long the contact has to be open, `release_s`: closed, before it counts. The safety loop looks
    every 10 ms, so that the default asks for two looks in a row.
    """

    settle_s: Annotated[float, Meta(ge=0, le=0.1)] = 0.005
    release_s: Seconds = 0.5


class EmergencyStop(Part):
    """A contact that opens when the button is pressed; a broken wire counts as pressed, and so does a pin that fails.

    The safety loop reads the pin itself, through `wrong`: no other thread can be late.
    """

    role = Role.EMERGENCY_STOP
    options_type = EmergencyStopOptions

    def __init__(self, bench: PartBench, options: EmergencyStopOptions) -> None:
        super().__init__(bench, options)
        self._line = _contact(bench, options)
        self._settle_s, self._release_s = options.settle_s, options.release_s
        self._lock = threading.Lock()
        self._pressed = False
        self._other_since: float | None = None
        self.problem = ""

    @property
    def active(self) -> bool:
        """Whether it counts as pressed, as it was last seen."""
        return self._pressed

    def wrong(self, now: float) -> str:
        """ "" while the circuit is closed; from any thread, and at once."""
        try:
            pressed = not self._line.read()
            self.problem = ""
        except HardwareError as error:
            pressed, self.problem = True, str(error)
        with self._lock:
            self._see(pressed, now)
            if not self._pressed:
                return ""
        return self.problem or "the emergency stop is pressed, or its circuit is open"

    def _see(self, pressed: bool, now: float) -> None:
        if pressed == self._pressed:
            self._other_since = None
            return
        if self._other_since is None:
            self._other_since = now
        needed = self._settle_s if pressed else self._release_s
        if now - self._other_since >= needed or self.problem:
            self._pressed, self._other_since = pressed, None

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        return {"state": self.problem or ("pressed" if self._pressed else "released")}


# -- contacts that are told -------------------------------------------------------------------------------------------


class WatchedContactOptions(ContactOptions, frozen=True, kw_only=True):
    """`normally_closed`: it opens when there is something to tell; then a broken wire is told as well."""

    normally_closed: bool = False
    settle_s: Seconds = 0.1


class TamperOptions(WatchedContactOptions, frozen=True, kw_only=True):
    """A lid's contact is closed as long as the lid is."""

    normally_closed: bool = True


class BayOptions(WatchedContactOptions, frozen=True, kw_only=True):
    """`settle_s` is longer here: people walk by."""

    settle_s: Seconds = 2.0


class WatchedContact(Part):
    """A contact with a thread that waits for its edges. `changed` is called on the loop with whether it is active: when
    that changes, and at the start. A pin that fails leaves it as it was, and is logged.
    """

    options_type = WatchedContactOptions

    def __init__(self, bench: PartBench, options: WatchedContactOptions) -> None:
        super().__init__(bench, options)
        self.changed: Callable[[bool], object] = lambda active: None
        self._line = _contact(bench, options, edge="both")
        self._normally_closed = options.normally_closed
        self._settle_s = options.settle_s
        self._contact: Debounce | None = None
        self.problem = ""

    def start(self) -> None:
        """See `Part.start`."""
        self.bench.thread().every(SETTLING_S, self.step)

    @property
    def active(self) -> bool:
        """Whether it is opened or occupied, without bouncing; False before it was seen."""
        return self._contact is not None and self._contact.level

    def wrong(self, now: float) -> str:
        """Why its pin cannot be read, or ""."""
        return self.problem

    def step(self) -> None:
        """One turn in the contact's thread: waits for an edge, a little while."""
        try:
            if self._contact is not None:
                self._line.wait(SETTLING_S if self._contact.settling else WAIT_S)
            active = self._line.read() is not self._normally_closed
        except HardwareError as error:
            if not self.problem:
                log.error("%s: %s", self.name, error)
            self.problem = str(error)
            return
        if self.problem:
            log.info("%s works again", self.name)
            self.problem = ""
        if self._contact is None:
            self._contact = Debounce(self._settle_s, active)
            self._tell(active)
        elif self._contact.see(active, self.bench.clock.monotonic()):
            self._tell(active)

    def _tell(self, active: bool) -> None:
        self.bench.to_loop(partial(self.changed, active))

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        return {"state": self.problem or ("active" if self.active else "at rest")}


class Tamper(WatchedContact):
    """Opens with a lid or door. Told when it is opened, also at the start, and when it is closed again."""

    role = Role.TAMPER
    options_type = TamperOptions

    def _tell(self, active: bool) -> None:
        if active or self._told:
            self._told = active
            super()._tell(active)

    _told = False


class Bay(WatchedContact):
    """A sensor that says whether a vehicle stands in the bay."""

    role = Role.BAY
    options_type = BayOptions
