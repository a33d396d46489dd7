"""Timers by name: each runs at most once at a time."""

from collections.abc import Callable

from ocpp.clock import Clock, Timer


class Timers:
    """What somebody waits for; scheduling a name again replaces what it waited for before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timers: dict[str, Timer] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._timers

    def schedule(self, name: str, delay: float, action: Callable[[], None]) -> None:
        """Run `action` once, `delay` seconds from now."""

        def run() -> None:
            del self._timers[name]
            action()

        self.cancel(name)
        self._timers[name] = self._clock.call_later(delay, run)

    def cancel(self, name: str) -> None:
        """Do not wait for it any longer."""
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def clear(self) -> None:
        """Wait for nothing."""
        for name in tuple(self._timers):
            self.cancel(name)
