"""Start values from the station file: [variables] and [keys]."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ocpp.device_model.definition import Definition, Mutability
from ocpp.device_model.entry import Entry
from ocpp.device_model.keys import KeyView
from ocpp.device_model.model import DeviceModel
from ocpp.errors import DeviceModelError

log = logging.getLogger(__name__)


def apply_start_values(
    model: DeviceModel, keys: KeyView, variables: Mapping[str, Any], key_values: Mapping[str, Any], *, new: bool
) -> list[str]:
    """Set what the station file says; gives what was skipped, in words.

    Everything applies when the state is `new`; on later starts only what is written `{ value = ..., always = true }`,
    and what is not kept over a restart.
    Read-only entries may be set; an unknown name makes a vendor variable or key; a value that does not fit is skipped.
    """
    skipped: list[str] = []
    for address, given in variables.items():
        _apply(skipped, address, given, new, partial(_set_variable, model, address))
    for name, given in key_values.items():
        _apply(skipped, f"key {name}", given, new, partial(_set_key, keys, name))
    for line in skipped:
        log.warning("start value skipped: %s", line)
    return skipped


def _apply(skipped: list[str], what: str, given: Any, new: bool, setter: Callable[[str, bool], None]) -> None:
    always = isinstance(given, Mapping) and bool(given.get("always", False))
    value = as_text(given.get("value", "") if isinstance(given, Mapping) else given)
    if isinstance(given, Mapping) and "value" not in given:
        skipped.append(f"{what}: the long form is {{ value = ..., always = true }}")
        return
    try:
        setter(value, new or always)
    except (DeviceModelError, ValueError) as error:
        skipped.append(f"{what} = {value!r}: {error}")


def as_text(value: Any) -> str:
    """A TOML value as OCPP writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(as_text(member) for member in value)
    return str(value)


def _set_variable(model: DeviceModel, address: str, value: str, apply: bool) -> None:
    try:
        entry = model.entry(address)
    except DeviceModelError:
        entry = _define_vendor_variable(model, address, value)
    if apply or not entry.definition.kept:
        model.set_inside(entry, value)


def _define_vendor_variable(model: DeviceModel, address: str, value: str) -> Entry:
    definition = Definition(mutability=Mutability.READ_WRITE, default=value)
    defect = definition.defect(value)
    if defect:
        raise DeviceModelError(defect)
    return model.define(address, definition, vendor=True)


def _set_key(keys: KeyView, name: str, value: str, apply: bool) -> None:
    if not keys.get([name])[0]:
        keys.add_vendor_key(name, value)
    if apply or not keys.kept(name):
        keys.set_inside(name, value)
