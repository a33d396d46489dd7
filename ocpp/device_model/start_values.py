"""Start values from the station file: [variables] and [keys]."""

import logging
from collections.abc import Mapping
from typing import Any

from ocpp.device_model.definition import Definition, Mutability
from ocpp.device_model.keys import KeyView
from ocpp.device_model.model import DeviceModel
from ocpp.errors import DeviceModelError

log = logging.getLogger(__name__)


def apply_start_values(
    model: DeviceModel, keys: KeyView, variables: Mapping[str, Any], key_values: Mapping[str, Any], *, new: bool
) -> list[str]:
    """Set what the station file says; gives what was skipped, in words.

    Everything applies when the state is `new`; on later starts only what is written `{ value = ..., always = true }`.
    Read-only entries may be set; an unknown name makes a vendor variable or key; a value that does not fit is skipped.
    """
    skipped: list[str] = []
    for address, given in variables.items():
        _apply(skipped, address, given, new, lambda value, address=address: _set_variable(model, address, value, new))
    for name, given in key_values.items():
        _apply(skipped, f"key {name}", given, new, lambda value, name=name: _set_key(keys, name, value, new))
    for line in skipped:
        log.warning("start value skipped: %s", line)
    return skipped


def _apply(skipped: list[str], what: str, given: Any, new: bool, setter: Any) -> None:
    always = isinstance(given, Mapping) and bool(given.get("always", False))
    value = as_text(given["value"] if isinstance(given, Mapping) else given)
    try:
        setter(value if new or always else None)
    except (DeviceModelError, ValueError) as error:
        skipped.append(f"{what} = {value!r}: {error}")


def as_text(value: Any) -> str:
    """A TOML value as OCPP writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(as_text(member) for member in value)
    return str(value)


def _set_variable(model: DeviceModel, address: str, value: str | None, new: bool) -> None:
    try:
        entry = model.entry(address)
    except DeviceModelError:
        entry = model.define(address, Definition(mutability=Mutability.READ_WRITE, default=value or ""), vendor=True)
    if value is not None:
        model.set_inside(entry, value)


def _set_key(keys: KeyView, name: str, value: str | None, new: bool) -> None:
    if not keys.get([name])[0]:
        keys.add_vendor_key(name, value or "")
    if value is not None:
        keys.set_inside(name, value)
