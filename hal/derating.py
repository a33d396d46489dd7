"""Derating: less current where it is hot."""

import math
from collections.abc import Sequence
from itertools import pairwise

from hal.errors import DriverError

MAX_POINTS = 16


class Derating:
    """A curve of points (temperature in °C, current in A): straight lines between them, no bound below the first, that of
    the last one above it. Currents are rounded down to whole A.

    Falling temperatures lift the bound only after `hysteresis_c`, so that it does not follow every breath of wind.
    """

    def __init__(self, points: Sequence[tuple[float, float]], hysteresis_c: float = 2.0) -> None:
        """DriverError when it is not a curve that falls as it gets hotter."""
        if len(points) > MAX_POINTS:
            raise DriverError(f"a derating curve has {MAX_POINTS} points at the most")
        for (cooler, more), (hotter, less) in pairwise(points):
            if not (cooler < hotter and more >= less):
                raise DriverError(f"derating: after [{cooler:g}, {more:g}] comes a hotter point with no more current")
        if not all(math.isfinite(celsius) and 0 <= amperes < math.inf for celsius, amperes in points):
            raise DriverError("derating: points are temperatures in °C with currents from 0 A on")
        self._points = tuple(points)
        self._hysteresis_c = hysteresis_c
        self._felt = -math.inf

    def limit(self, celsius: float | None) -> float:
        """What may flow at that temperature, in A; inf without a bound. A temperature not known counts as the hottest."""
        if not self._points:
            return math.inf
        if celsius is None or math.isnan(celsius):
            return math.floor(self._points[-1][1])
        if celsius > self._felt:
            self._felt = celsius
        elif celsius < self._felt - self._hysteresis_c:
            self._felt = celsius + self._hysteresis_c
        return self._at(self._felt)

    def _at(self, celsius: float) -> float:
        if celsius < self._points[0][0]:
            return math.inf
        for (cooler, more), (hotter, less) in pairwise(self._points):
            if celsius < hotter:
                return math.floor(more + (less - more) * (celsius - cooler) / (hotter - cooler) + 1e-9)
        return math.floor(self._points[-1][1])
