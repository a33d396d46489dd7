"""Core profile: reset, unlock, configuration, refusals, faults, data transfer, triggers (TC_013 to TC_035, TC_040, TC_041)."""

import pytest
from support.conformance import Refusal
from support.v16 import CARD, change, plug_and_start

# -- reset ------------------------------------------------------------------------------------------------------------


@pytest.mark.tc("1.6-TC_013", "1.6-TC_014")
@pytest.mark.req("1.6-5.14")
@pytest.mark.parametrize("kind", ["Hard", "Soft"])
def test_tc_013_014_reset_without_a_transaction(setup, csms, station, kind):
    assert csms.call("Reset", {"type": kind}) == {"status": "Accepted"}
    assert station.process.wait(20) == 75
    setup.restart()


@pytest.mark.tc("1.6-TC_015", "1.6-TC_016")
@pytest.mark.req("1.6-5.14")
@pytest.mark.parametrize(("kind", "reason"), [("Hard", "HardReset"), ("Soft", "SoftReset")])
def test_tc_015_016_reset_with_a_transaction(setup, csms, station, kind, reason):
    plug_and_start(csms, station)
    assert csms.call("Reset", {"type": kind}) == {"status": "Accepted"}
    csms.expect("StopTransaction", reason=reason, transactionId=csms.next_transaction_id)
    assert station.process.wait(20) == 75
    setup.restart()
    assert len(csms.all("StopTransaction")) == 1


# -- unlock -----------------------------------------------------------------------------------------------------------


@pytest.mark.tc("1.6-TC_017_1")
@pytest.mark.req("1.6-5.18")
def test_tc_017_1_unlock_without_a_session(csms, station):
    assert csms.call("UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}


@pytest.mark.tc("1.6-TC_017_2", "1.6-TC_018_2")
@pytest.mark.parametrize("charging", [False, True])
def test_tc_017_2_018_2_a_fixed_cable_cannot_be_unlocked(setup, csms, charging):
    station = setup.start(connector="lock = false")
    if charging:
        plug_and_start(csms, station)
    assert csms.call("UnlockConnector", {"connectorId": 1}) == {"status": "NotSupported"}


@pytest.mark.tc("1.6-TC_018_1")
def test_tc_018_1_unlock_with_a_session_ends_it(csms, station):
    plug_and_start(csms, station)
    assert csms.call("UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
    csms.expect("StopTransaction", reason="UnlockCommand")


@pytest.mark.tc("1.6-TC_030")
def test_tc_030_unlock_failure(csms, station):
    station.post(
        "/api/sim/evses/1/connectors/1/fault", {"kind": "ConnectorLockFailure", "active": True, "info": "jammed"}
    )
    csms.expect("StatusNotification", connectorId=1, errorCode="ConnectorLockFailure")
    assert csms.call("UnlockConnector", {"connectorId": 1}) == {"status": "UnlockFailed"}


@pytest.mark.tc("1.6-TC_031")
def test_tc_031_unlock_of_an_unknown_connector(csms, station):
    assert csms.call("UnlockConnector", {"connectorId": 9}) == {"status": "NotSupported"}


# -- configuration ----------------------------------------------------------------------------------------------------


@pytest.mark.tc("1.6-TC_019_1")
@pytest.mark.req("1.6-5.8")
def test_tc_019_1_retrieve_all_keys(csms, station):
    answer = csms.call("GetConfiguration", {})
    names = {each["key"] for each in answer["configurationKey"]}
    assert {"HeartbeatInterval", "NumberOfConnectors", "SupportedFeatureProfiles", "ConnectionTimeOut"} <= names
    assert answer.get("unknownKey", []) == []


@pytest.mark.tc("1.6-TC_019_2")
def test_tc_019_2_retrieve_one_key(csms, station):
    answer = csms.call("GetConfiguration", {"key": ["SupportedFeatureProfiles"]})
    (key,) = answer["configurationKey"]
    assert key["readonly"] is True
    assert "Core" in key["value"].split(",")


@pytest.mark.tc("1.6-TC_021")
@pytest.mark.req("1.6-5.3")
def test_tc_021_change_configuration(setup, csms, station):
    assert change(csms, "MeterValueSampleInterval", 42) == "Accepted"
    station.post("/api/sim/power_cut")
    setup.restart()
    (key,) = csms.call("GetConfiguration", {"key": ["MeterValueSampleInterval"]})["configurationKey"]
    assert key == {"key": "MeterValueSampleInterval", "readonly": False, "value": "42"}


@pytest.mark.tc("1.6-TC_040_1")
def test_tc_040_1_an_unknown_key_is_not_supported(csms, station):
    assert change(csms, "NoSuchKey", 1) == "NotSupported"
    assert csms.call("GetConfiguration", {"key": ["NoSuchKey"]})["unknownKey"] == ["NoSuchKey"]


@pytest.mark.tc("1.6-TC_040_2")
@pytest.mark.parametrize("value", ["-1", "abc", ""])
def test_tc_040_2_an_invalid_value_is_rejected(csms, station, value):
    assert change(csms, "MeterValueSampleInterval", value) == "Rejected"


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.tc("1.6-TC_023_1", "1.6-TC_023_2", "1.6-TC_023_3")
@pytest.mark.req("1.6-4.1")
@pytest.mark.parametrize("status", ["Invalid", "Expired", "Blocked", "ConcurrentTx"])
def test_tc_023_an_id_that_is_not_accepted_starts_nothing(csms, station, status):
    csms.always("Authorize", {"idTagInfo": {"status": status}})
    station.plug()
    csms.expect("StatusNotification", connectorId=1, status="Preparing")
    station.card()
    csms.expect("Authorize", idTag=CARD)
    csms.nothing("StartTransaction")
    station.unplug()
    csms.expect("StatusNotification", connectorId=1, status="Available")


@pytest.mark.tc("1.6-TC_024")
def test_tc_024_a_lock_that_fails_starts_nothing(csms, station):
    station.post("/api/sim/evses/1/connectors/1/fault", {"kind": "ConnectorLockFailure", "active": True})
    csms.expect("StatusNotification", connectorId=1, status="Faulted", errorCode="ConnectorLockFailure")
    station.plug()
    station.card()
    csms.nothing("StartTransaction")


@pytest.mark.tc("1.6-TC_026")
def test_tc_026_remote_start_rejected(csms, station):
    csms.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    csms.expect("StatusNotification", connectorId=1, status="Unavailable")
    answer = csms.call("RemoteStartTransaction", {"idTag": CARD, "connectorId": 1})
    assert answer == {"status": "Rejected"}


@pytest.mark.tc("1.6-TC_026")
def test_tc_026_remote_start_on_a_busy_connector_is_rejected(csms, station):
    plug_and_start(csms, station)
    assert csms.call("RemoteStartTransaction", {"idTag": "OTHER", "connectorId": 1}) == {"status": "Rejected"}


@pytest.mark.tc("1.6-TC_027")
def test_tc_027_remote_start_on_connector_0_is_rejected(csms, station):
    answer = csms.call("RemoteStartTransaction", {"idTag": CARD, "connectorId": 0})
    assert answer == {"status": "Rejected"}


@pytest.mark.tc("1.6-TC_028")
def test_tc_028_remote_stop_of_an_unknown_transaction_is_rejected(csms, station):
    plug_and_start(csms, station)
    assert csms.call("RemoteStopTransaction", {"transactionId": 1}) == {"status": "Rejected"}
    csms.nothing("StopTransaction")


# -- faults and power -------------------------------------------------------------------------------------------------


@pytest.mark.tc("1.6-TC_032_1")
def test_tc_032_1_power_failure_ends_the_transaction(setup, csms):
    station = setup.start(variables={"TxCtrlr/ResumptionTimeout": 0})
    start = plug_and_start(csms, station)
    station.post("/api/sim/power_cut")
    setup.restart(wait=False)
    csms.expect("BootNotification")
    stop = csms.expect("StopTransaction", reason="PowerLoss", transactionId=csms.next_transaction_id)
    assert stop["meterStop"] >= start["meterStart"]


@pytest.mark.tc("1.6-TC_032_2")
def test_tc_032_2_power_failure_after_which_the_transaction_goes_on(setup, csms):
    station = setup.start(variables={"TxCtrlr/ResumptionTimeout": 600}, simulation="keep_on_restart = true")
    plug_and_start(csms, station)
    station.post("/api/sim/power_cut")
    setup.restart(wait=False)
    csms.expect("BootNotification")
    csms.expect("StatusNotification", connectorId=1, status="Charging")
    station.card()
    stop = csms.expect("StopTransaction", transactionId=csms.next_transaction_id)
    assert stop.get("reason", "Local") == "Local"
    assert len(csms.all("StartTransaction")) == 1


@pytest.mark.tc("1.6-TC_034")
def test_tc_034_unavailable_survives_a_power_failure(setup, csms, station):
    csms.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    csms.expect("StatusNotification", connectorId=1, status="Unavailable")
    station.post("/api/sim/power_cut")
    setup.restart(wait=False)
    csms.expect("BootNotification")
    csms.expect_all(
        ("StatusNotification", {"connectorId": 1, "status": "Unavailable"}),
        ("StatusNotification", {"connectorId": 2, "status": "Available"}),
    )


@pytest.mark.tc("1.6-TC_041")
@pytest.mark.req("1.6-4.9")
def test_tc_041_fault_behaviour(csms, station):
    fault = {"kind": "GroundFailure", "active": True, "info": "leakage", "vendor_code": "E17"}
    station.post("/api/sim/evses/1/connectors/1/fault", fault)
    told = csms.expect("StatusNotification", connectorId=1, status="Faulted", errorCode="GroundFailure")
    assert (told["info"], told["vendorErrorCode"]) == ("leakage", "E17")
    station.post("/api/sim/evses/1/connectors/1/fault", {**fault, "active": False})
    csms.expect("StatusNotification", connectorId=1, status="Available", errorCode="NoError")


@pytest.mark.tc("1.6-TC_041")
def test_tc_041_a_fault_ends_the_transaction(csms, station):
    plug_and_start(csms, station)
    station.post("/api/sim/evses/1/connectors/1/fault", {"kind": "GroundFailure", "active": True})
    csms.expect_all(
        ("StatusNotification", {"connectorId": 1, "status": "Faulted", "errorCode": "GroundFailure"}),
        ("StopTransaction", {"reason": {"Other", "EmergencyStop"}}),
    )


# -- availability -----------------------------------------------------------------------------------------------------


@pytest.mark.tc("1.6-TC_022")
@pytest.mark.req("1.6-5.2")
def test_change_availability_waits_for_the_transaction(csms, station):
    plug_and_start(csms, station)
    answer = csms.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    assert answer == {"status": "Scheduled"}
    station.card()
    csms.expect("StopTransaction")
    csms.expect("StatusNotification", connectorId=1, status="Unavailable")
    assert csms.call("ChangeAvailability", {"connectorId": 1, "type": "Operative"}) == {"status": "Accepted"}


# -- data transfer ----------------------------------------------------------------------------------------------------


@pytest.mark.tc("1.6-TC_062")
@pytest.mark.req("1.6-5.6")
def test_tc_062_data_transfer_of_an_unknown_vendor(csms, station):
    assert csms.call("DataTransfer", {"vendorId": "nobody.example"}) == {"status": "UnknownVendorId"}


# -- triggers ---------------------------------------------------------------------------------------------------------


@pytest.mark.tc("1.6-TC_054")
@pytest.mark.req("1.6-5.17")
@pytest.mark.parametrize(
    "message",
    [
        "BootNotification",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "MeterValues",
        "StatusNotification",
    ],
)
def test_tc_054_triggered_messages(csms, station, message):
    csms.mark()
    answer = csms.call("TriggerMessage", {"requestedMessage": message, "connectorId": 1})
    assert answer == {"status": "Accepted"}
    told = csms.expect(message)
    if message in ("DiagnosticsStatusNotification", "FirmwareStatusNotification"):
        assert told == {"status": "Idle"}
    if message in ("MeterValues", "StatusNotification"):
        assert told["connectorId"] == 1
    if message == "MeterValues":
        contexts = {each["context"] for value in told["meterValue"] for each in value["sampledValue"]}
        assert contexts == {"Trigger"}


@pytest.mark.tc("1.6-TC_055")
def test_tc_055_a_trigger_for_an_unknown_connector_is_rejected(csms, station):
    csms.mark()
    wish = {"requestedMessage": "StatusNotification", "connectorId": 9}
    assert csms.call("TriggerMessage", wish) == {"status": "Rejected"}
    csms.nothing("StatusNotification")


# -- OCPP-J -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("1.6-J-4.2.3")
def test_an_unknown_action_is_not_implemented(csms, station):
    csms.send_raw('[2,"x1","NoSuchAction",{}]')
    csms.wait(lambda: any(frame[:3] == [4, "x1", "NotImplemented"] for frame in csms.frames), "the error")
    assert csms.call("ClearCache") in ({"status": "Accepted"}, Refusal("GenericError"))


def test_garbage_does_not_end_the_connection(csms, station):
    for text in ("", "{}", "[2]", '[2,"a"', '[9,"a","b",{}]', "[]", "null", "\u0000"):
        csms.send_raw(text)
    assert csms.call("GetConfiguration", {"key": ["HeartbeatInterval"]})["configurationKey"]
    assert csms.connections == 1
    plug_and_start(csms, station)
