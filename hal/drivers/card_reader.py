"""What every card reader does, whatever it is connected to: presents cards once, and tells when it does not work."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Annotated

from msgspec import Meta

from hal.bench import PartBench
from hal.iso14443 import REMOVED_AFTER_S, Presence
from hal.parts import Options, Part, Role

STEP_S = 0.02
"""How often a reader has its turn in its bus's thread. A turn is short, so that others on the bus have theirs."""

RETRY_S = 1.0
"""How long a reader that failed is left alone before it is set up again."""

log = logging.getLogger(__name__)

Seconds = Annotated[float, Meta(ge=0.05, le=60)]


class ReaderOptions(Options, frozen=True, kw_only=True):
    """`removed_after_s`: how long a card has to be out of sight before it counts as taken away."""

    removed_after_s: Seconds = REMOVED_AFTER_S


class PollingOptions(ReaderOptions, frozen=True, kw_only=True):
    """`poll_s`: how often the reader looks for cards."""

    poll_s: Seconds = 0.2


def _nobody(value: str, token_type: str) -> None:
    pass


class CardReader(Part):
    """See `hal.interfaces.TokenReader`. Everything but `wrong` and `values` is for the reader's own thread."""

    role = Role.READER
    token_type = "ISO14443"
    polls = True
    """Whether it activates cards again and again itself: then a phone has another UID each time."""

    def __init__(self, bench: PartBench, options: ReaderOptions) -> None:
        super().__init__(bench, options)
        self.presented: Callable[[str, str], object] = _nobody
        self.problem = ""
        self.last = ""
        """The newest token."""
        self._presence = Presence(options.removed_after_s, randoms_are_one=self.polls)

    def wrong(self, now: float) -> str:
        """Why no card can be read, or ""; from any thread."""
        return self.problem

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        there = "lies there" if self._presence.present else "none"
        return {"state": self.problem or "works", "card": there, "newest token": self.last}

    def saw(self, text: str | None) -> None:
        """A poll that worked saw this card, or none."""
        self.works()
        new = self._presence.see(text, self.bench.clock.monotonic())
        if new is not None:
            self.last = new
            self.bench.to_loop(partial(self.presented, new, self.token_type))

    def works(self) -> None:
        """The reader works, as far as it can be known; logged when it did not."""
        if self.problem:
            log.info("%s works again", self.name)
            self.problem = ""

    def failed(self, error: Exception) -> None:
        """The reader does not work; logged once until it does again."""
        if not self.problem:
            log.error("%s: %s", self.name, error)
        self.problem = str(error)
