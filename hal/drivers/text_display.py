"""What displays have in common: they show pages in turn, and are set up again when they fail."""

import logging
import time
from collections.abc import Collection
from typing import Annotated

from msgspec import Meta

from hal.bench import PartBench
from hal.errors import HardwareError
from hal.pages import pages, spelled
from hal.parts import Options, Part, Role

STEP_S = 0.05
"""How often a display has its turn in its bus's thread: it writes a line at the most, so that others have theirs."""

RETRY_S = 2.0
"""How long a display that failed is left alone before it is set up again."""

SET_UP_AGAIN_S = 60.0
"""How often it is set up again though nothing failed: a dip of its supply, or a spike, goes unnoticed otherwise."""

log = logging.getLogger(__name__)


class DisplayOptions(Options, frozen=True, kw_only=True):
    """`page_s`: how long a page is shown before the next."""

    page_s: Annotated[float, Meta(ge=0.5, le=60)] = 4.0


class TextDisplay(Part):
    """See `hal.interfaces.Display`. `show` returns at once; everything else happens in the bus's thread."""

    role = Role.DISPLAY

    def __init__(self, bench: PartBench, options: DisplayOptions, columns: int, rows: int, thread: str) -> None:
        super().__init__(bench, options)
        self._page_s = options.page_s
        self._columns, self._rows = columns, rows
        self._thread = thread
        self._shown: list[str | None] = [None] * rows
        """What the display shows in each row; None: not known."""
        self._pages = pages((), columns, rows)
        self._since = bench.clock.monotonic()
        self._set_up_at: float | None = None
        self._next_at = self._since
        self.problem = ""

    # -- what displays do -----------------------------------------------------------------------------------------

    def known(self) -> Collection[str]:
        """The characters that it has."""
        raise NotImplementedError

    def set_up(self) -> None:
        """Set it up, whatever state it is in; raises BusError."""
        raise NotImplementedError

    def write(self, row: int, text: str) -> None:
        """Write a whole row; raises BusError."""
        raise NotImplementedError

    # -- the interface --------------------------------------------------------------------------------------------

    def show(self, texts: tuple[str, ...]) -> None:
        """See `Display.show`."""
        known = self.known()
        found = pages(tuple(spelled(text, known) for text in texts), self._columns, self._rows)
        if found != self._pages:
            self._since = self.bench.clock.monotonic()
            self._pages = found

    def start(self) -> None:
        """See `Part.start`."""
        self.bench.thread(self._thread).every(STEP_S, self.step)

    @property
    def page(self) -> tuple[str, ...]:
        """The page whose turn it is."""
        shown = self._pages
        return shown[int((self.bench.clock.monotonic() - self._since) / self._page_s) % len(shown)]

    def step(self) -> None:
        """One turn in the bus's thread. Raises nothing."""
        now = self.bench.clock.monotonic()
        if now < self._next_at:
            return
        try:
            if self._set_up_at is None or now - self._set_up_at >= SET_UP_AGAIN_S:
                self.set_up()
                self._set_up_at = now
                self._shown = [None] * self._rows
            else:
                self._write_a_row()
        except HardwareError as error:
            if not self.problem:
                log.error("%s: %s", self.name, error)
            self.problem = str(error)
            self._set_up_at = None
            self._next_at = now + RETRY_S
            return
        if self.problem:
            log.info("%s works again", self.name)
            self.problem = ""

    def _write_a_row(self) -> None:
        for row, text in enumerate(self.page):
            if self._shown[row] != text:
                self.write(row, text)
                self._shown[row] = text
                return

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        return {"state": self.problem or "works", "shows": " | ".join(line.strip() for line in self.page)}


def pause(seconds: float) -> None:
    """Wait for a display's controller, in the bus's thread: a few milliseconds."""
    time.sleep(seconds)
