"""Whether a reading can be right, judged by the readings before it."""

import logging
from collections.abc import Iterable
from decimal import Decimal

from hal.errors import MeterError
from hal.interfaces import Quantity
from hal.meters.quantities import ENERGY_IMPORT, KINDS, POWER_IMPORT

SLACK_WH = Decimal(1100)
"""By how much a register may jump whatever the time: some meters tell whole kWh only."""

CONFIRMATIONS = 10
"""Readings in a row that agree before a register that went back or jumped is believed: the meter was replaced or reset."""

STUCK_WH = Decimal(2000)
"""Energy that flows by the power readings while the register stands still before the register counts as stuck."""

STUCK_POWER_W = Decimal(500)
"""Less is not counted for that: below their starting current registers stand still, and no car charges with so little."""

log = logging.getLogger(__name__)


class Plausibility:
    """Of one meter. `max_power_w` is the most that can flow through it; a register that grows faster is not believed."""

    def __init__(self, name: str, max_power_w: float) -> None:
        self._name = name
        self._max_power_w = Decimal(str(max_power_w))
        self._energy: Decimal | None = None
        self._energy_at = 0.0
        self._doubted: Decimal | None = None
        self._agreed = 0
        self._unmoved_wh = Decimal(0)
        self._seen_at: float | None = None

    def check(self, quantities: Iterable[Quantity], at: float) -> None:
        """A new reading, taken at monotonic time `at`; MeterError says what cannot be right about it.

        A smaller energy is never passed on without an error in the log: it is refused, until the meter has insisted
        for `CONFIRMATIONS` readings.
        """
        power = Decimal(0)
        energy: Decimal | None = None
        for each in quantities:
            _in_range(each)
            if each.phase is None and each.location is None:
                if each.measurand == ENERGY_IMPORT:
                    energy = each.value
                elif each.measurand == POWER_IMPORT:
                    power = each.value
        if energy is None:
            raise MeterError("the reading has no energy register")
        self._check_energy(energy, at)
        self._check_movement(energy, power, at)
        self._energy, self._energy_at = energy, at

    def _check_energy(self, energy: Decimal, at: float) -> None:
        before = self._energy
        if before is None:
            return
        allowed = self._max_power_w * Decimal(str(max(at - self._energy_at, 0.0))) / 3600 + SLACK_WH
        if before <= energy <= before + allowed:
            self._doubted, self._agreed = None, 0
            return
        agrees = self._doubted is not None and self._doubted <= energy <= self._doubted + allowed
        self._doubted, self._agreed = energy, self._agreed + 1 if agrees else 1
        wrong = f"went back from {before} to {energy} Wh" if energy < before else f"jumped from {before} to {energy} Wh"
        if self._agreed < CONFIRMATIONS:
            raise MeterError(f"the energy register {wrong}")
        log.error("%s: the energy register %s and stays there: it is believed from now on", self._name, wrong)
        self._doubted, self._agreed = None, 0

    def _check_movement(self, energy: Decimal, power: Decimal, at: float) -> None:
        elapsed = Decimal(str(at - self._seen_at)) if self._seen_at is not None else Decimal(0)
        self._seen_at = at
        if energy != self._energy or power < STUCK_POWER_W:
            self._unmoved_wh = Decimal(0)
            return
        self._unmoved_wh += power * elapsed / 3600
        if self._unmoved_wh > STUCK_WH:
            raise MeterError(f"the energy register stands at {energy} Wh though {power} W flow")


def _in_range(quantity: Quantity) -> None:
    value = quantity.value
    kind = KINDS.get(quantity.measurand)
    if not value.is_finite() or (kind is not None and not kind.low <= value <= kind.high):
        phase = f" {quantity.phase}" if quantity.phase else ""
        raise MeterError(f"{quantity.measurand}{phase} cannot be {value} {quantity.unit}".rstrip())
