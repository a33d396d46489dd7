"""Which faults can be simulated, and what they do to the parts of an EVSE."""

from hal.evse import CONTACTOR_FAULT, METER_FAULT
from hal.simulated.description import EvseParts

LOCK_FAILURE = "ConnectorLockFailure"
CONTACTOR_WELDED = "ContactorWelded"
CONTACTOR_STUCK = "ContactorStuck"
LOCK_JAMMED = "LockJammed"

HARDWARE_FAULTS = frozenset({CONTACTOR_WELDED, CONTACTOR_STUCK, LOCK_JAMMED})
"""The part misbehaves, and nobody says so: what it leads to is found and reported as on real hardware."""

LOCK_FAULTS = frozenset({LOCK_FAILURE, LOCK_JAMMED})
"""The lock neither closes nor opens; the first one is reported, too."""

FAULT_KINDS = frozenset(
    {
        "ConnectorLockFailure",
        "ContactorStuck",
        "ContactorWelded",
        "EVCommunicationError",
        "EmergencyStop",
        "GroundFailure",
        "HighTemperature",
        "InternalError",
        "LocalListConflict",
        "LockJammed",
        "OtherError",
        "OverCurrentFailure",
        "OverVoltage",
        "PowerMeterFailure",
        "PowerSwitchFailure",
        "ReaderFailure",
        "ResetFailure",
        "UnderVoltage",
        "WeakSignal",
    }
)
"""Error codes of OCPP 1.6, EmergencyStop for the button, and faults of parts."""

DANGEROUS_FAULTS = frozenset({"EmergencyStop", "GroundFailure", "OverCurrentFailure", "PowerSwitchFailure"})
"""While one of these is active, the hardware itself offers nothing, whatever it is told."""


def apply_fault(parts: EvseParts, kind: str, station_faults: set[str]) -> None:
    """Let the parts of an EVSE behave by the faults that are active; a fault of the station is one of all its EVSEs."""
    active = kind in station_faults or any(each == kind for _, each in parts.faults)
    switch_failed = CONTACTOR_FAULT in station_faults or any(each == CONTACTOR_FAULT for _, each in parts.faults)
    if kind in LOCK_FAULTS:
        everywhere = bool(LOCK_FAULTS & station_faults)
        connectors = {connector for connector, each in parts.faults if each in LOCK_FAULTS}
        for connector_id, lock in parts.locks.items():
            lock.broken = everywhere or not connectors.isdisjoint({0, connector_id})
    elif kind == METER_FAULT:
        parts.meter.broken = active
        parts.evse.meter_fault_known(active)
    elif kind in HARDWARE_FAULTS:
        parts.contactor.welded = parts.contactor.welded if kind != CONTACTOR_WELDED else active
        parts.contactor.stuck = parts.contactor.stuck if kind != CONTACTOR_STUCK else active
        if not active and not switch_failed:
            parts.evse.unblock(CONTACTOR_FAULT)
    elif kind in DANGEROUS_FAULTS and active:
        parts.evse.block(kind)
    elif kind in DANGEROUS_FAULTS:
        parts.evse.unblock(kind)
