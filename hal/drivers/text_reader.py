"""What readers that send text have in common: one turn after another in a thread of their own."""

import logging

from hal.bench import PartBench
from hal.drivers.card_reader import RETRY_S, CardReader
from hal.drivers.token_text import TextOptions, token
from hal.errors import HardwareError, ReaderError

log = logging.getLogger(__name__)


class TextReader(CardReader):
    """A reader that is silent is not known to be broken; one whose device is gone is."""

    polls = False

    def __init__(self, bench: PartBench, options: TextOptions) -> None:
        super().__init__(bench, options)
        self.token_type = options.token_type
        self._text_options = options
        self._noisy = False
        self._next_at = bench.clock.monotonic()

    def listen(self) -> list[str] | None:
        """The messages that have come; None when nothing came for a while. Waits a little; raises BusError."""
        raise NotImplementedError

    def reopen(self) -> None:
        """Open the device again; BusError while it is not there."""
        raise NotImplementedError

    def step(self) -> None:
        """One turn in the reader's thread. Raises nothing."""
        now = self.bench.clock.monotonic()
        if now < self._next_at:
            return
        try:
            if self.problem:
                self.reopen()
            messages = self.listen()
        except HardwareError as error:
            self.failed(error)
            self._next_at = now + RETRY_S
            return
        self.works()
        if messages is None:
            self.saw(None)
        for message in messages or ():
            self._heard(message)

    def _heard(self, message: str) -> None:
        """Noise is told once in a row, and is no fault."""
        try:
            self.saw(token(message, self._text_options))
            self._noisy = False
        except ReaderError as error:
            if not self._noisy:
                log.warning("%s: %s", self.name, error)
            self._noisy = True
