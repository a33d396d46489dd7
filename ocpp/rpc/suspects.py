"""Messages with which connections die: they go last, and ever more seldom, so that everything else is told.

A CSMS, or a broker before it, may close the connection at a message that it does not know. Whoever sends that one first on
every connection tells nothing else any more.
"""

import logging
from collections.abc import Callable, Hashable

import msgspec

SUSPECT_AFTER = 2
"""Connections in a row that die while the same message is in flight; one may have been lost for any reason."""

FIRST_WAIT_S = 30.0
"""How long a suspect waits on a connection before it is tried again, doubled with every further connection that dies."""

MAX_WAIT_S = 24 * 3600.0
"""A CSMS that has learned the message since is told within a day."""

MAX_KNOWN = 64
"""Messages that are remembered; the oldest gives way. A CSMS that dies at more of them dies at everything."""

log = logging.getLogger(__name__)


class _Deaths(msgspec.Struct):
    count: int = 0
    not_before: float = 0.0


class Suspects:
    """What was in flight when connections died."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._deaths: dict[Hashable, _Deaths] = {}
        self._blamed: set[Hashable] = set()
        """What was in flight when the present connection died."""

    def died(self, key: Hashable, name: str) -> bool:
        """The connection died while that message was in flight; gives whether it is a suspect."""
        found = self._deaths.pop(key, None) or _Deaths()
        while len(self._deaths) >= MAX_KNOWN:
            del self._deaths[next(iter(self._deaths))]
        self._deaths[key] = found
        self._blamed.add(key)
        found.count += 1
        if found.count < SUSPECT_AFTER:
            return False
        wait = min(FIRST_WAIT_S * 2.0 ** min(found.count - SUSPECT_AFTER, 30), MAX_WAIT_S)
        found.not_before = self._monotonic() + wait
        log.warning(
            "%d connections in a row have died with %s in flight: it goes last, not before %.0f s",
            found.count,
            name,
            wait,
        )
        return True

    def ended(self) -> None:
        """The connection is over. Where it died of something else, a suspect has to wait no longer than for its turn: it may
        be the link that is bad.
        """
        for key, found in self._deaths.items():
            if key not in self._blamed:
                found.not_before = 0.0
        self._blamed.clear()

    def answered(self, key: Hashable) -> None:
        """The CSMS has answered that message: it does no harm."""
        if self._deaths:
            self._deaths.pop(key, None)

    def __contains__(self, key: Hashable) -> bool:
        """Whether that message goes last."""
        return bool(self._deaths) and key in self._deaths and self._deaths[key].count >= SUSPECT_AFTER

    def wait(self, key: Hashable) -> float:
        """Seconds until that message may be sent at all."""
        found = self._deaths.get(key)
        return max(0.0, found.not_before - self._monotonic()) if found is not None else 0.0
