import pytest

from ocpp.device_model import DeviceModel
from ocpp.device_model.hardware import ConnectorDescription, EvseDescription, StationDescription, define_hardware
from ocpp.device_model.keys import KeyView
from ocpp.device_model.standard import build
from ocpp.storage.database import Database
from ocpp.storage.variables import VariableRepository

NOW = "2026-01-01T00:00:00Z"

STATION = StationDescription(
    vendor="pilotwire",
    model="Virtual 22",
    serial_number="0001",
    firmware_version="1.0.0",
    evses=(
        EvseDescription((ConnectorDescription("cType2", 32.0, 3, lock=True),), iso15118=True),
        EvseDescription((ConnectorDescription("sType3", 16.0, 1, lock=False), ConnectorDescription("cCCS2", 20.0, 3))),
    ),
    nominal_voltage_v=230.0,
    identity="CS001",
)


def standard_model(database: Database | None = None) -> DeviceModel:
    """A whole station's model, with the values the database holds."""
    model = DeviceModel(VariableRepository(database) if database is not None else None)
    build(model)
    define_hardware(model, STATION, lambda: NOW)
    model.set_inside(model.entry("OCPP16Ctrlr/SignedMeterValues"), "true")  # with every key there is
    return model


@pytest.fixture
def database(tmp_path):
    database = Database.open(tmp_path / "station.db")
    yield database
    database.close()


@pytest.fixture
def model():
    return standard_model()


@pytest.fixture
def keys(model):
    return KeyView(model)


@pytest.fixture
def start(database):
    """Start the program on the same database: a function, called once per start."""

    def started() -> tuple[DeviceModel, KeyView]:
        model = standard_model(database)
        return model, KeyView(model)

    return started
