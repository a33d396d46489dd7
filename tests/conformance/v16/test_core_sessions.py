"""Core profile: boot, charging sessions, cache, list, remote start and stop (TC_001 to TC_012, TC_061, TC_068 to TC_071)."""

import pytest
from support.v16 import CARD, authorize_and_start, plug_and_start

PARENT = "PARENT01"


@pytest.mark.tc("1.6-TC_001")
@pytest.mark.req("1.6-4.2")
def test_tc_001_cold_boot(setup, csms):
    setup.start(evses=2, wait=False)
    boot = csms.expect("BootNotification")
    assert boot["chargePointVendor"] == "pilotwire"
    told = csms.expect_all(*[("StatusNotification", {"connectorId": n, "status": "Available"}) for n in (0, 1, 2)])
    assert {each["errorCode"] for each in told} == {"NoError"}
    csms.always("BootNotification", None)
    assert csms.call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "1"})["status"] == "Accepted"
    csms.expect("Heartbeat")


@pytest.mark.tc("1.6-TC_002")
@pytest.mark.req("1.6-4.2")
def test_tc_002_cold_boot_pending(setup, csms):
    now = {"currentTime": "2026-01-01T00:00:00Z"}
    csms.answer("BootNotification", {"status": "Pending", "interval": 2, **now})
    setup.start(wait=False)
    csms.expect("BootNotification")
    answer = csms.call("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "60"})
    assert answer == {"status": "Accepted"}
    (key,) = csms.call("GetConfiguration", {"key": ["MeterValueSampleInterval"]})["configurationKey"]
    assert key["value"] == "60"
    csms.nothing("StatusNotification", "Heartbeat")
    csms.expect("BootNotification")
    csms.expect("StatusNotification")


@pytest.mark.tc("1.6-TC_003")
def test_tc_003_session_plug_in_first(csms, station):
    station.plug()
    csms.expect("StatusNotification", connectorId=1, status="Preparing")
    start = authorize_and_start(csms, station)
    station.card()
    stop = csms.expect("StopTransaction", idTag=CARD)
    assert stop["transactionId"] == csms.next_transaction_id
    assert stop.get("reason", "Local") == "Local"
    assert stop["meterStop"] >= start["meterStart"]
    csms.expect("StatusNotification", connectorId=1, status="Finishing")
    station.unplug()
    csms.expect("StatusNotification", connectorId=1, status="Available")


@pytest.mark.tc("1.6-TC_004_1")
def test_tc_004_1_session_identification_first(csms, station):
    station.card(CARD, 1)
    csms.expect("Authorize", idTag=CARD)
    csms.expect("StatusNotification", connectorId=1, status="Preparing")
    station.plug()
    csms.expect("StartTransaction", connectorId=1, idTag=CARD)
    csms.expect("StatusNotification", connectorId=1, status="Charging")


@pytest.mark.tc("1.6-TC_004_2")
@pytest.mark.req("1.6-9.1.9")
def test_tc_004_2_identification_first_connection_time_out(csms, station):
    csms.call("ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "1"})
    station.card(CARD, 1)
    csms.expect("StatusNotification", connectorId=1, status="Preparing")
    csms.expect("StatusNotification", connectorId=1, status="Available")
    assert csms.all("StartTransaction") == []


@pytest.mark.tc("1.6-TC_005_1")
def test_tc_005_1_ev_side_disconnected_ends_the_transaction_and_unlocks(csms, station):
    csms.call("ChangeConfiguration", {"key": "StopTransactionOnEVSideDisconnect", "value": "true"})
    csms.call("ChangeConfiguration", {"key": "UnlockConnectorOnEVSideDisconnect", "value": "true"})
    plug_and_start(csms, station)
    station.unplug()
    csms.expect("StopTransaction", reason="EVDisconnected")
    csms.expect("StatusNotification", connectorId=1, status="Finishing", info="EV side disconnected")
    csms.expect("StatusNotification", connectorId=1, status="Available")
    assert not station.status()["evses"][0]["connectors"][0]["locked"]


@pytest.mark.tc("1.6-TC_005_2")
def test_tc_005_2_ev_side_disconnected_keeps_the_cable(csms, station):
    csms.call("ChangeConfiguration", {"key": "StopTransactionOnEVSideDisconnect", "value": "true"})
    csms.call("ChangeConfiguration", {"key": "UnlockConnectorOnEVSideDisconnect", "value": "false"})
    plug_and_start(csms, station)
    station.unplug()
    csms.expect("StopTransaction", reason="EVDisconnected")
    csms.expect("StatusNotification", connectorId=1, status="Finishing", info="EV side disconnected")
    csms.nothing("StatusNotification")
    station.card(CARD, 1)
    csms.expect("StatusNotification", connectorId=1, status="Available")


@pytest.mark.tc("1.6-TC_005_3")
def test_tc_005_3_ev_side_disconnected_goes_on(csms, station):
    csms.call("ChangeConfiguration", {"key": "StopTransactionOnEVSideDisconnect", "value": "false"})
    plug_and_start(csms, station)
    station.unplug()
    csms.expect("StatusNotification", connectorId=1, status="SuspendedEV", info="EV side disconnected")
    csms.nothing("StopTransaction")
    station.plug()
    csms.expect("StatusNotification", connectorId=1, status="Charging")
    station.card()
    csms.expect("StopTransaction", idTag=CARD)


@pytest.mark.tc("1.6-TC_007")
@pytest.mark.req("1.6-3.5.1")
def test_tc_007_session_with_a_cached_id(csms, station):
    csms.call("ChangeConfiguration", {"key": "AuthorizationCacheEnabled", "value": "true"})
    csms.call("ChangeConfiguration", {"key": "LocalPreAuthorize", "value": "true"})
    plug_and_start(csms, station)
    station.card()
    csms.expect("StopTransaction")
    station.unplug()
    csms.expect("StatusNotification", connectorId=1, status="Available")
    station.plug()
    station.card()
    csms.expect("StartTransaction", idTag=CARD)
    assert len(csms.all("Authorize")) == 1


@pytest.mark.tc("1.6-TC_008")
def test_tc_008_session_with_an_id_of_the_local_list(csms, station):
    csms.call("ChangeConfiguration", {"key": "LocalAuthListEnabled", "value": "true"})
    csms.call("ChangeConfiguration", {"key": "LocalPreAuthorize", "value": "true"})
    entry = {"idTag": CARD, "idTagInfo": {"status": "Accepted"}}
    wish = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [entry]}
    assert csms.call("SendLocalList", wish) == {"status": "Accepted"}
    station.plug()
    station.card()
    csms.expect("StartTransaction", idTag=CARD)
    csms.expect("StatusNotification", connectorId=1, status="Charging")
    assert csms.all("Authorize") == []


def remote_start(csms, connector=1, **more):
    return csms.call("RemoteStartTransaction", {"idTag": CARD, "connectorId": connector, **more})["status"]


@pytest.mark.tc("1.6-TC_010")
def test_tc_010_remote_start_cable_plugged_in_first(csms, station):
    station.plug()
    csms.expect("StatusNotification", connectorId=1, status="Preparing")
    assert remote_start(csms) == "Accepted"
    csms.expect("StartTransaction", connectorId=1, idTag=CARD)
    csms.expect("StatusNotification", connectorId=1, status="Charging")


@pytest.mark.tc("1.6-TC_010")
@pytest.mark.req("1.6-5.11")
@pytest.mark.parametrize("first", [True, False])
def test_tc_010_the_id_is_authorized_first_where_that_is_configured(csms, station, first):
    csms.call("ChangeConfiguration", {"key": "AuthorizeRemoteTxRequests", "value": str(first).lower()})
    station.plug()
    remote_start(csms)
    csms.expect("StartTransaction", idTag=CARD)
    assert len(csms.all("Authorize")) == first


@pytest.mark.tc("1.6-TC_011_1")
def test_tc_011_1_remote_start_first(csms, station):
    assert remote_start(csms) == "Accepted"
    csms.expect("StatusNotification", connectorId=1, status="Preparing")
    station.plug()
    csms.expect("StartTransaction", connectorId=1, idTag=CARD)
    csms.expect("StatusNotification", connectorId=1, status="Charging")


@pytest.mark.tc("1.6-TC_011_2")
def test_tc_011_2_remote_start_time_out(csms, station):
    csms.call("ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "1"})
    assert remote_start(csms) == "Accepted"
    csms.expect("StatusNotification", connectorId=1, status="Preparing")
    csms.expect("StatusNotification", connectorId=1, status="Available")
    assert csms.all("StartTransaction") == []


@pytest.mark.tc("1.6-TC_012")
def test_tc_012_remote_stop(csms, station):
    plug_and_start(csms, station)
    answer = csms.call("RemoteStopTransaction", {"transactionId": csms.next_transaction_id})
    assert answer == {"status": "Accepted"}
    csms.expect("StopTransaction", reason="Remote")
    csms.expect("StatusNotification", connectorId=1, status="Finishing")
    station.unplug()
    csms.expect("StatusNotification", connectorId=1, status="Available")


@pytest.mark.tc("1.6-TC_061")
@pytest.mark.req("1.6-5.4")
def test_tc_061_clear_cache(csms, station):
    csms.call("ChangeConfiguration", {"key": "AuthorizationCacheEnabled", "value": "true"})
    csms.call("ChangeConfiguration", {"key": "LocalPreAuthorize", "value": "true"})
    plug_and_start(csms, station)
    station.card()
    csms.expect("StopTransaction")
    station.unplug()
    csms.expect("StatusNotification", connectorId=1, status="Available")
    assert csms.call("ClearCache") == {"status": "Accepted"}
    station.plug()
    authorize_and_start(csms, station)


@pytest.mark.tc("1.6-TC_068")
def test_tc_068_only_the_same_id_stops(csms, station):
    plug_and_start(csms, station)
    station.card("ANOTHER")
    csms.expect("Authorize", idTag="ANOTHER")
    csms.nothing("StopTransaction")
    station.card()
    csms.expect("StopTransaction", idTag=CARD)


@pytest.mark.tc("1.6-TC_069")
def test_tc_069_the_same_parent_stops(csms, station):
    family = {"idTagInfo": {"status": "Accepted", "parentIdTag": PARENT}}
    csms.always("Authorize", family)
    csms.always("StartTransaction", {"transactionId": 77, **family})
    plug_and_start(csms, station)
    station.card("ANOTHER")
    csms.expect("Authorize", idTag="ANOTHER")
    csms.expect("StopTransaction", idTag="ANOTHER", transactionId=77)


def values_of(message, context=None):
    return [
        sample
        for value in message["meterValue"]
        for sample in value["sampledValue"]
        if context is None or sample.get("context", "Sample.Periodic") == context
    ]


@pytest.mark.tc("1.6-TC_070")
@pytest.mark.req("1.6-4.7")
def test_tc_070_sampled_meter_values(csms, station):
    csms.call("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "1"})
    csms.call(
        "ChangeConfiguration", {"key": "MeterValuesSampledData", "value": "Energy.Active.Import.Register,Voltage"}
    )
    plug_and_start(csms, station)
    for _ in range(2):
        message = csms.expect("MeterValues", connectorId=1, transactionId=csms.next_transaction_id)
        found = {each.get("measurand", "Energy.Active.Import.Register") for each in values_of(message)}
        assert found == {"Energy.Active.Import.Register", "Voltage"}
        assert {each.get("context", "Sample.Periodic") for each in values_of(message)} == {"Sample.Periodic"}


@pytest.mark.tc("1.6-TC_071")
def test_tc_071_clock_aligned_meter_values(csms, station):
    csms.call("ChangeConfiguration", {"key": "MeterValuesAlignedData", "value": "Energy.Active.Import.Register"})
    csms.call("ChangeConfiguration", {"key": "ClockAlignedDataInterval", "value": "2"})
    messages = csms.expect_all(*[("MeterValues", {"connectorId": n}) for n in (1, 2)])
    for message in messages:
        assert {each["context"] for each in values_of(message)} == {"Sample.Clock"}
        assert int(message["meterValue"][0]["timestamp"][17:19]) % 2 == 0
