"""The standard components and variables, a module per subject; `build` puts them into a model.

A row is an address and a definition. A later block adds a module here and names it in `TABLES`.
"""

from ocpp.device_model.definition import Definition
from ocpp.device_model.model import DeviceModel
from ocpp.device_model.standard import (
    absent,
    authorization,
    communication,
    display,
    internal,
    iso15118,
    local_list,
    metering,
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
    absent.TABLE,
    internal.TABLE,
)


def build(model: DeviceModel) -> None:
    """Define every standard variable of the controllers; those of the hardware come from `ocpp.device_model.hardware`."""
    for table in TABLES:
        for address, definition in table.items():
            model.define(address, definition)
    model.entry(f"{internal.CONTROLLER}/SupportedFeatureProfiles").getter = lambda: _profiles(model)


def _profiles(model: DeviceModel) -> str:
    present = [name for name, address in internal.PROFILES.items() if model.value(address) == "true"]
    return ",".join(["Core", *present, "RemoteTrigger"])
