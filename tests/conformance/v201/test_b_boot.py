"""Provisioning (block B): booting, and what is told after a time offline."""

import time

import pytest
from support.v201 import TOKEN, change, connector_statuses, value

NOW = {"currentTime": "2026-01-01T00:00:00Z"}


@pytest.mark.tc("TC_B_01_CS")
@pytest.mark.req("B01.FR.01", "B01.FR.05", "B01.FR.09")
def test_tc_b_01_cold_boot(setup, csms):
    setup.start(evses=2, wait=False)
    boot = csms.expect("BootNotification", reason="PowerUp")
    assert boot["chargingStation"]["vendorName"] == "pilotwire"
    assert connector_statuses(csms) == {1: "Available", 2: "Available"}
    csms.expect("SecurityEventNotification", type="StartupOfTheDevice")


@pytest.mark.tc("TC_B_02_CS")
@pytest.mark.req("B02.FR.01", "B02.FR.02", "B02.FR.04", "B02.FR.05", "B02.FR.06", "B02.FR.08", "F06.FR.17")
def test_tc_b_02_cold_boot_pending(setup, csms):
    csms.answer("BootNotification", {"status": "Pending", "interval": 30, **NOW})
    setup.start(evses=2, wait=False)
    csms.expect("BootNotification", reason="PowerUp")
    assert change(csms, "OCPPCommCtrlr/OfflineThreshold", 300) == "Accepted"
    assert value(csms, "OCPPCommCtrlr/OfflineThreshold") == "300"
    assert csms.call("GetBaseReport", {"requestId": 7, "reportBase": "FullInventory"})["status"] == "Accepted"
    csms.expect("NotifyReport", requestId=7, seqNo=0)
    csms.expect("NotifyReport", requestId=7, tbc=lambda more: not more)
    start = csms.call("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 1, "evseId": 1})
    assert start["status"] == "Rejected"
    csms.nothing("StatusNotification", "Heartbeat", "SecurityEventNotification", "BootNotification")
    assert csms.call("TriggerMessage", {"requestedMessage": "BootNotification"})["status"] == "Accepted"
    csms.expect("BootNotification", reason="Triggered")
    assert connector_statuses(csms) == {1: "Available", 2: "Available"}


@pytest.mark.tc("TC_B_03_CS")
@pytest.mark.req("B03.FR.02", "B03.FR.04", "B03.FR.06")
def test_tc_b_03_cold_boot_rejected(setup, csms):
    csms.answer("BootNotification", {"status": "Rejected", "interval": 2, **NOW})
    setup.start(evses=2, wait=False)
    csms.expect("BootNotification", reason="PowerUp")
    rejected = time.monotonic()
    csms.expect("BootNotification")
    assert time.monotonic() - rejected > 1.8
    assert [call.action for call in csms.calls[:2]] == ["BootNotification"] * 2
    assert connector_statuses(csms) == {1: "Available", 2: "Available"}


@pytest.mark.tc("TC_B_30_CS")
@pytest.mark.req("B03.FR.08")
def test_tc_b_30_a_rejected_station_takes_no_calls(setup, csms):
    csms.answer("BootNotification", {"status": "Rejected", "interval": 30, **NOW})
    setup.start(evses=2, wait=False)
    csms.expect("BootNotification")
    assert csms.call("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}) == "SecurityError"
    csms.nothing("NotifyReport")


def plugged_while_offline(csms, station):
    """Lose the connection, plug in at EVSE 1, and be connected again."""
    csms.disconnect()
    station.wait(lambda: station.status()["connection"]["state"] != "connected", "the connection is lost")
    csms.mark()
    station.plug(1)
    csms.wait_connection(2)


@pytest.mark.tc("TC_B_51_CS")
@pytest.mark.req("B04.FR.01")
def test_tc_b_51_longer_offline_than_the_threshold(setup, csms):
    station = setup.start(
        evses=2, variables={"OCPPCommCtrlr/OfflineThreshold": 1, "OCPPCommCtrlr/RetryBackOffWaitMinimum": 2}
    )
    plugged_while_offline(csms, station)
    assert connector_statuses(csms) == {1: "Occupied", 2: "Available"}


@pytest.mark.tc("TC_B_52_CS")
@pytest.mark.req("B04.FR.02")
def test_tc_b_52_shorter_offline_than_the_threshold(setup, csms):
    station = setup.start(evses=2, variables={"OCPPCommCtrlr/OfflineThreshold": 60})
    plugged_while_offline(csms, station)
    assert connector_statuses(csms, 1) == {1: "Occupied"}
    csms.nothing("StatusNotification")


@pytest.mark.tc("TC_B_57_CS")
def test_tc_b_57_reconnecting_waits_twice_as_long_after_each_failure(setup, csms):
    setup.start(
        variables={"OCPPCommCtrlr/RetryBackOffRepeatTimes": 2, "OCPPCommCtrlr/NetworkProfileConnectionAttempts": 3}
    )
    lost = time.monotonic()
    csms.disconnect()
    csms.wait_connection(2)
    assert csms.attempts[1] - lost >= 0.95
    csms.refuse_with = 503
    lost = time.monotonic()
    csms.disconnect()
    csms.wait_attempt(3)
    csms.refuse_with = None
    csms.wait_connection(3)
    first_wait, second_wait = csms.attempts[2] - lost, csms.attempts[3] - csms.attempts[2]
    assert first_wait >= 0.95
    assert second_wait >= 1.95
