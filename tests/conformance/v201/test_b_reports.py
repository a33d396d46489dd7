"""Provisioning (block B): base reports and custom reports."""

import csv
from itertools import count

import pytest
from support.schemas import SPEC
from support.v201 import change, get, variable

LISTS = ("OptionList", "SequenceList", "MemberList")
AVAILABILITY = "Available,Occupied,Reserved,Unavailable,Faulted"
REQUEST_IDS = count(1)


def report(csms, action, **wish):
    """Every entry of a report, after the checks that hold for all of them."""
    request_id = next(REQUEST_IDS)
    answer = csms.call(action, {"requestId": request_id, **wish})
    assert answer["status"] == "Accepted"
    assert answer.get("statusInfo", {}).get("reasonCode", "NoError") == "NoError"
    entries = []
    for seq_no in count():
        part = csms.expect("NotifyReport")
        assert (part["requestId"], part["seqNo"]) == (request_id, seq_no)
        assert part["generatedAt"].startswith("20")
        entries += part.get("reportData", [])
        if not part.get("tbc", False):
            break
    for entry in entries:
        check(entry)
    return entries


def check(entry):
    kind = entry["variableCharacteristics"]
    if kind["dataType"] in LISTS:
        allowed = kind["valuesList"].split(",")
        for attribute in entry["variableAttribute"]:
            given = attribute["value"]
            found = [given] if kind["dataType"] == "OptionList" else given.split(",")
            assert not given or set(found) <= set(allowed), entry
    for attribute in entry["variableAttribute"]:
        assert "value" not in attribute or attribute["mutability"] != "WriteOnly"


def name(entry):
    instance = entry["variable"].get("instance")
    return f"{entry['component']['name']}/{entry['variable']['name']}" + (f"[{instance}]" if instance else "")


def mutabilities(entry):
    return {attribute["mutability"] for attribute in entry["variableAttribute"]}


def documented(*, writable=False):
    """Variables of the document's list, of the components that a station has by any means."""
    with (SPEC / "ocpp201" / "config-variables.csv").open() as file:
        for row in csv.DictReader(file):
            component = row["component"].removesuffix("r").removesuffix("Ctrl")
            if "," in component or component in ABSENT or row["required"] != "yes":
                continue
            if writable and row["mutability"] not in ("ReadWrite", "WriteOnly"):
                continue
            variable, instance = MISREAD.get(row["variable"], row["variable"]), row["variable_instance"]
            yield f"{component}Ctrlr/{variable}" + (f"[{instance}]" if instance else "")


MISREAD = {
    "LocalAuthorizationOffline": "LocalAuthorizeOffline",
    "LocalPreauthorize": "LocalPreAuthorize",
    "TxEndInterval": "TxEndedInterval",
}
"""The list was read from a scan."""

ABSENT = {"TariffCost", "Monitoring", "DisplayMessage", "ISO15118", "EVSE", "Connecto", "ConnectedEV", "*"}
"""Of blocks that may be absent, or not of the configuration."""


@pytest.mark.tc("TC_B_12_CS")
@pytest.mark.req("B07.FR.01", "B07.FR.03", "B07.FR.04", "B07.FR.07", "B07.FR.10", "B07.FR.12")
def test_tc_b_12_configuration_inventory(csms, station):
    entries = report(csms, "GetBaseReport", reportBase="ConfigurationInventory")
    assert all(mutabilities(entry) <= {"ReadWrite", "WriteOnly"} for entry in entries)
    if SPEC.is_dir():
        assert set(documented(writable=True)) <= {name(entry) for entry in entries}


@pytest.mark.tc("TC_B_13_CS")
@pytest.mark.req("B07.FR.01", "B07.FR.03", "B07.FR.04", "B07.FR.08", "B07.FR.10", "B07.FR.12")
def test_tc_b_13_full_inventory(csms, station):
    entries = report(csms, "GetBaseReport", reportBase="FullInventory")
    found = {name(entry) for entry in entries}
    for component in ("ChargingStation", "EVSE", "Connector"):
        assert {f"{component}/{each}" for each in ("Available", "AvailabilityState", "SupplyPhases")} <= found
    assert {"Connector/ConnectorType", "EVSE/Power"} <= found
    (power,) = [entry for entry in entries if name(entry) == "EVSE/Power" and entry["component"]["evse"]["id"] == 1]
    assert power["variableCharacteristics"]["maxLimit"] == 32 * 3 * 230


@pytest.mark.tc("TC_B_14_CS")
@pytest.mark.req("B07.FR.01", "B07.FR.03", "B07.FR.04", "B07.FR.09", "B07.FR.10", "B07.FR.12")
def test_tc_b_14_summary_inventory(csms, station):
    station.post("/api/sim/evses/2/connectors/1/fault", {"kind": "GroundFailure", "active": True})
    csms.expect("StatusNotification", evseId=2, connectorStatus="Faulted")
    entries = report(csms, "GetBaseReport", reportBase="SummaryInventory")
    states = {
        (entry["component"]["name"], entry["component"].get("evse", {}).get("id")): entry["variableAttribute"][0]
        for entry in entries
        if entry["variable"]["name"] == "AvailabilityState"
    }
    assert {place: attribute["value"] for place, attribute in states.items()} == {
        ("ChargingStation", None): "Available",
        ("EVSE", 1): "Available",
        ("Connector", 1): "Available",
        ("EVSE", 2): "Faulted",
        ("Connector", 2): "Faulted",
    }
    problems = {
        entry["component"]["evse"]["id"]
        for entry in entries
        if name(entry) == "Connector/Problem" and entry["variableAttribute"][0]["value"] == "true"
    }
    assert problems == {2}


@pytest.mark.tc("TC_B_16_CS")
@pytest.mark.req("B08.FR.01", "B08.FR.03", "B08.FR.04", "B08.FR.07", "B08.FR.09", "B08.FR.12", "B08.FR.14", "B06.FR.09")
def test_tc_b_16_component_criteria(csms, station):
    """Components without the variable are reported as well (B08.FR.09), those switched off are not."""
    assert change(csms, "AuthCacheCtrlr/Enabled", False) == "Accepted"
    entries = report(csms, "GetReport", componentCriteria=["Enabled"])
    everything = report(csms, "GetBaseReport", reportBase="FullInventory")
    assert {name(each) for each in switched(everything, "true")} == {name(each) for each in switched(entries, "true")}
    assert not switched(entries, "false")
    assert switched(everything, "false")
    assert "AuthCacheCtrlr" not in {entry["component"]["name"] for entry in entries}
    for entry in switched(entries, "true"):
        assert get(csms, name(entry))["attributeValue"] == "true"
    (secret,) = [entry for entry in entries if mutabilities(entry) == {"WriteOnly"}]
    result = get(csms, name(secret))
    assert result["attributeStatus"] == "Rejected"
    assert "attributeValue" not in result


def switched(entries, value):
    return [
        entry
        for entry in entries
        if entry["variable"]["name"] == "Enabled" and entry["variableAttribute"][0]["value"] == value
    ]


def check_availability(entry):
    assert (name(entry), entry["component"]["evse"]["id"]) == ("EVSE/AvailabilityState", 1)
    kind = entry["variableCharacteristics"]
    assert (kind["dataType"], kind["valuesList"]) == ("OptionList", AVAILABILITY)
    (attribute,) = entry["variableAttribute"]
    assert (attribute["type"], attribute["mutability"]) == ("Actual", "ReadOnly")


@pytest.mark.tc("TC_B_17_CS")
@pytest.mark.req("B08.FR.01", "B08.FR.03", "B08.FR.04", "B08.FR.11", "B08.FR.12", "B08.FR.14")
def test_tc_b_17_component_and_variable(csms, station):
    (entry,) = report(csms, "GetReport", componentVariable=[variable("EVSE@1/AvailabilityState")])
    check_availability(entry)


@pytest.mark.tc("TC_B_18_CS")
@pytest.mark.req("B08.FR.01", "B08.FR.03", "B08.FR.04", "B08.FR.05", "B08.FR.11", "B08.FR.12", "B08.FR.14", "B08.FR.15")
def test_tc_b_18_criteria_and_component(csms, station):
    wish = {"componentVariable": [variable("EVSE@1/AvailabilityState")]}
    (entry,) = report(csms, "GetReport", componentCriteria=["Available"], **wish)
    check_availability(entry)
    answer = csms.call("GetReport", {"requestId": next(REQUEST_IDS), "componentCriteria": ["Problem"], **wish})
    assert answer["status"] == "EmptyResultSet"
    assert answer.get("statusInfo", {}).get("reasonCode", "NotFound") == "NotFound"
    csms.nothing("NotifyReport")


@pytest.mark.tc("TC_B_53_CS")
@pytest.mark.req("B07.FR.01", "B07.FR.03", "B07.FR.04", "B07.FR.08", "B07.FR.10", "B07.FR.12")
@pytest.mark.skipif(not SPEC.is_dir(), reason="no list of required variables: set PILOTWIRE_SPEC to its folder")
def test_tc_b_53_every_required_variable(csms, station):
    entries = report(csms, "GetBaseReport", reportBase="FullInventory")
    assert set(documented()) <= {name(entry) for entry in entries}


ITEMS = "DeviceDataCtrlr/ItemsPerMessage"


@pytest.mark.parametrize(
    ("wanted", "instances"),
    [
        pytest.param(ITEMS, {"GetReport", "GetVariables", "SetVariables"}, marks=pytest.mark.tc("TC_B_54_CS")),
        pytest.param(f"{ITEMS}[GetReport]", {"GetReport"}, marks=pytest.mark.tc("TC_B_55_CS")),
    ],
)
@pytest.mark.req("B08.FR.01", "B08.FR.03", "B08.FR.04", "B08.FR.11", "B08.FR.12", "B08.FR.14")
def test_tc_b_54_55_instances(csms, station, wanted, instances):
    entries = report(csms, "GetReport", componentVariable=[variable(wanted)])
    assert {(entry["component"]["name"], entry["variable"]["name"]) for entry in entries} == {
        ("DeviceDataCtrlr", "ItemsPerMessage")
    }
    assert {entry["variable"]["instance"] for entry in entries} == instances


@pytest.mark.tc("TC_B_56_CS")
@pytest.mark.req("B08.FR.01", "B08.FR.03", "B08.FR.04", "B08.FR.11", "B08.FR.12", "B08.FR.14")
def test_tc_b_56_without_evse_id(csms, station):
    entries = report(csms, "GetReport", componentVariable=[variable("EVSE/AvailabilityState")])
    assert {name(entry) for entry in entries} == {"EVSE/AvailabilityState"}
    assert sorted(entry["component"]["evse"]["id"] for entry in entries) == [1, 2]


@pytest.mark.tc("TC_B_19_CS")
@pytest.mark.req("B08.FR.02")
def test_tc_b_19_unknown_criterion(csms, station):
    """A value outside the enumeration does not get past the schema: a CALLERROR (as the document notes)."""
    wish = {"requestId": next(REQUEST_IDS), "componentCriteria": ["Available", "Sparkling"]}
    assert csms.call("GetReport", wish) == "PropertyConstraintViolation"
    csms.nothing("NotifyReport")
