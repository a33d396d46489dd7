"""Core profile without a connection: idle, transactions, queues (TC_035 to TC_039), and what the CSMS does not answer."""

import pytest
from support.conformance import Refusal
from support.v16 import CARD, change, network, plug_and_start


@pytest.mark.tc("1.6-TC_035")
@pytest.mark.req("1.6-4.9")
def test_tc_035_idle_connection_loss(csms, station):
    network(station, False)
    csms.wait_disconnected()
    csms.mark()
    station.plug(2)
    network(station, True)
    csms.wait_connection(2)
    csms.expect("StatusNotification", connectorId=2, status="Preparing")
    csms.nothing("BootNotification")


@pytest.mark.tc("1.6-TC_036")
def test_tc_036_connection_loss_during_a_transaction(csms, station):
    change(csms, "MeterValueSampleInterval", 1)
    plug_and_start(csms, station)
    network(station, False)
    csms.wait_disconnected()
    csms.mark()
    station.wait(lambda: station.status()["queues"]["transaction_messages"] >= 2, "meter values are kept")
    network(station, True)
    for _ in range(2):
        csms.expect("MeterValues", transactionId=csms.next_transaction_id)
    csms.nothing("StartTransaction", "StopTransaction")
    station.card()
    csms.expect("StopTransaction", transactionId=csms.next_transaction_id)


@pytest.fixture
def offline(csms, station):
    """Offline, an unknown id may charge."""
    change(csms, "LocalAuthorizeOffline", "true")
    change(csms, "AllowOfflineTxForUnknownId", "true")
    network(station, False)
    csms.wait_disconnected()
    csms.mark()
    return station


def begin_offline(station):
    station.plug()
    station.card()
    station.wait_state("Charging")


@pytest.mark.tc("1.6-TC_037_1")
@pytest.mark.req("1.6-4.8")
def test_tc_037_1_offline_start_with_a_valid_id(csms, offline):
    begin_offline(offline)
    network(offline, True)
    start = csms.expect("StartTransaction", idTag=CARD, connectorId=1)
    csms.expect("StatusNotification", connectorId=1, status="Charging")
    offline.card()
    stop = csms.expect("StopTransaction", transactionId=csms.next_transaction_id)
    assert start["timestamp"] <= stop["timestamp"]
    assert len(csms.all("StartTransaction")) == 1


@pytest.mark.tc("1.6-TC_037_2")
@pytest.mark.req("1.6-9.1.26")
def test_tc_037_2_offline_start_with_an_invalid_id_goes_on_suspended(csms, station):
    change(csms, "StopTransactionOnInvalidId", "false")
    change(csms, "MaxEnergyOnInvalidId", 0)
    change(csms, "AllowOfflineTxForUnknownId", "true")
    network(station, False)
    csms.wait_disconnected()
    csms.mark()
    begin_offline(station)
    csms.always("StartTransaction", {"transactionId": 5, "idTagInfo": {"status": "Invalid"}})
    network(station, True)
    csms.expect("StartTransaction", idTag=CARD)
    csms.expect("StatusNotification", connectorId=1, status="SuspendedEVSE")
    csms.nothing("StopTransaction")
    station.unplug()
    csms.expect("StopTransaction", transactionId=5)


@pytest.mark.tc("1.6-TC_037_3")
def test_tc_037_3_offline_start_with_an_invalid_id_is_ended(csms, station):
    change(csms, "StopTransactionOnInvalidId", "true")
    change(csms, "AllowOfflineTxForUnknownId", "true")
    network(station, False)
    csms.wait_disconnected()
    csms.mark()
    begin_offline(station)
    csms.always("StartTransaction", {"transactionId": 5, "idTagInfo": {"status": "Invalid"}})
    network(station, True)
    csms.expect("StartTransaction", idTag=CARD)
    csms.expect("StopTransaction", transactionId=5, reason="DeAuthorized")


@pytest.mark.tc("1.6-TC_038")
def test_tc_038_offline_stop(csms, station):
    plug_and_start(csms, station)
    network(station, False)
    csms.wait_disconnected()
    csms.mark()
    station.card()
    station.wait_state(None)
    network(station, True)
    stop = csms.expect("StopTransaction", transactionId=csms.next_transaction_id)
    assert stop.get("reason", "Local") == "Local"


@pytest.mark.tc("1.6-TC_039")
def test_tc_039_a_whole_transaction_offline(csms, offline):
    begin_offline(offline)
    offline.card()
    offline.wait_state(None)
    offline.unplug()
    network(offline, True)
    csms.expect("StartTransaction", idTag=CARD)
    csms.expect("StopTransaction", transactionId=csms.next_transaction_id)
    assert (len(csms.all("StartTransaction")), len(csms.all("StopTransaction"))) == (1, 1)


@pytest.mark.tc("1.6-TC_039")
def test_tc_039_over_a_power_cut_and_several_transactions(setup, csms, offline):
    for _ in range(2):
        begin_offline(offline)
        offline.card()
        offline.wait_state(None)
        offline.unplug()
        offline.wait(lambda: offline.status()["evses"][0]["connectors"][0]["status"] == "Available", "free again")
    offline.post("/api/sim/power_cut")
    csms.next_transaction_id = 5000
    setup.restart(wait=False)
    ids = []
    for _ in range(2):
        csms.expect("StartTransaction", idTag=CARD)
        ids.append(csms.expect("StopTransaction")["transactionId"])
    assert ids == [5001, 5002]


# -- a CSMS that does not do its part ---------------------------------------------------------------------------------


@pytest.mark.req("1.6-3.7.1", "1.6-9.1.29", "1.6-9.1.30")
def test_a_start_that_is_refused_is_tried_again_with_growing_waits_then_given_up(csms, station):
    change(csms, "TransactionMessageAttempts", 3)
    change(csms, "TransactionMessageRetryInterval", 1)
    csms.always("StartTransaction", Refusal("InternalError"))
    station.plug()
    station.card()
    for _ in range(3):
        csms.expect("StartTransaction")
    times = [call.at for call in csms.calls if call.action == "StartTransaction"]
    assert 0.9 <= times[1] - times[0] <= 1.9
    assert 1.9 <= times[2] - times[1] <= 2.9
    station.card()
    csms.expect("StopTransaction", transactionId=-1)
    assert len(csms.all("StartTransaction")) == 3


def test_a_start_never_answered_is_sent_again_on_the_next_connection(csms, station):
    csms.silent.add("StartTransaction")
    station.plug()
    station.card()
    first = csms.expect("StartTransaction")
    csms.disconnect()
    csms.silent.clear()
    csms.wait_connection(2)
    assert csms.expect("StartTransaction") == first
    station.card()
    csms.expect("StopTransaction", transactionId=csms.next_transaction_id)


def test_an_id_given_late_reaches_what_waits(csms, station):
    change(csms, "MeterValueSampleInterval", 1)
    csms.answer("StartTransaction", None)
    station.plug()
    station.card()
    csms.expect("StartTransaction")
    station.wait(lambda: station.status()["queues"]["transaction_messages"] >= 3, "meter values wait")
    csms.nothing("MeterValues")
    csms.disconnect()
    csms.expect("StartTransaction")
    csms.expect("MeterValues", transactionId=csms.next_transaction_id)


def test_the_same_id_twice_does_not_mix_two_transactions(csms, station):
    csms.always("StartTransaction", {"transactionId": 7, "idTagInfo": {"status": "Accepted"}})
    plug_and_start(csms, station, 1)
    plug_and_start(csms, station, 2)
    station.card(CARD, 2)
    csms.expect("StopTransaction", transactionId=7)
    csms.expect("StatusNotification", connectorId=2, status="Finishing")
    assert station.transaction(1) is not None
    station.card(CARD, 1)
    csms.expect("StopTransaction", transactionId=7)


@pytest.mark.req("1.6-4.8", "1.6-9.1.26")
@pytest.mark.parametrize("stop", [True, False])
def test_an_id_refused_at_the_start_online(csms, station, stop):
    change(csms, "StopTransactionOnInvalidId", str(stop).lower())
    csms.answer("StartTransaction", {"transactionId": 9, "idTagInfo": {"status": "Blocked"}})
    station.plug()
    station.card()
    csms.expect("StartTransaction")
    if stop:
        csms.expect("StopTransaction", transactionId=9, reason="DeAuthorized")
    else:
        csms.expect("StatusNotification", connectorId=1, status="SuspendedEVSE")
        csms.nothing("StopTransaction")


@pytest.mark.req("1.6-9.1.15")
def test_an_invalid_id_may_take_the_configured_energy(setup, csms):
    station = setup.start()
    change(csms, "StopTransactionOnInvalidId", "false")
    change(csms, "MaxEnergyOnInvalidId", 1000)
    csms.answer("StartTransaction", {"transactionId": 9, "idTagInfo": {"status": "Blocked"}})
    station.plug()
    station.card()
    csms.expect("StatusNotification", connectorId=1, status="Charging")
    station.post("/api/sim/evses/1/meter", {"energy_wh": 5000})
    csms.expect("StatusNotification", connectorId=1, status="SuspendedEVSE", within=40)


def test_a_rejected_station_stays_quiet_and_keeps_what_happens(setup, csms):
    csms.always("BootNotification", {"status": "Rejected", "currentTime": "2026-01-01T00:00:00Z", "interval": 1})
    setup.start(wait=False)
    csms.expect("BootNotification")
    csms.expect("BootNotification")
    csms.nothing("StatusNotification", "Heartbeat", "StartTransaction")
