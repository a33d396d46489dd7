"""What all meter drivers have in common: the newest reading, its age, checks, and what is logged when it fails."""

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterable
from typing import Annotated, ClassVar

from msgspec import Meta

from hal._native.metering import MAX_MEASURANDS, Sampler
from hal.bench import PartBench
from hal.errors import MeterError
from hal.interfaces import Quantity, Reading, SignedData
from hal.meters.checks import Plausibility
from hal.meters.quantities import POWER_IMPORT
from hal.parts import Options, Part, Role

SAMPLES = 300
"""Readings that are kept for averages: five minutes at one a second, 100 kB for a large meter."""

DEMAND_S = 900.0
"""Grid operators bill power as the average over a quarter of an hour by the clock."""

RECENT_S = 60.0
"""What people are shown the average of."""

Key = tuple[str, str | None]
"""Measurand and phase."""

log = logging.getLogger(__name__)


class MeterOptions(Options, frozen=True, kw_only=True):
    """What every meter driver takes."""

    max_power_w: Annotated[float, Meta(gt=0, le=1_000_000)] = 100_000.0
    """The most that can flow through the meter; a register that grows faster is an error."""
    max_age_s: Annotated[float, Meta(ge=1, le=30)] = 10.0
    """How long the newest reading serves while the meter does not answer. Longer than that is a fault."""


class MeterPart(Part):
    """See `hal.interfaces.Meter`. A driver calls `took` or `failed` in its bus's thread."""

    role = Role.METER
    options_type: ClassVar[type[Options]] = MeterOptions

    def __init__(self, bench: PartBench, options: MeterOptions, *, wall_clock: Callable[[], float] = time.time) -> None:
        super().__init__(bench, options)
        self._wall_clock = wall_clock
        self._places: dict[Key, int] = {}
        self._sampler: Sampler | None = None
        self._max_age_s = options.max_age_s
        self._plausibility = Plausibility(self.name, options.max_power_w)
        self._reading: Reading | None = None
        self._error = ""
        self._clock = bench.clock
        self.read_at = bench.clock.monotonic()
        """Monotonic time of the newest reading; before the first one, of the meter's making."""
        self.signed_start: SignedData | None = None
        self.signed_end: SignedData | None = None
        self.signed_now: SignedData | None = None

    def read(self) -> Reading:
        """The newest reading; MeterError when it is older than `max_age_s`, with what went wrong.

        Empty before the first one, as long as nothing has gone wrong.
        """
        reading = self._reading
        age = self._clock.monotonic() - self.read_at
        if age > self._max_age_s or (reading is None and self._error):
            raise MeterError(f"{self.name}: {self._error or f'no reading for {age:.0f} s'}")
        if reading is None:
            return Reading(())
        return Reading(reading.quantities, self.signed_start, self.signed_end, self.signed_now)

    @property
    def error(self) -> str:
        """What went wrong the last time; "" when nothing did."""
        return self._error

    def took(self, quantities: Iterable[Quantity]) -> bool:
        """The meter has answered; whether the reading can be right."""
        found = tuple(quantities)
        now = self._clock.monotonic()
        try:
            self._plausibility.check(found, now)
        except MeterError as error:
            self.failed(str(error))
            return False
        self._reading = Reading(found)
        self.read_at = now
        self._sample(found, now)
        if self._error:
            log.info("%s answers again", self.name)
            self._error = ""
        return True

    def failed(self, error: str) -> None:
        """The meter has not answered, or nonsense; logged when it begins, not again until `took` succeeds."""
        if not self._error:
            log.error("%s: %s", self.name, error)
        self._error = error

    def _sample(self, found: tuple[Quantity, ...], now: float) -> None:
        sampler = self._sampler
        if sampler is None or any((each.measurand, each.phase) not in self._places for each in found):
            keys = dict.fromkeys([*self._places, *((each.measurand, each.phase) for each in found)])
            self._places = {key: place for place, key in enumerate(list(keys)[:MAX_MEASURANDS])}
            self._sampler = sampler = Sampler(len(self._places), SAMPLES, DEMAND_S)
        row = [math.nan] * sampler.measurands
        for each in found:
            place = self._places.get((each.measurand, each.phase))
            if place is not None:
                row[place] = float(each.value)
        sampler.align(self._wall_clock() - now)
        sampler.add(row, now)

    def recent(self, measurand: str, phase: str | None = None, seconds: float = RECENT_S) -> tuple[float, float, float]:
        """Average, minimum and maximum of the newest `seconds`, `SAMPLES` readings at the most; LookupError for none."""
        place, sampler = self._places.get((measurand, phase)), self._sampler
        if place is not None and sampler is not None:
            count, average, low, high = sampler.window(place, self._clock.monotonic() - seconds)
            if count:
                return average, low, high
        raise LookupError(f"{self.name} has measured no {measurand} in the last {seconds:.0f} s")

    @property
    def demand_w(self) -> float | None:
        """The average power of the last full quarter of an hour by the wall clock, in W; None before there is one."""
        place, sampler = self._places.get((POWER_IMPORT, None)), self._sampler
        if place is None or sampler is None or not sampler.interval_whole:
            return None
        return sampler.interval(place)[1]

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        reading = self._reading
        shown = {
            f"{each.measurand} {each.phase or ''}".rstrip(): f"{each.value} {each.unit}".rstrip()
            for each in (reading.quantities if reading is not None else ())
        }
        with contextlib.suppress(LookupError):
            average, low, high = self.recent(POWER_IMPORT)
            shown["power, last minute"] = f"{average:.0f} W ({low:.0f} to {high:.0f})"
        if self.demand_w is not None:
            shown["power, last quarter of an hour"] = f"{self.demand_w:.0f} W"
        if self._error:
            shown["error"] = self._error
        return shown
