"""The components of the configured hardware: charging station, EVSEs, connectors."""

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from ocpp.device_model.definition import Attribute, DataType, Definition
from ocpp.device_model.model import DeviceModel
from ocpp.device_model.standard.rows import RO, boolean, integer, option, text

AVAILABILITY_STATES = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")
NOMINAL_VOLTAGE_V = 230.0


PHASE_ROTATIONS = ("RST", "RTS", "SRT", "STR", "TRS", "TSR", "Rxx", "xSx", "xxT", "RSx", "xST", "RxT")
"""R, S and T are the phases of the grid, x is not connected."""


class ConnectorDescription(msgspec.Struct, frozen=True):
    """A connector as built."""

    type: str = "cType2"
    max_current_a: float = 32.0
    phases: int = 3
    lock: bool = True
    phase_rotation: str = ""
    """How its phases are wired, relative to the grid connection; "" where nobody has said it."""


class EvseDescription(msgspec.Struct, frozen=True):
    """An EVSE as built."""

    connectors: tuple[ConnectorDescription, ...] = (ConnectorDescription(),)
    bay_sensor: bool = False
    display: bool = False
    iso15118: bool = False
    signed_meter: bool = False


class StationDescription(msgspec.Struct, frozen=True):
    """A charging station as built."""

    vendor: str
    model: str
    serial_number: str = ""
    firmware_version: str = ""
    evses: tuple[EvseDescription, ...] = (EvseDescription(),)
    nominal_voltage_v: float = NOMINAL_VOLTAGE_V
    identity: str = ""
    display: bool = True
    network_slots: tuple[int, ...] = msgspec.field(default=(1, 2, 3))


def _fixed(value: str, data_type: DataType = DataType.STRING, **more: object) -> Definition:
    return Definition(data_type=data_type, default=value, constant=True, **more)  # type: ignore[arg-type]


def _state() -> Definition:
    return option("Available", AVAILABILITY_STATES, RO, persistent=False)


def _problem() -> Definition:
    return boolean(False, RO, persistent=False)


def define_hardware(model: DeviceModel, station: StationDescription, now: Callable[[], str]) -> None:
    """Define what the station consists of; `now` gives the time for ClockCtrlr.DateTime."""
    phases = max((connector.phases for evse in station.evses for connector in evse.connectors), default=1)
    model.define("ChargingStation/AvailabilityState", _state())
    model.define("ChargingStation/Available", boolean(True, RO, constant=True))
    model.define("ChargingStation/Problem", _problem())
    model.define("ChargingStation/Model", _fixed(station.model, high=20))
    model.define("ChargingStation/VendorName", _fixed(station.vendor, high=50))
    model.define("ChargingStation/SerialNumber", _fixed(station.serial_number))
    model.define("ChargingStation/FirmwareVersion", _fixed(station.firmware_version))
    model.define("ChargingStation/SupplyPhases", integer(phases, RO, constant=True))
    if station.display:
        model.define("Display/Available", boolean(True, RO, constant=True))
    model.define("ChargingStation/AllowNewSessionsPendingFirmwareUpdate", boolean(True))
    for evse_id, evse in enumerate(station.evses, 1):
        _define_evse(model, evse_id, evse, station.nominal_voltage_v)
    model.entry("ClockCtrlr/DateTime").getter = now
    model.set_inside(model.entry("SecurityCtrlr/Identity"), station.identity)
    slots = model.entry("OCPPCommCtrlr/NetworkConfigurationPriority")
    values = tuple(str(slot) for slot in station.network_slots)
    slots.definition = replace(slots.definition, default=values[0], values=values)
    if slots.definition.defect(slots.value()):
        slots.values[Attribute.ACTUAL] = slots.definition.default
    if any(evse.iso15118 for evse in station.evses):
        model.set_inside(model.entry("ISO15118Ctrlr/Available"), "true")
    connectors = sum(len(evse.connectors) for evse in station.evses)
    model.set_inside(model.entry("OCPP16Ctrlr/NumberOfConnectors"), str(connectors))


def _define_evse(model: DeviceModel, evse_id: int, evse: EvseDescription, voltage: float) -> None:
    where = f"EVSE@{evse_id}"
    phases = max((connector.phases for connector in evse.connectors), default=1)
    power = max((connector.max_current_a * connector.phases * voltage for connector in evse.connectors), default=0.0)
    model.define(f"{where}/AvailabilityState", _state())
    model.define(f"{where}/Available", boolean(True, RO, constant=True))
    model.define(f"{where}/Problem", _problem())
    model.define(f"{where}/AllowReset", boolean(True, RO, persistent=False))
    model.define(f"{where}/SupplyPhases", integer(phases, RO, constant=True))
    model.define(
        f"{where}/Power",
        Definition(data_type=DataType.DECIMAL, default="0", unit="W", low=0, high=power, persistent=False),
    )
    model.define(f"AlignedDataCtrlr@{evse_id}/SendDuringIdle", boolean(False))
    if evse.signed_meter:
        model.define(f"FiscalMetering@{evse_id}/PublicKey", text("", RO, high=2500, persistent=False))
        model.set_inside(model.entry("OCPP16Ctrlr/SignedMeterValues"), "true")
    if evse.display:
        model.define(f"Display@{evse_id}/Available", boolean(True, RO, constant=True))
    for connector_id, connector in enumerate(evse.connectors, 1):
        here = f"Connector@{evse_id}.{connector_id}"
        model.define(f"{here}/AvailabilityState", _state())
        model.define(f"{here}/Available", boolean(True, RO, constant=True))
        model.define(f"{here}/Problem", _problem())
        model.define(f"{here}/ConnectorType", text(connector.type, RO, constant=True))
        model.define(f"{here}/SupplyPhases", integer(connector.phases, RO, constant=True))
        if connector.phase_rotation:
            model.define(f"{here}/PhaseRotation", option(connector.phase_rotation, PHASE_ROTATIONS, RO, constant=True))
        if connector.lock:
            lock = f"ConnectorPlugRetentionLock@{evse_id}.{connector_id}"
            model.define(f"{lock}/Available", boolean(True, RO, constant=True))
            model.define(f"{lock}/Problem", _problem())
