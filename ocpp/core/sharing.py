"""The station's own limit shared by the EVSEs that charge (K04.FR.05): pure arithmetic.

Everything is a fraction of the station's limit as it would be for that EVSE alone, so that EVSEs with one phase and
with three can share one limit in W.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec


class Demand(msgspec.Struct, frozen=True):
    """What an EVSE may draw by its own limits, and below what charging makes no sense (K01.FR.21)."""

    most: float
    least: float = 0.0
    priority: int = 0
    """The driver's chargingPriority: the higher goes first where there is not enough for all (K03.FR.05)."""
    since: float = 0.0
    """When it began; of equal priority the first goes first."""
    sated: bool = False
    """Whether the EV has enough for now: those who want energy go first."""

    @property
    def floor(self) -> float:
        """What it needs to charge at all."""
        return min(self.least, self.most)


def share(demands: Sequence[Demand]) -> list[float]:
    """The fraction for each, together at most 1: equal ones, save that nobody gets more than they may draw.

    Where equal fractions would be too small to charge with, the last in order wait, rather than nobody charging.
    """
    order = sorted(range(len(demands)), key=lambda n: (demands[n].sated, -demands[n].priority, demands[n].since))
    while len(order) > 1 and sum(demands[n].floor for n in order) > 1.0:
        order.pop()
    level = _level([demands[n] for n in order])
    served = {n: min(demands[n].most, max(demands[n].floor, level)) for n in order}
    if len(order) == 1:
        served = {order[0]: min(demands[order[0]].most, 1.0)}
    return [served.get(n, 0.0) for n in range(len(demands))]


def _level(demands: Sequence[Demand]) -> float:
    """How high everybody's fraction may be, so that the sum is 1; beyond everybody's wishes when there is enough."""
    points = sorted({0.0, *(each.floor for each in demands), *(each.most for each in demands)})
    for below, above in pairwise(points):
        rising = [each for each in demands if each.floor <= below and each.most >= above]
        rest = sum(min(each.most, max(each.floor, below)) for each in demands if each not in rising)
        if rising and rest + len(rising) * above >= 1.0:
            return (1.0 - rest) / len(rising)
    return points[-1]
