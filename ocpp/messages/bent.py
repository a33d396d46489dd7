"""What was read in a tolerant way: each kind of it is logged once, and counted."""

import logging
from collections import Counter
from typing import Any

from ocpp.messages.diagnosis import shown

MAX_KINDS = 256
"""Kinds of bent things that are told apart; what comes beyond is counted together. A CSMS bends a handful."""

OTHERS = "others"

log = logging.getLogger(__name__)


class Bent:
    """Counts what was bent, by kind, and logs each kind once."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def note(self, message: str, path: str, what: str, value: Any = None) -> None:
        """One thing in an answer or call was read in a tolerant way."""
        kind = f"{message}{'.' if path else ''}{path}: {what}"
        if kind not in self._counts:
            if len(self._counts) >= MAX_KINDS:
                self._counts[OTHERS] += 1
                return
            log.warning("%s%s; taken as well as it can be, and told once", kind, f" ({shown(value)})" if value else "")
        self._counts[kind] += 1

    @property
    def counts(self) -> dict[str, int]:
        """How often, by kind."""
        return dict(self._counts)
