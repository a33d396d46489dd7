"""OBIS codes (IEC 62056-61): which of them are OCPP's measurands, and in what unit."""

from collections.abc import Iterable
from decimal import Decimal

from hal.interfaces import Quantity
from hal.meters.quantities import KINDS
from hal.meters.register_map import DIRECTIONS

SIGNED = "signed"


def _codes() -> dict[str, tuple[str, str | None, str]]:
    """C.D.E -> measurand, phase, and whether the sign gives the direction. C is 20 higher with each phase."""
    found: dict[str, tuple[str, str | None, str]] = {
        "1.8.0": ("Energy.Active.Import.Register", None, ""),
        "2.8.0": ("Energy.Active.Export.Register", None, ""),
        "3.8.0": ("Energy.Reactive.Import.Register", None, ""),
        "4.8.0": ("Energy.Reactive.Export.Register", None, ""),
        "1.7.0": ("Power.Active.Import", None, ""),
        "2.7.0": ("Power.Active.Export", None, ""),
        "3.7.0": ("Power.Reactive.Import", None, ""),
        "4.7.0": ("Power.Reactive.Export", None, ""),
        "13.7.0": ("Power.Factor", None, ""),
        "14.7.0": ("Frequency", None, ""),
        "16.7.0": ("Power.Active.Import", None, SIGNED),
    }
    for phase, name in ((1, "L1"), (2, "L2"), (3, "L3")):
        base = 20 * phase
        found[f"{base + 1}.8.0"] = ("Energy.Active.Import.Register", name, "")
        found[f"{base + 2}.8.0"] = ("Energy.Active.Export.Register", name, "")
        found[f"{base + 1}.7.0"] = ("Power.Active.Import", name, "")
        found[f"{base + 2}.7.0"] = ("Power.Active.Export", name, "")
        found[f"{base + 11}.7.0"] = ("Current.Import", name, "")
        found[f"{base + 12}.7.0"] = ("Voltage", f"{name}-N", "")
        found[f"{base + 13}.7.0"] = ("Power.Factor", name, "")
        found[f"{base + 16}.7.0"] = ("Power.Active.Import", name, SIGNED)
    return found


CODES = _codes()

DLMS_UNITS = {27: "W", 29: "var", 30: "Wh", 32: "varh", 33: "A", 35: "V", 44: "Hz", 255: ""}
"""Codes of IEC 62056-62 -> unit."""


def quantities(values: Iterable[tuple[str, Decimal, str]]) -> list[Quantity]:
    """What a station uses of (code, value, unit) that a meter tells; each quantity once, the first of two.

    Codes without a measurand, and values in a unit that is not their measurand's, are left out.
    """
    found: dict[tuple[str, str | None], Quantity] = {}
    for code, value, unit in values:
        measurand, phase, kind = CODES.get(code, ("", None, ""))
        if not measurand or KINDS[measurand].unit != unit:
            continue
        if kind == SIGNED:
            opposite = DIRECTIONS[measurand]
            found.setdefault((opposite, phase), Quantity(opposite, max(-value, Decimal(0)), unit, phase))
            value = max(value, Decimal(0))
        found.setdefault((measurand, phase), Quantity(measurand, value, unit, phase))
    return list(found.values())
