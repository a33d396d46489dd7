"""Authorization (block C): the local authorization list, online and offline."""

import pytest
from support.v201 import (
    CARD,
    authorize,
    cached,
    change,
    charging,
    connect,
    id_token,
    knows,
    listed,
    network,
    offline,
    token_info,
    unplug,
)

OTHER = "04FFEEDDCCBBAA"
GROUP = "FLEET"


@pytest.fixture
def station(setup):
    """A station that trusts its list before it asks."""
    return setup.start(evses=2, variables={"AuthCtrlr/LocalPreAuthorize": True, "LocalAuthListCtrlr/Enabled": True})


# -- online -----------------------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_C_27_CS")
@pytest.mark.req("C14.FR.02")
def test_tc_c_27_an_accepted_card_charges(csms, station):
    change(csms, "TxCtrlr/TxStartPoint", "Authorized")
    listed(csms, {CARD: token_info()})
    station.card(CARD)
    csms.expect("TransactionEvent", eventType="Started", triggerReason="Authorized", idToken=id_token())
    connect(csms, station)
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    assert csms.all("Authorize") == []


@pytest.mark.req("C14.FR.03")
@pytest.mark.parametrize(
    "status",
    [
        pytest.param("Invalid", marks=pytest.mark.tc("TC_C_28_CS")),
        pytest.param("Blocked", marks=pytest.mark.tc("TC_C_29_CS")),
        pytest.param("Expired", marks=pytest.mark.tc("TC_C_30_CS")),
    ],
)
def test_tc_c_28_29_30_another_status_is_asked_about(csms, station, status):
    listed(csms, {CARD: token_info(status)})
    knows(csms, {CARD: token_info(status)})
    connect(csms, station)
    authorize(csms, station)
    csms.nothing("TransactionEvent")


@pytest.mark.tc("TC_C_31_CS")
@pytest.mark.req("C14.FR.03")
def test_tc_c_31_the_csms_accepts_what_the_list_does_not(csms, station):
    listed(csms, {CARD: token_info("Invalid")})
    charging(csms, station)


@pytest.mark.tc("TC_C_58_CS")
@pytest.mark.req("C14.FR.03")
def test_tc_c_58_the_list_has_the_last_word(csms, station):
    assert change(csms, "LocalAuthListCtrlr/DisablePostAuthorize", True) == "Accepted"
    listed(csms, {CARD: token_info("Invalid")})
    connect(csms, station)
    station.card(CARD)
    csms.nothing("Authorize", "TransactionEvent")


@pytest.mark.tc("TC_C_40_CS")
@pytest.mark.req("C09.FR.03", "C09.FR.07")
def test_tc_c_40_another_listed_card_of_the_group_stops(csms, station):
    group = {CARD: token_info(group=GROUP), OTHER: token_info(group=GROUP)}
    listed(csms, group)
    knows(csms, group)
    connect(csms, station)
    station.card(CARD)
    csms.expect("TransactionEvent", eventType="Started", triggerReason="Authorized", idToken=id_token())
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    station.card(OTHER)
    csms.expect("TransactionEvent", triggerReason="StopAuthorized", idToken=id_token(OTHER))
    station.wait_state(None)
    unplug(csms, station)
    assert csms.all("Authorize") == []


@pytest.mark.tc("TC_C_43_CS")
@pytest.mark.req("C09.FR.11")
def test_tc_c_43_an_invalid_listed_card_of_the_group_does_not_stop(csms, station):
    group = {CARD: token_info(group=GROUP), OTHER: token_info("Invalid", group=GROUP)}
    listed(csms, group)
    knows(csms, group)
    connect(csms, station)
    station.card(CARD)
    csms.expect("TransactionEvent", eventType="Started", triggerReason="Authorized", idToken=id_token())
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    authorize(csms, station, card=OTHER)
    csms.nothing("TransactionEvent")
    assert station.transaction()["state"] == "Charging"


# -- offline ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def strict(csms, station):
    """A station that offline knows its list only."""
    assert change(csms, "AuthCtrlr/OfflineTxForUnknownIdEnabled", False) == "Accepted"
    assert change(csms, "AuthCtrlr/LocalAuthorizeOffline", True) == "Accepted"
    return station


@pytest.mark.tc("TC_C_21_CS")
@pytest.mark.req("C13.FR.02")
def test_tc_c_21_a_listed_card_charges_offline(csms, strict):
    listed(csms, {CARD: token_info()})
    offline(csms, strict)
    strict.card(CARD)
    strict.plug()
    strict.wait_state("Charging")
    network(strict, True)
    csms.expect("TransactionEvent", eventType="Started", offline=True, idToken=id_token())
    csms.expect("TransactionEvent", offline=True, transactionInfo={"chargingState": "Charging"})
    strict.card(CARD)
    csms.expect("TransactionEvent", triggerReason="StopAuthorized")
    strict.wait_state(None)
    unplug(csms, strict)
    assert csms.all("Authorize") == []


@pytest.mark.req("C13.FR.02")
@pytest.mark.parametrize(
    "status",
    [
        pytest.param("Invalid", marks=pytest.mark.tc("TC_C_22_CS")),
        pytest.param("Blocked", marks=pytest.mark.tc("TC_C_23_CS")),
        pytest.param("Expired", marks=pytest.mark.tc("TC_C_24_CS")),
    ],
)
def test_tc_c_22_23_24_another_status_is_refused_offline(csms, strict, status):
    listed(csms, {CARD: token_info(status)})
    offline(csms, strict)
    strict.plug()
    strict.card(CARD)
    network(strict, True)
    csms.expect("StatusNotification", evseId=1, connectorStatus="Occupied")
    csms.nothing("Authorize", "TransactionEvent")


@pytest.mark.tc("TC_C_25_CS")
@pytest.mark.req("C13.FR.01", "C14.FR.01")
def test_tc_c_25_the_list_comes_before_the_cache(csms, station):
    for name in ("AuthCtrlr/OfflineTxForUnknownIdEnabled", "AuthCtrlr/LocalAuthorizeOffline"):
        assert change(csms, name, True) == "Accepted"
    cached(csms, station)
    listed(csms, {CARD: token_info("Invalid")})
    connect(csms, station)
    offline(csms, station)
    station.card(CARD)
    network(station, True)
    csms.wait_connection(2)
    csms.nothing("Authorize", "TransactionEvent")


@pytest.mark.tc("TC_C_26_CS")
@pytest.mark.req("C15.FR.02", "C15.FR.06", "C15.FR.08", "C13.FR.04")
def test_tc_c_26_an_unknown_card_charges_offline(csms, station):
    assert change(csms, "AuthCtrlr/OfflineTxForUnknownIdEnabled", True) == "Accepted"
    assert change(csms, "TxCtrlr/StopTxOnInvalidId", False) == "Accepted"
    offline(csms, station)
    station.card(CARD)
    station.plug()
    station.wait_state("Charging")
    knows(csms, {CARD: token_info("Invalid")})
    network(station, True)
    csms.expect("TransactionEvent", eventType="Started", offline=True, idToken=id_token())
    csms.expect("TransactionEvent", offline=True, transactionInfo={"chargingState": "Charging"})
    csms.expect("TransactionEvent", eventType="Updated", transactionInfo={"chargingState": "SuspendedEVSE"})
    station.card(CARD)
    csms.expect("TransactionEvent", triggerReason="StopAuthorized")
