"""Frames of the peer that are refused: counted, told of now and then, and too many of them are the end of the connection."""

import logging
from collections.abc import Callable

MINUTE_S = 60.0

MAX_REFUSED_A_MINUTE = 1000
"""More come from no peer that is only mistaken: test suites that send nothing but mistakes stay far below."""

MAX_TOLD_A_MINUTE = 20
"""Refused frames that the log and the message history hold; what happened before a flood is not washed away by it."""

MAX_KEPT_BYTES = 2048
"""Of a refused frame in the message history."""

log = logging.getLogger(__name__)


class TooManyRefused(ConnectionError):
    """The peer sends what cannot be understood, faster than any mistake would."""


class Refusals:
    """The refused frames of one endpoint, by the minute."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._since = monotonic()
        self._in_minute = 0
        self.total = 0
        """Of all connections."""
        self.closed = 0
        """Connections that were closed because of them."""

    def note(self, why: str) -> bool:
        """A frame is refused; gives whether that is to be told. Raises TooManyRefused where it is one too many."""
        now = self._monotonic()
        if now - self._since >= MINUTE_S:
            if self._in_minute > MAX_TOLD_A_MINUTE:
                log.warning("%d more frames were refused than told of", self._in_minute - MAX_TOLD_A_MINUTE)
            self._since, self._in_minute = now, 0
        self._in_minute += 1
        self.total += 1
        if self._in_minute > MAX_REFUSED_A_MINUTE:
            self.closed += 1
            self._in_minute = 0
            log.error("more than %d frames refused within a minute; the connection is closed", MAX_REFUSED_A_MINUTE)
            raise TooManyRefused(f"more than {MAX_REFUSED_A_MINUTE} frames refused within a minute")
        told = self._in_minute <= MAX_TOLD_A_MINUTE
        log.log(logging.WARNING if told else logging.DEBUG, "frame refused: %s", why)
        return told
