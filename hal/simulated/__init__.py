"""A charging station without hardware: EVs, meters, locks and readers that behave, behind the interfaces of real ones."""

from hal.simulated.description import SimulatedConnector, SimulatedEvse, SimulationOptions
from hal.simulated.station import SimulatedStation

__all__ = ["SimulatedConnector", "SimulatedEvse", "SimulatedStation", "SimulationOptions"]
