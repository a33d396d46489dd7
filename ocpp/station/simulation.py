"""The simulated parts of a station, from the station file's tables."""

from typing import TYPE_CHECKING

from hal.simulated import SimulatedConnector, SimulatedEvse, SimulatedStation, SimulationOptions

if TYPE_CHECKING:
    from hal.interfaces import EvControllerListener, EvseListener
    from ocpp.clock import Clock
    from ocpp.station.configuration import Configuration


def build(
    configuration: "Configuration", clock: "Clock", listener: "EvseListener", ev_listener: "EvControllerListener"
) -> SimulatedStation:
    """Parts for every EVSE of the file; those that speak ISO 15118 speak it to `ev_listener`."""
    options = configuration.simulation
    simulation = SimulatedStation(
        tuple(
            SimulatedEvse(
                tuple(SimulatedConnector(each.max_current_a, each.phases, each.lock) for each in evse.connectors),
                evse.bay_sensor,
                evse.iso15118,
            )
            for evse in configuration.evses
        ),
        clock=clock,
        listener=listener,
        state_dir=configuration.state_dir,
        options=SimulationOptions(
            options["seed"],
            options["keep_on_restart"],
            options["meter_resets_on_plug"],
            options["signed_meter"],
            configuration.station["main_meter"],
        ),
    )
    simulation.attach_iso15118(ev_listener)
    return simulation
