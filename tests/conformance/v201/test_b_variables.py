"""Provisioning (block B): reading and writing variables."""

import pytest
from support.v201 import change, get, variable

OFFLINE_THRESHOLD = "OCPPCommCtrlr/OfflineThreshold"
LOCAL_OFFLINE = "AuthCtrlr/LocalAuthorizeOffline"


def names(result):
    return result["component"]["name"], result["variable"]["name"]


def no_complaint(result):
    return result.get("attributeStatusInfo", {}).get("reasonCode", "NoError") == "NoError"


@pytest.mark.tc("TC_B_06_CS")
@pytest.mark.req("B06.FR.01", "B06.FR.02", "B06.FR.03", "B06.FR.04", "B06.FR.10", "B06.FR.11")
@pytest.mark.parametrize("attribute", [{"attributeType": "Actual"}, {}], ids=["actual", "omitted"])
def test_tc_b_06_get_a_single_value(csms, station, attribute):
    assert change(csms, OFFLINE_THRESHOLD, 300) == "Accepted"
    result = get(csms, OFFLINE_THRESHOLD, **attribute)
    assert (result["attributeStatus"], result["attributeType"], result["attributeValue"]) == (
        "Accepted",
        "Actual",
        "300",
    )
    assert names(result) == ("OCPPCommCtrlr", "OfflineThreshold")
    assert no_complaint(result)


@pytest.mark.tc("TC_B_07_CS")
@pytest.mark.req("B06.FR.01", "B06.FR.02", "B06.FR.03", "B06.FR.04", "B06.FR.10")
def test_tc_b_07_get_multiple_values(csms, station):
    change(csms, OFFLINE_THRESHOLD, 300)
    change(csms, LOCAL_OFFLINE, True)
    wishes = [variable(name, attributeType="Actual") for name in (OFFLINE_THRESHOLD, LOCAL_OFFLINE)]
    results = csms.call("GetVariables", {"getVariableData": wishes})["getVariableResult"]
    assert {names(each): each["attributeValue"] for each in results} == {
        ("OCPPCommCtrlr", "OfflineThreshold"): "300",
        ("AuthCtrlr", "LocalAuthorizeOffline"): "true",
    }
    assert all(
        each["attributeStatus"] == "Accepted" and each["attributeType"] == "Actual" and no_complaint(each)
        for each in results
    )


@pytest.mark.parametrize(
    ("name", "attribute", "status"),
    [
        pytest.param(
            "UnknownComponent/OfflineThreshold",
            {},
            "UnknownComponent",
            marks=[pytest.mark.tc("TC_B_32_CS"), pytest.mark.req("B06.FR.06")],
        ),
        pytest.param(
            "OCPPCommCtrlr/UnknownVariable",
            {},
            "UnknownVariable",
            marks=[pytest.mark.tc("TC_B_33_CS"), pytest.mark.req("B06.FR.07")],
        ),
        pytest.param(
            OFFLINE_THRESHOLD,
            {"attributeType": "Target"},
            "NotSupportedAttributeType",
            marks=[pytest.mark.tc("TC_B_34_CS"), pytest.mark.req("B06.FR.08")],
        ),
    ],
)
def test_tc_b_32_33_34_get_what_is_not_there(csms, station, name, attribute, status):
    result = get(csms, name, **attribute)
    assert result["attributeStatus"] == status
    assert names(result) == tuple(name.split("/"))
    assert result["attributeType"] == attribute.get("attributeType", "Actual")
    assert "attributeValue" not in result


@pytest.mark.tc("TC_B_09_CS")
@pytest.mark.req("B05.FR.01", "B05.FR.02", "B05.FR.03", "B05.FR.10", "B05.FR.12")
@pytest.mark.parametrize("attribute", [{"attributeType": "Actual"}, {}], ids=["actual", "omitted"])
def test_tc_b_09_set_a_single_value(csms, station, attribute):
    wish = variable(OFFLINE_THRESHOLD, attributeValue="300", **attribute)
    (result,) = csms.call("SetVariables", {"setVariableData": [wish]})["setVariableResult"]
    assert (result["attributeStatus"], result["attributeType"]) == ("Accepted", "Actual")
    assert names(result) == ("OCPPCommCtrlr", "OfflineThreshold")
    assert no_complaint(result)
    assert get(csms, OFFLINE_THRESHOLD)["attributeValue"] == "300"


@pytest.mark.tc("TC_B_10_CS")
@pytest.mark.req("B05.FR.01", "B05.FR.02", "B05.FR.03", "B05.FR.10", "B05.FR.12")
def test_tc_b_10_set_multiple_values(csms, station):
    wishes = [
        variable(OFFLINE_THRESHOLD, attributeValue="300", attributeType="Actual"),
        variable(LOCAL_OFFLINE, attributeValue="true"),
    ]
    results = csms.call("SetVariables", {"setVariableData": wishes})["setVariableResult"]
    assert {names(each) for each in results} == {
        ("OCPPCommCtrlr", "OfflineThreshold"),
        ("AuthCtrlr", "LocalAuthorizeOffline"),
    }
    assert all(
        each["attributeStatus"] == "Accepted" and each["attributeType"] == "Actual" and no_complaint(each)
        for each in results
    )


@pytest.mark.tc("TC_B_11_CS")
@pytest.mark.req("B05.FR.07")
@pytest.mark.parametrize(
    ("name", "good"),
    [
        (OFFLINE_THRESHOLD, {"60"}),
        ("SmartChargingCtrlr/LimitChangeSignificance", {"60", "60.1"}),
        ("AuthCtrlr/AuthorizeRemoteStart", {"true"}),
    ],
)
def test_tc_b_11_set_badly_formatted_values(csms, station, name, good):
    for value in ("60", "60.1", "true", "2026-01-01T12:00:00Z", "abc"):
        wish = variable(name, attributeValue=value)
        (result,) = csms.call("SetVariables", {"setVariableData": [wish]})["setVariableResult"]
        assert names(result) == tuple(name.split("/"))
        assert result["attributeType"] == "Actual"
        if value in good:
            assert result["attributeStatus"] == "Accepted"
        else:
            assert result["attributeStatus"] == "Rejected"
            assert result["attributeStatusInfo"]["reasonCode"] == "InvalidValue"


@pytest.mark.parametrize(
    ("name", "attribute", "status"),
    [
        pytest.param(
            "UnknownComponent/OfflineThreshold",
            {},
            "UnknownComponent",
            marks=[pytest.mark.tc("TC_B_35_CS"), pytest.mark.req("B05.FR.04")],
        ),
        pytest.param(
            "OCPPCommCtrlr/UnknownVariable",
            {},
            "UnknownVariable",
            marks=[pytest.mark.tc("TC_B_36_CS"), pytest.mark.req("B05.FR.05")],
        ),
        pytest.param(
            OFFLINE_THRESHOLD,
            {"attributeType": "Target"},
            "NotSupportedAttributeType",
            marks=[pytest.mark.tc("TC_B_37_CS"), pytest.mark.req("B05.FR.06")],
        ),
        pytest.param(
            "OCPPCommCtrlr/MessageTimeout[Default]",
            {},
            "Rejected",
            marks=[pytest.mark.tc("TC_B_39_CS"), pytest.mark.req("B05.FR.09")],
        ),
    ],
)
def test_tc_b_35_36_37_39_set_what_cannot_be_set(csms, station, name, attribute, status):
    wish = variable(name, attributeValue="300", **attribute)
    (result,) = csms.call("SetVariables", {"setVariableData": [wish]})["setVariableResult"]
    assert result["attributeStatus"] == status
    assert (result["component"], result["variable"]) == (wish["component"], wish["variable"])
    assert result["attributeType"] == attribute.get("attributeType", "Actual")
