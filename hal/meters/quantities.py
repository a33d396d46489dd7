"""The quantities that meters measure: OCPP's names, the unit each one is told in, and what no value of it can exceed."""

from decimal import Decimal
from typing import NamedTuple

ENERGY_IMPORT = "Energy.Active.Import.Register"
POWER_IMPORT = "Power.Active.Import"

PHASES = frozenset({"L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"})


class Kind(NamedTuple):
    """The unit of a measurand, and the range outside of which a value is an error of the meter or of the bus."""

    unit: str
    low: Decimal
    high: Decimal


def _kind(unit: str, low: str, high: str) -> Kind:
    return Kind(unit, Decimal(low), Decimal(high))


_ENERGY = _kind("Wh", "0", "1e12")
_REACTIVE = _kind("varh", "0", "1e12")
_NET = _kind("Wh", "-1e12", "1e12")
_POWER = _kind("W", "-1e6", "1e6")
_CURRENT = _kind("A", "-2000", "2000")

KINDS = {
    ENERGY_IMPORT: _ENERGY,
    "Energy.Active.Export.Register": _ENERGY,
    "Energy.Active.Net": _NET,
    "Energy.Reactive.Import.Register": _REACTIVE,
    "Energy.Reactive.Export.Register": _REACTIVE,
    "Energy.Apparent.Import": _kind("VAh", "0", "1e12"),
    POWER_IMPORT: _POWER,
    "Power.Active.Export": _POWER,
    "Power.Reactive.Import": _kind("var", "-1e6", "1e6"),
    "Power.Reactive.Export": _kind("var", "-1e6", "1e6"),
    "Power.Factor": _kind("", "-1.01", "1.01"),
    "Current.Import": _CURRENT,
    "Current.Export": _CURRENT,
    "Voltage": _kind("V", "0", "1000"),
    "Frequency": _kind("Hz", "0", "100"),
    "Temperature": _kind("Celsius", "-60", "200"),
}
"""Generous: 1 MW and 2,000 A are beyond any station this drives."""
