"""A charging station without hardware: EVs, meters, locks and readers that behave, behind the interfaces of real ones."""

from hal.simulated.station import SimulatedConnector, SimulatedEvse, SimulatedStation, SimulationOptions

__all__ = ["SimulatedConnector", "SimulatedEvse", "SimulatedStation", "SimulationOptions"]
