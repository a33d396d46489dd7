"""Data transfer (block P), and custom data in other messages."""

import pytest
from support.v201 import get, variable

CUSTOM = {"customData": {"vendorId": "org.openchargealliance.test", "anything": [1, {"at": "all"}]}}


@pytest.mark.tc("TC_P_01_CS")
@pytest.mark.req("P01.FR.05")
def test_tc_p_01_an_unknown_vendor_is_told(csms, station):
    answer = csms.call("DataTransfer", {"vendorId": "org.openchargealliance.testnobody"})
    assert answer["status"] == "UnknownVendorId"


@pytest.mark.tc("TC_P_03_CS")
def test_tc_p_03_custom_data_does_not_disturb(csms, station):
    name = "OCPPCommCtrlr/OfflineThreshold"
    wish = {"setVariableData": [variable(name, attributeValue="200", attributeType="Actual", **CUSTOM)], **CUSTOM}
    answer = csms.call("SetVariables", wish)["setVariableResult"][0]
    assert answer["attributeStatus"] == "Accepted"
    result = get(csms, name, attributeType="Actual", **CUSTOM)
    assert (result["attributeStatus"], result["attributeValue"]) == ("Accepted", "200")


@pytest.mark.tc("TC_P_04_CS")
def test_tc_p_04_custom_data_in_a_charging_profile(csms, station):
    periods = [{"startPeriod": 0, "limit": 10, **CUSTOM}]
    schedule = {"id": 1, "duration": 300, "chargingRateUnit": "A", "chargingSchedulePeriod": periods, **CUSTOM}
    profile = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
        **CUSTOM,
    }
    assert csms.call("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})["status"] == "Accepted"
