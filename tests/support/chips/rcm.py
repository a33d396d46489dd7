"""An emulated residual current monitor on GPIO lines."""

from typing import Any


class Rcm:
    """Trips while there is leakage, or while its test input is high; `dead`: it does not, `stuck`: it never lets go."""

    def __init__(self, gpio: Any, trip: int, test: int) -> None:
        self._gpio, self._trip, self._test = gpio, trip, test
        self.dead = self.stuck = False
        self.tests = 0
        self.look()

    def leak(self, leaks: bool) -> None:
        self._gpio.levels[self._trip] = int(leaks and not self.dead)

    def look(self) -> None:
        """What it does about its test input now."""
        driven = bool(self._gpio.levels[self._test])
        if driven and not self.dead:
            self.tests += 1
            self._gpio.levels[self._trip] = 1
        elif not driven and not self.stuck:
            self._gpio.levels[self._trip] = 0
