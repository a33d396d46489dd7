"""The real parts of a station, from the station file's tables."""

import asyncio
from typing import TYPE_CHECKING, Any

from hal.boards import board
from hal.clock import Clock
from hal.drivers import options_of
from hal.errors import DriverError, HardwareError, PartsError
from hal.interfaces import EvseListener, PartDescription
from hal.priority import preferred
from hal.wired import WiredStation
from ocpp.errors import ConfigurationError

if TYPE_CHECKING:
    from ocpp.station.configuration import Configuration


def describe(
    number: int, values: dict[str, Any], options: dict[str, Any], board_name: str
) -> tuple[PartDescription, str]:
    """The part that a table describes, and what is wrong with its driver or options ("": nothing)."""
    described = PartDescription(
        name=values["name"] or f"{values['driver']} {number}",
        driver=values["driver"],
        evse=values["evse"],
        connector=values["connector"],
        options=options,
    )
    try:
        board(board_name)
        options_of(described.driver, options)
    except DriverError as error:
        return described, str(error)
    return described, ""


def build(configuration: "Configuration", clock: Clock, listener: EvseListener) -> WiredStation:
    """Open every part; call it in the event loop.

    Raises ConfigurationError for parts that are described wrongly, and PartsError for those that may turn up yet: both name
    every part that cannot be used.
    """
    preferred()
    try:
        return WiredStation(
            len(configuration.evses),
            configuration.parts,
            board=board(configuration.hardware["board"]),
            clock=clock,
            to_loop=asyncio.get_running_loop().call_soon_threadsafe,
            listener=listener,
            watchdog=configuration.hardware["watchdog"],
        )
    except PartsError as error:
        if error.wrong:
            raise ConfigurationError(str(error)) from error
        raise
    except HardwareError as error:
        raise ConfigurationError(str(error)) from error
