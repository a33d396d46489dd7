"""The time hal works with; whoever builds the hardware hands it in."""

from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A call that will come."""

    def cancel(self) -> None:
        """Forget the call; harmless when it has run already."""


class Clock(Protocol):
    """Monotonic time and timers."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        """Run `callback` in `delay` seconds."""
