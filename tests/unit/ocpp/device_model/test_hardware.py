from datetime import datetime

import pytest

from ocpp.device_model import Component, DeviceModel, Variable
from ocpp.device_model.definition import DataType, Mutability
from ocpp.device_model.hardware import ConnectorDescription, EvseDescription, StationDescription, define_hardware
from ocpp.device_model.model import SetStatus
from ocpp.device_model.standard import build

PLACES = ["EVSE@1", "EVSE@2"]
CONNECTORS = ["Connector@1.1", "Connector@2.1", "Connector@2.2"]


def built(**station) -> DeviceModel:
    model = DeviceModel()
    build(model)
    define_hardware(model, StationDescription("v", "m", **station), lambda: "2026-01-01T00:00:00Z")
    return model


@pytest.mark.req("B07.FR.08")
@pytest.mark.parametrize("component", ["ChargingStation", *PLACES, *CONNECTORS])
@pytest.mark.parametrize("variable", ["AvailabilityState", "Available", "SupplyPhases"])
def test_every_part_of_the_station_tells_its_availability_and_phases(model, component, variable):
    assert model.value(f"{component}/{variable}") != ""


def test_the_station_tells_who_made_it(model):
    assert model.value("ChargingStation/VendorName") == "pilotwire"
    assert model.value("ChargingStation/Model") == "Virtual 22"
    assert model.value("ChargingStation/SerialNumber") == "0001"
    assert model.value("ChargingStation/FirmwareVersion") == "1.0.0"
    assert model.value("SecurityCtrlr/Identity") == "CS001"


@pytest.mark.req("J01.FR.13", "J02.FR.09")
def test_a_connector_tells_how_its_phases_follow_those_of_the_grid():
    turned = EvseDescription((ConnectorDescription(phase_rotation="STR"), ConnectorDescription()))
    model = built(evses=(turned,))
    assert model.value("Connector@1.1/PhaseRotation") == "STR"
    assert model.find(Component("Connector", evse=1, connector=2), Variable("PhaseRotation")) is None


def test_a_meter_that_signs_has_a_public_key():
    model = built(evses=(EvseDescription(signed_meter=True), EvseDescription()))
    assert model.value("FiscalMetering@1/PublicKey") == ""
    assert model.find(Component("FiscalMetering", evse=2), Variable("PublicKey")) is None


def test_connectors_tell_what_they_are(model):
    assert [model.value(f"{connector}/ConnectorType") for connector in CONNECTORS] == ["cType2", "sType3", "cCCS2"]
    assert [model.value(f"{connector}/SupplyPhases") for connector in CONNECTORS] == ["3", "1", "3"]


def test_an_evse_has_the_phases_and_power_of_its_strongest_connector(model):
    assert [model.value(f"{place}/SupplyPhases") for place in PLACES] == ["3", "3"]
    assert [model.entry(f"{place}/Power").definition.high for place in PLACES] == [32 * 3 * 230.0, 20 * 3 * 230.0]
    power = model.entry("EVSE@1/Power").definition
    assert (power.data_type, power.unit, power.persistent) == (DataType.DECIMAL, "W", False)


def test_a_lock_is_there_where_it_is_built_in(model):
    assert model.value("ConnectorPlugRetentionLock@1.1/Available") == "true"
    assert not any(str(entry.component) == "ConnectorPlugRetentionLock@2.1" for entry in model.entries())


@pytest.mark.parametrize("component", ["ChargingStation", *PLACES, *CONNECTORS])
def test_availability_states_are_those_of_the_standard_and_set_by_the_station_only(model, component):
    entry = model.entry(f"{component}/AvailabilityState")
    assert entry.definition.values == ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")
    assert entry.definition.mutability is Mutability.READ_ONLY
    assert not entry.definition.persistent
    assert model.set(entry.component, entry.variable, "Faulted").status is SetStatus.REJECTED


def test_no_part_that_does_not_exist_is_told_of(model):
    told = {(entry.component.evse, entry.component.connector) for entry in model.entries()}
    assert told == {(None, None), (1, None), (2, None), (1, 1), (2, 1), (2, 2)}


def test_connectors_are_counted_for_1_6(model):
    assert model.value("OCPP16Ctrlr/NumberOfConnectors") == "3"


def test_the_clock_is_asked_whenever_the_time_is_read(model):
    status, value = model.get(Component("ClockCtrlr"), Variable("DateTime"))
    assert status == "Accepted"
    assert datetime.fromisoformat(value).tzinfo is not None


def test_the_slots_are_what_the_network_priority_may_hold():
    model = built(network_slots=(1, 2))
    address = Component("OCPPCommCtrlr"), Variable("NetworkConfigurationPriority")
    assert model.set(*address, "2,1").status is SetStatus.ACCEPTED
    assert model.set(*address, "3").status is SetStatus.REJECTED


def test_the_network_priority_names_a_slot_that_exists():
    assert built(network_slots=(2, 3)).value("OCPPCommCtrlr/NetworkConfigurationPriority") == "2"


@pytest.mark.parametrize("given", ["", ",", " , "])
def test_a_network_priority_without_a_slot_is_refused_as_it_would_cut_the_station_off(model, given):
    address = Component("OCPPCommCtrlr"), Variable("NetworkConfigurationPriority")
    assert model.set(*address, given).status is SetStatus.REJECTED
    assert model.get(*address)[1] == "1"


def test_a_station_of_thirty_evses_fits():
    evses = tuple(EvseDescription((ConnectorDescription(), ConnectorDescription())) for _ in range(30))
    model = built(evses=evses)
    assert model.value("Connector@30.2/ConnectorType") == "cType2"
    assert model.value("OCPP16Ctrlr/NumberOfConnectors") == "60"
