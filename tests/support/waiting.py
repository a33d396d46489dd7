"""Waiting for what a thread does."""

import time
from collections.abc import Callable

DEADLINE_S = 20.0
"""For things that take milliseconds; a loaded machine may take longer."""


def until(condition: Callable[[], object]) -> None:
    """Look every few milliseconds until it is so; fails the test when it takes too long."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)
