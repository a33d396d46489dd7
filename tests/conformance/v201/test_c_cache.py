"""Authorization (block C): the authorization cache."""

import time

import pytest
from support.v201 import (
    CARD,
    authorize,
    booted,
    cached,
    change,
    charging,
    connect,
    energy,
    id_token,
    knows,
    network,
    offline,
    stop,
    token_info,
    unplug,
)

OTHER = "04FFEEDDCCBBAA"
GROUP = "FLEET"
MASTER = "SERVICE"
PRE_AUTHORIZE = {"AuthCtrlr/LocalPreAuthorize": True, "AuthCacheCtrlr/Enabled": True}


@pytest.fixture
def station(setup):
    """A station that trusts its cache before it asks."""
    return setup.start(evses=2, variables=PRE_AUTHORIZE)


def charges_without_asking(csms, station, card=CARD):
    station.card(card)
    started = csms.expect("TransactionEvent", eventType="Started", triggerReason="Authorized", idToken=id_token(card))
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    assert len(csms.all("Authorize")) == 1
    return started["transactionInfo"]["transactionId"]


@pytest.mark.tc("TC_C_08_CS")
@pytest.mark.req("C12.FR.02", "C12.FR.04")
def test_tc_c_08_an_accepted_card_charges(csms, station):
    cached(csms, station)
    connect(csms, station)
    charges_without_asking(csms, station)


@pytest.mark.req("C12.FR.05", "C10.FR.03")
@pytest.mark.parametrize(
    "status",
    [
        pytest.param("Invalid", marks=pytest.mark.tc("TC_C_09_CS")),
        pytest.param("Blocked", marks=pytest.mark.tc("TC_C_10_CS")),
        pytest.param("Expired", marks=pytest.mark.tc("TC_C_11_CS")),
    ],
)
def test_tc_c_09_10_11_another_status_is_asked_about_again(csms, station, status):
    cached(csms, station, status=status)
    connect(csms, station)
    authorize(csms, station)
    csms.nothing("TransactionEvent")


@pytest.mark.tc("TC_C_12_CS")
@pytest.mark.req("C12.FR.05", "C10.FR.03")
def test_tc_c_12_the_csms_accepts_what_the_cache_does_not(csms, station):
    cached(csms, station, status="Invalid")
    knows(csms, {})
    charging(csms, station)


@pytest.mark.tc("TC_C_13_CS")
@pytest.mark.req("C12.FR.02", "C12.FR.04")
def test_tc_c_13_the_cable_comes_later(csms, station):
    change(csms, "TxCtrlr/TxStartPoint", "Authorized")
    cached(csms, station)
    station.card(CARD)
    csms.expect("TransactionEvent", eventType="Started", triggerReason="Authorized", idToken=id_token())
    station.plug()
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    assert len(csms.all("Authorize")) == 1


@pytest.mark.tc("TC_C_14_CS")
@pytest.mark.req("C12.FR.09", "C16.FR.03")
def test_tc_c_14_a_cached_master_pass_stops_everything(csms, station):
    assert change(csms, "AuthCtrlr/MasterPassGroupId", MASTER) == "Accepted"
    knows(csms, {OTHER: token_info(group=MASTER)})
    authorize(csms, station, card=OTHER)
    transaction = charging(csms, station)
    station.card(OTHER)
    ended = csms.expect("TransactionEvent", eventType="Ended", triggerReason="StopAuthorized", idToken=id_token(OTHER))
    assert ended["transactionInfo"]["transactionId"] == transaction
    assert ended["transactionInfo"]["stoppedReason"] == "MasterPass"
    assert len(csms.all("Authorize")) == 2
    unplug(csms, station)


# -- the CSMS thinks otherwise, and says so when it hears of the transaction ------------------------------------------


def begun_offline(csms, station, **settings):
    """A cached card starts while nobody can be asked; the CSMS refuses it when it hears of it."""
    for name, setting in settings.items():
        assert change(csms, f"TxCtrlr/{name}", setting) == "Accepted"
    cached(csms, station)
    connect(csms, station)
    offline(csms, station)
    station.card(CARD)
    station.wait_state("Charging")
    knows(csms, {CARD: token_info("Invalid")})
    network(station, True)
    csms.expect("TransactionEvent", eventType="Started", triggerReason="Authorized", idToken=id_token(), offline=True)
    csms.expect("TransactionEvent", triggerReason="ChargingStateChanged", offline=True)


@pytest.mark.tc("TC_C_15_CS")
@pytest.mark.req("C15.FR.07")
def test_tc_c_15_some_energy_is_left(csms, station):
    begun_offline(csms, station, StopTxOnInvalidId=False, MaxEnergyOnInvalidId=10000)
    csms.nothing("TransactionEvent")
    assert station.transaction()["state"] == "Charging"
    energy(station, 20000)
    csms.expect("TransactionEvent", eventType="Updated", transactionInfo={"chargingState": "SuspendedEVSE"})


@pytest.mark.req("C15.FR.04")
@pytest.mark.parametrize(
    "most",
    [
        pytest.param(0, marks=pytest.mark.tc("TC_C_16_CS")),
        pytest.param(500, marks=pytest.mark.tc("TC_C_18_CS")),
    ],
)
def test_tc_c_16_18_the_transaction_is_stopped(csms, station, most):
    begun_offline(csms, station, StopTxOnInvalidId=True, MaxEnergyOnInvalidId=most)
    ended = csms.expect("TransactionEvent", triggerReason="Deauthorized", eventType="Ended")
    assert ended["transactionInfo"]["stoppedReason"] == "DeAuthorized"
    assert not ended.get("offline", False)
    station.wait_state(None)


@pytest.mark.tc("TC_C_17_CS")
@pytest.mark.req("C15.FR.06")
def test_tc_c_17_the_energy_stops(csms, station):
    begun_offline(csms, station, StopTxOnInvalidId=False, MaxEnergyOnInvalidId=0)
    csms.expect(
        "TransactionEvent",
        eventType="Updated",
        triggerReason="ChargingStateChanged",
        transactionInfo={"chargingState": "SuspendedEVSE"},
    )


# -- keeping and forgetting -------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_C_32_CS")
@pytest.mark.req("C10.FR.02")
def test_tc_c_32_the_cache_outlives_a_reboot(setup, csms, station):
    cached(csms, station)
    assert csms.call("Reset", {"type": "OnIdle"})["status"] == "Accepted"
    booted(setup, "RemoteReset")
    connect(csms, station)
    charges_without_asking(csms, station)


@pytest.mark.tc("TC_C_33_CS")
@pytest.mark.req("C10.FR.04", "C12.FR.06")
def test_tc_c_33_learnt_from_the_answer(csms, station):
    connect(csms, station)
    authorize(csms, station)
    started = csms.expect("TransactionEvent", eventType="Started", triggerReason="Authorized", idToken=id_token())
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    stop(csms, station, started["transactionInfo"]["transactionId"])
    unplug(csms, station)
    connect(csms, station)
    charges_without_asking(csms, station)


@pytest.mark.tc("TC_C_34_CS")
@pytest.mark.req("C10.FR.05", "C12.FR.06")
def test_tc_c_34_learnt_from_the_transaction(csms, station):
    cached(csms, station)
    connect(csms, station)
    knows(csms, {CARD: token_info("Invalid")})
    station.card(CARD)
    csms.expect("TransactionEvent", eventType="Started", triggerReason="Authorized", idToken=id_token())
    csms.expect("TransactionEvent", eventType="Ended", triggerReason="Deauthorized")
    unplug(csms, station)
    connect(csms, station)
    authorize(csms, station)
    csms.nothing("TransactionEvent")


@pytest.mark.tc("TC_C_36_CS")
@pytest.mark.req("C10.FR.11")
@pytest.mark.parametrize("switched_off", ["AuthCtrlr/LocalPreAuthorize", "AuthCacheCtrlr/Enabled"])
def test_tc_c_36_the_cache_is_not_used(csms, station, switched_off):
    cached(csms, station)
    assert change(csms, switched_off, False) == "Accepted"
    knows(csms, {CARD: token_info("Invalid")})
    station.card(CARD)
    csms.expect("Authorize", idToken=id_token())
    csms.nothing("TransactionEvent")


@pytest.mark.tc("TC_C_37_CS")
@pytest.mark.req("C11.FR.01", "C11.FR.02", "C11.FR.03")
def test_tc_c_37_the_cache_is_cleared(csms, station):
    cached(csms, station)
    assert csms.call("ClearCache")["status"] == "Accepted"
    charging(csms, station)


@pytest.mark.tc("TC_C_38_CS")
@pytest.mark.req("C11.FR.01", "C11.FR.02", "C11.FR.04")
def test_tc_c_38_a_cache_that_is_switched_off_is_not_cleared(csms, station):
    cached(csms, station)
    assert change(csms, "AuthCacheCtrlr/Enabled", False) == "Accepted"
    assert csms.call("ClearCache")["status"] == "Rejected"


@pytest.mark.tc("TC_C_46_CS")
@pytest.mark.req("C10.FR.08")
def test_tc_c_46_an_unused_card_is_forgotten(csms, station):
    assert change(csms, "AuthCacheCtrlr/LifeTime", 1) == "Accepted"
    cached(csms, station)
    connect(csms, station)
    used = time.monotonic()
    station.wait(lambda: time.monotonic() > used + 1.2, "the end of its life time")
    authorize(csms, station)


@pytest.mark.tc("TC_C_57_CS")
@pytest.mark.req("C12.FR.05", "C10.FR.03")
def test_tc_c_57_the_cache_has_the_last_word(csms, station):
    assert change(csms, "AuthCacheCtrlr/DisablePostAuthorize", True) == "Accepted"
    cached(csms, station, status="Invalid")
    knows(csms, {})
    connect(csms, station)
    station.card(CARD)
    csms.nothing("Authorize", "TransactionEvent")


# -- groups -----------------------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_C_41_CS")
@pytest.mark.req("C09.FR.03", "C09.FR.07")
def test_tc_c_41_another_cached_card_of_the_group_stops(csms, station):
    cached(csms, station, CARD, group=GROUP)
    cached(csms, station, OTHER, group=GROUP)
    knows(csms, {CARD: token_info(group=GROUP), OTHER: token_info(group=GROUP)})
    connect(csms, station)
    station.card(CARD)
    csms.expect("TransactionEvent", eventType="Started", triggerReason="Authorized", idToken=id_token())
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    station.card(OTHER)
    csms.expect("TransactionEvent", triggerReason="StopAuthorized", idToken=id_token(OTHER))
    station.wait_state(None)
    assert len(csms.all("Authorize")) == 2


@pytest.mark.tc("TC_C_44_CS")
@pytest.mark.req("C09.FR.11")
def test_tc_c_44_an_invalid_cached_card_of_the_group_does_not_stop(csms, station):
    cached(csms, station, OTHER, "Invalid", group=GROUP)
    cached(csms, station, CARD, group=GROUP)
    knows(csms, {CARD: token_info(group=GROUP), OTHER: token_info("Invalid", group=GROUP)})
    connect(csms, station)
    station.card(CARD)
    csms.expect("TransactionEvent", eventType="Started", triggerReason="Authorized", idToken=id_token())
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    authorize(csms, station, card=OTHER)
    csms.nothing("TransactionEvent")
    assert station.transaction()["state"] == "Charging"
