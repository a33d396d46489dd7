"""The proximity contact of a socket outlet: what the cable in it carries (IEC 61851-1:2017, annex B)."""

import logging
import math
from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta

from hal.bench import PartBench
from hal.chips.adc import AdcInput
from hal.errors import HardwareError
from hal.parts import Options, Part, Role
from hal.proximity import no_plug, rating_for, resistance

INTERVAL_S = 0.1
CONFIRM = 2
"""Samples in a row that make a rating."""

STALE_S = 5.0
"""A rating that was not measured for so long is not known any more."""

log = logging.getLogger(__name__)


class ProximityOptions(Options, frozen=True, kw_only=True):
    """PP is pulled up to `supply_v` by `pull_up_ohm`; see docs/hal/drivers/pilot.md."""

    adc: AdcInput
    supply_v: Annotated[float, Meta(gt=0, le=12)] = 5.0
    pull_up_ohm: Annotated[float, Meta(gt=0)] = 1000.0
    parallel_ohm: Annotated[float, Meta(gt=0)] = math.inf
    """What the station itself has from PP to earth; none otherwise."""
    divider: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """How much of the voltage at PP is at the ADC's pin."""
    phases: Literal[1, 3] = 3
    """On one phase 100 ohm mean 70 A, on three 63 A."""


class Proximity(Part):
    """See `hal.interfaces.Proximity`. The ADC is read in the thread of its bus."""

    role = Role.PROXIMITY
    options_type = ProximityOptions

    def __init__(self, bench: PartBench, options: ProximityOptions) -> None:
        super().__init__(bench, options)
        self._options = options
        self._input = options.adc.open(bench)
        self.changed: Callable[[], object] = lambda: None
        """Called in the ADC's thread when the rating is another."""
        self.ohms = math.inf
        self._rating: float | None = None
        self._candidate: float | None = None
        self._seen = 0
        self._read_at = -math.inf
        self._error = ""
        self._strange = False

    @property
    def rating_a(self) -> float | None:
        """See `hal.interfaces.Proximity`; also None while the ADC fails for longer than `STALE_S`."""
        return self._rating

    def sample(self) -> None:
        """Measure once; in the ADC's thread."""
        now = self.bench.clock.monotonic()
        options = self._options
        try:
            volts = self._input.volts() / options.divider
        except HardwareError as error:
            self._fails(str(error))
            if now - self._read_at > STALE_S:
                self._become(None)
            return
        self._fails("")
        self._read_at = now
        self.ohms = resistance(
            volts, supply_v=options.supply_v, pull_up_ohm=options.pull_up_ohm, parallel_ohm=options.parallel_ohm
        )
        self._confirm(rating_for(self.ohms, phases=options.phases))

    def _confirm(self, found: float | None) -> None:
        self._seen = self._seen + 1 if found == self._candidate else 1
        self._candidate = found
        if self._seen < CONFIRM:
            return
        strange = found is None and not no_plug(self.ohms)
        if strange and not self._strange:
            log.warning("%s: %.0f ohm code no cable of table B.2: nothing is offered", self.name, self.ohms)
        self._strange = strange
        self._become(found)

    def _become(self, rating: float | None) -> None:
        if rating != self._rating:
            self._rating = rating
            self.changed()

    def _fails(self, error: str) -> None:
        if error and not self._error:
            log.error("%s: the cable's resistor is not seen: %s", self.name, error)
        elif self._error and not error:
            log.info("%s: the cable's resistor is seen again", self.name)
        self._error = error

    def start(self) -> None:
        """See `Part.start`."""
        self._input.thread.every(INTERVAL_S, self.sample)

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        resistor = "open" if no_plug(self.ohms) else f"{self.ohms:.0f} ohm"
        return {"resistor": resistor, "rating": "none" if self._rating is None else f"{self._rating:g} A"}
