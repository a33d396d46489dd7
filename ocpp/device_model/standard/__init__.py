"""The standard components and variables, a module per subject; `build` puts them into a model.

A row is an address and a definition. A later block adds a module here and names it in `TABLES`.
"""

from ocpp.device_model.definition import Definition
from ocpp.device_model.entry import Handle
from ocpp.device_model.model import DeviceModel
from ocpp.device_model.standard import (
    authorization,
    communication,
    display,
    internal,
    iso15118,
    local_list,
    metering,
    monitoring,
    reservation,
    security,
    smart_charging,
    transactions,
)

Table = dict[str, Definition]

TABLES: tuple[Table, ...] = (
    communication.TABLE,
    security.TABLE,
    authorization.TABLE,
    local_list.TABLE,
    reservation.TABLE,
    smart_charging.TABLE,
    transactions.TABLE,
    metering.TABLE,
    display.TABLE,
    iso15118.TABLE,
    monitoring.TABLE,
    internal.TABLE,
)


def build(model: DeviceModel) -> None:
    """Define every standard variable of the controllers; those of the hardware come from `ocpp.device_model.hardware`."""
    for table in TABLES:
        for address, definition in table.items():
            model.define(address, definition)
    profiles = [(name, model.boolean(address)) for name, address in internal.PROFILES.items()]
    model.entry(f"{internal.CONTROLLER}/SupportedFeatureProfiles").getter = lambda: _present(profiles)


def _present(profiles: list[tuple[str, Handle[bool]]]) -> str:
    return ",".join(["Core", *(name for name, present in profiles if present.value), "RemoteTrigger"])
