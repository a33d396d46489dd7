"""What is simulated: the station file's words, and the parts built from them."""

import msgspec

from hal.evse import Evse
from hal.simulated.parts import SimulatedContactor, SimulatedLock, SimulatedMeter, SimulatedPilot
from hal.simulated.vehicle import Vehicle


class SimulatedConnector(msgspec.Struct, frozen=True):
    """A connector to simulate."""

    max_current_a: float = 32.0
    phases: int = 3
    lock: bool = True


class SimulatedEvse(msgspec.Struct, frozen=True):
    """An EVSE to simulate."""

    connectors: tuple[SimulatedConnector, ...] = (SimulatedConnector(),)
    bay_sensor: bool = False
    iso15118: bool = False


class SimulationOptions(msgspec.Struct, frozen=True):
    """How the simulation behaves (the station file's [simulation])."""

    seed: int = 1
    keep_on_restart: bool = False
    meter_resets_on_plug: bool = False
    signed_meter: bool = False
    main_meter: bool = False


class EvseParts(msgspec.Struct):
    """The simulated parts of one EVSE, and the state they are in."""

    evse: Evse
    pilot: SimulatedPilot
    contactor: SimulatedContactor
    meter: SimulatedMeter
    locks: dict[int, SimulatedLock]
    plugged: int | None = None
    vehicle: Vehicle | None = None
    bay: bool = False
    out_of_service: set[int] = msgspec.field(default_factory=set)
    faults: dict[tuple[int, str], dict[str, str]] = msgspec.field(default_factory=dict)
