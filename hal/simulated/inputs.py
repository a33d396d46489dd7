"""What may be asked of the simulated meter; everything else gets a ValueError that says so."""

from typing import Any

MAX_ENERGY_WH = 1e12
MAX_POWER_W = 1e7
MAX_SIGNED_CHARS = 65536
"""More than any meter has, and than any OCPP version can carry."""


def check_meter(values: dict[str, Any]) -> None:
    """Settings of a meter: energy_wh, power_w, frozen, signed."""
    unknown = sorted(set(values) - {"energy_wh", "power_w", "frozen", "signed"})
    if unknown:
        raise ValueError(f"a meter has no {', '.join(unknown)}; allowed are energy_wh, power_w, frozen, signed")
    if not isinstance(values.get("frozen", False), bool):
        raise ValueError(f"frozen = {values['frozen']!r} must be true or false")
    if "energy_wh" in values:
        _check_number("energy_wh", values["energy_wh"], MAX_ENERGY_WH)
    if values.get("power_w") is not None:
        _check_number("power_w", values["power_w"], MAX_POWER_W)
    if values.get("signed") is not None:
        _check_signed(values["signed"])


def _check_number(name: str, value: Any, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"{name} = {value!r} must be a number from 0 to {most:.0f}")


def _check_signed(signed: Any) -> None:
    if not isinstance(signed, dict) or set(signed) - {"start", "end", "now", "public_key"}:
        raise ValueError(
            "signed must be an object with start, end, now and public_key, each a text or null; or null for the meter's own"
        )
    for name, value in signed.items():
        if value is not None and not (isinstance(value, str) and 0 < len(value) <= MAX_SIGNED_CHARS):
            raise ValueError(f"signed.{name} must be a text of 1 to {MAX_SIGNED_CHARS} characters, or null for none")
