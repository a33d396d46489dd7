"""Variables: found by names as a CSMS wrote them, read through a handle, set, reported; floor: a dict look-up."""

import sys

import pytest

from ocpp.device_model import DeviceModel
from ocpp.device_model.address import Component, Variable
from ocpp.device_model.hardware import ConnectorDescription, EvseDescription, StationDescription, define_hardware
from ocpp.device_model.report import base_report
from ocpp.device_model.standard import build
from ocpp.messages import v2
from ocpp.v2.provisioning import report_data

COMPONENT, VARIABLE = "SampledDataCtrlr", "TxUpdatedInterval"


@pytest.fixture(scope="module")
def model():
    model = DeviceModel()
    build(model)
    evses = tuple(EvseDescription((ConnectorDescription(),)) for _ in range(4))
    define_hardware(model, StationDescription("pilotwire", "Virtual", evses=evses), lambda: "2026-01-01T00:00:00Z")
    return model


def fresh(text: str) -> str:
    """A string of its own, as a decoder makes it: its hash is not known yet."""
    return "".join(list(text))


def test_get_floor(benchmark, role):
    role("device model: get by fresh names", "floor", "dict look-up with a fresh 4-tuple")
    table = {(COMPONENT, None, VARIABLE, None): "60"}

    def look_up(component, variable):
        return table[component, None, variable, None]

    benchmark.pedantic(look_up, setup=lambda: ((fresh(COMPONENT), fresh(VARIABLE)), {}), rounds=20000)


def test_get(benchmark, role, model):
    role("device model: get by fresh names", "ours", "VariableIndex.find")
    find = model._index.find

    def look_up(component, variable):
        return find(component, None, None, None, variable, None)

    benchmark.pedantic(look_up, setup=lambda: ((fresh(COMPONENT), fresh(VARIABLE)), {}), rounds=20000)


def test_get_whole(benchmark, role, model):
    role("device model: get by fresh names", "ours", "DeviceModel.get, with rules")

    def get(component, variable):
        return model.get(Component(component, None, None, None), Variable(variable, None))

    benchmark.pedantic(get, setup=lambda: ((fresh(COMPONENT), fresh(VARIABLE)), {}), rounds=20000)


def test_handle_floor(benchmark, role):
    role("device model: get by handle", "floor", "dict look-up by interned string")
    table = {sys.intern(f"{COMPONENT}/{VARIABLE}"): 60}
    key = sys.intern(f"{COMPONENT}/{VARIABLE}")

    def read():
        return table[key]

    benchmark(read)


def test_handle(benchmark, role, model):
    role("device model: get by handle", "ours", "Handle.value")
    handle = model.integer(f"{COMPONENT}/{VARIABLE}")

    def read():
        return handle.value

    benchmark(read)


def test_set_floor(benchmark, role):
    role("device model: set in memory", "floor", "dict store with a 4-tuple")
    table = {}

    def write():
        table[COMPONENT, None, VARIABLE, None] = "60"

    benchmark(write)


def test_set(benchmark, role, model):
    role("device model: set in memory", "ours", "DeviceModel.set, with rules")
    values = ["60", "61"]
    component, variable = Component(COMPONENT, None, None, None), Variable(VARIABLE, None)

    def write():
        values.reverse()
        return model.set(component, variable, values[0])

    benchmark(write)


def _report(model):
    return [report_data(entry) for entry in base_report(model, "FullInventory", with_21=True)]


def test_report_floor(benchmark, role, model):
    role("device model: full report", "floor", "as many empty ReportData")
    count = len(_report(model))
    component, variable = v2.Component(name="Name"), v2.Variable(name="Name")
    benchmark(
        lambda: [v2.ReportData(component=component, variable=variable, variable_attribute=[]) for _ in range(count)]
    )


def test_report(benchmark, role, model):
    role("device model: full report", "ours", "base_report, as ReportData")
    benchmark(_report, model)
    benchmark.extra_info["metrics"]["us for 350"] = benchmark.stats.stats.min * 1e6 * 350 / len(_report(model))
    benchmark.extra_info["metrics"]["variables"] = len(_report(model))
