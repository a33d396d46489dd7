"""What all meter drivers have in common: the newest reading, its age, checks, and what is logged when it fails."""

import logging
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from hal.bench import PartBench
from hal.errors import MeterError
from hal.interfaces import Quantity, Reading, SignedData
from hal.meters.checks import Plausibility
from hal.parts import Options, Part, Role

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
    options_type = MeterOptions

    def __init__(self, bench: PartBench, options: MeterOptions) -> None:
        super().__init__(bench, options)
        self._max_age_s = options.max_age_s
        self._plausibility = Plausibility(self.name, options.max_power_w)
        self._reading: Reading | None = None
        self._error = ""
        self._clock = bench.clock
        self.read_at = bench.clock.monotonic()
        """Monotonic time of the newest reading; before the first one, of the meter's making."""

    def read(self) -> Reading:
        """The newest reading; MeterError when it is older than `max_age_s`, with what went wrong.

        Empty before the first one, as long as nothing has gone wrong.
        """
        reading = self._reading
        age = self._clock.monotonic() - self.read_at
        if age > self._max_age_s or (reading is None and self._error):
            raise MeterError(f"{self.name}: {self._error or f'no reading for {age:.0f} s'}")
        return reading if reading is not None else Reading(())

    @property
    def error(self) -> str:
        """What went wrong the last time; "" when nothing did."""
        return self._error

    def took(
        self,
        quantities: Iterable[Quantity],
        *,
        signed_start: SignedData | None = None,
        signed_end: SignedData | None = None,
        signed_now: SignedData | None = None,
    ) -> bool:
        """The meter has answered; whether the reading can be right."""
        found = tuple(quantities)
        now = self._clock.monotonic()
        try:
            self._plausibility.check(found, now)
        except MeterError as error:
            self.failed(str(error))
            return False
        self._reading = Reading(found, signed_start, signed_end, signed_now)
        self.read_at = now
        if self._error:
            log.info("%s answers again", self.name)
            self._error = ""
        return True

    def failed(self, error: str) -> None:
        """The meter has not answered, or nonsense; logged when it begins, not again until `took` succeeds."""
        if not self._error:
            log.error("%s: %s", self.name, error)
        self._error = error

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        reading = self._reading
        shown = {
            f"{each.measurand} {each.phase or ''}".rstrip(): f"{each.value} {each.unit}".rstrip()
            for each in (reading.quantities if reading is not None else ())
        }
        if self._error:
            shown["error"] = self._error
        return shown
