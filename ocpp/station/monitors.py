"""The monitors of the station file."""

from decimal import Decimal
from typing import TYPE_CHECKING

from ocpp.charge_point import Monitor, MonitorType, Origin

if TYPE_CHECKING:
    from ocpp.station.configuration import Configuration


def monitors_of(configuration: "Configuration") -> list[Monitor]:
    """The monitors of the file, numbered behind those every station has: one each for the station, its EVSEs, its locks."""
    evses = configuration.evses
    standard = 1 + len(evses) + sum(connector.lock for evse in evses for connector in evse.connectors)
    return [
        Monitor(
            id=number,
            address=each["variable"],
            type=MonitorType(each["type"]),
            value=Decimal(str(each["value"])),
            severity=each["severity"],
            origin=Origin.HARD_WIRED if each["hard_wired"] else Origin.PRECONFIGURED,
        )
        for number, each in enumerate(configuration.monitors, standard + 1)
    ]
