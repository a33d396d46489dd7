"""The cable's coding resistor (IEC 61851-1:2017, table B.2): what it says about the current the cable carries."""

import math

BANDS = ((80.0, 140.0, 63.0), (164.0, 308.0, 32.0), (400.0, 936.0, 20.0), (1100.0, 2460.0, 13.0))
"""Ohms from and to, and A, around the nominal 100, 220, 680 and 1500 ohm. In between nothing is coded."""

SINGLE_PHASE_A = 70.0
"""What 100 ohm means on a single phase."""

NO_PLUG_OHM = 4500.0
"""More means that no plug is in."""


def rating_for(ohms: float, *, phases: int = 3) -> float | None:
    """What a cable with that resistor carries, in A; None where the resistance codes nothing (also: no plug, shorted)."""
    for low, high, amperes in BANDS:
        if low <= ohms <= high:
            return SINGLE_PHASE_A if phases == 1 and amperes == BANDS[0][2] else amperes
    return None


def no_plug(ohms: float) -> bool:
    """Whether so high a resistance means that no plug is in."""
    return ohms > NO_PLUG_OHM


def resistance(volts: float, *, supply_v: float, pull_up_ohm: float, parallel_ohm: float = math.inf) -> float:
    """The resistor from PP to earth in ohm, by the voltage at PP; infinite for an open contact, 0 for a short.

    PP is pulled up to `supply_v`; `parallel_ohm` is what the station itself has from PP to earth.
    """
    if not volts < supply_v:  # negated: what is no number counts as open, which allows nothing
        return math.inf
    total = max(0.0, volts) * pull_up_ohm / (supply_v - volts)
    if total >= parallel_ohm:
        return math.inf
    return total / (1.0 - total / parallel_ohm)
