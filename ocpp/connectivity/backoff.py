"""The wait between connection attempts (OCPP-J 2.x section 5.3; used for 1.6 as well)."""

import random
from collections.abc import Callable

MAX_WAIT_S = 24 * 3600.0
"""A wrongly configured back-off must not keep a station offline for more than a day."""


class Backoff:
    """Minimum wait, doubled with every failure up to a number of times, plus a new random part each time."""

    def __init__(
        self,
        minimum: Callable[[], float],
        random_range: Callable[[], float],
        repeat_times: Callable[[], int],
        rng: random.Random,
    ) -> None:
        self._minimum = minimum
        self._random_range = random_range
        self._repeat_times = repeat_times
        self._rng = rng
        self.failures = 0

    def reset(self) -> None:
        """A connection has proved itself: the next wait is the minimum again."""
        self.failures = 0

    def next(self) -> float:
        """Seconds to wait before the next attempt."""
        doublings = min(self.failures, max(0, self._repeat_times()))
        self.failures += 1
        wait = min(self._minimum() * float(2**doublings), MAX_WAIT_S)
        return wait + self._rng.uniform(0, max(0.0, self._random_range()))
