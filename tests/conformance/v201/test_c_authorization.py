"""Authorization (block C): asking the CSMS, groups, the master pass."""

import pytest
from support.v201 import CARD, authorize, change, charging, connect, id_token, knows, token_info, unplug

OTHER = "04FFEEDDCCBBAA"
GROUP = "FLEET"
MASTER = "SERVICE"
MASTER_CARD = "04000000000001"


@pytest.mark.req("C01.FR.02")
@pytest.mark.parametrize(
    "status",
    [
        pytest.param("Invalid", marks=pytest.mark.tc("TC_C_02_CS")),
        pytest.param("Unknown", marks=[pytest.mark.tc("TC_C_02_CS"), pytest.mark.tc("TC_C_56_CS")]),
        pytest.param("Blocked", marks=pytest.mark.tc("TC_C_06_CS")),
        pytest.param("Expired", marks=pytest.mark.tc("TC_C_07_CS")),
    ],
)
def test_tc_c_02_06_07_56_refused_with_the_cable_in(csms, station, status):
    knows(csms, {CARD: token_info(status)})
    connect(csms, station)
    station.card(CARD)
    assert csms.expect("Authorize")["idToken"] == id_token()
    csms.nothing("TransactionEvent")


@pytest.mark.tc("TC_C_05_CS")
@pytest.mark.req("C01.FR.02")
def test_tc_c_05_refused_before_the_cable_is_in(csms, station):
    knows(csms, {CARD: token_info("Invalid")})
    change(csms, "TxCtrlr/TxStartPoint", "Authorized")
    station.card(CARD)
    assert csms.expect("Authorize")["idToken"] == id_token()
    csms.nothing("TransactionEvent")


@pytest.mark.tc("TC_C_04_CS")
@pytest.mark.req("C01.FR.02", "C01.FR.03")
def test_tc_c_04_another_card_does_not_stop(csms, station):
    transaction = charging(csms, station)
    authorize(csms, station, card=OTHER)
    csms.nothing("TransactionEvent")
    assert station.transaction()["id"] == transaction


@pytest.mark.tc("TC_C_39_CS")
@pytest.mark.req("C09.FR.03", "C09.FR.05")
def test_tc_c_39_another_card_of_the_group_stops(csms, station):
    knows(csms, {CARD: token_info(group=GROUP), OTHER: token_info(group=GROUP)})
    connect(csms, station)
    authorize(csms, station)
    csms.expect("TransactionEvent", eventType="Started", triggerReason="Authorized", idToken=id_token())
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    authorize(csms, station, card=OTHER)
    csms.expect("TransactionEvent", triggerReason="StopAuthorized", idToken=id_token(OTHER))
    station.wait_state(None)
    unplug(csms, station)


@pytest.mark.tc("TC_C_42_CS")
@pytest.mark.req("C09.FR.11")
def test_tc_c_42_an_invalid_card_of_the_group_does_not_stop(csms, station):
    knows(csms, {CARD: token_info(group=GROUP), OTHER: token_info("Invalid", group=GROUP)})
    charging(csms, station)
    authorize(csms, station, card=OTHER)
    csms.nothing("TransactionEvent")
    assert station.transaction()["state"] == "Charging"


@pytest.fixture
def with_master_pass(csms, station):
    return master_pass(csms, station)


@pytest.fixture
def with_choice(setup, csms):
    """A station with a user interface for whoever holds the master pass."""
    return master_pass(csms, setup.start(evses=2, station="master_pass_choice = true"))


def master_pass(csms, station):
    assert change(csms, "AuthCtrlr/MasterPassGroupId", MASTER) == "Accepted"
    knows(csms, {MASTER_CARD: token_info(group=MASTER)})
    return station


@pytest.mark.tc("TC_C_45_CS")
@pytest.mark.req("C16.FR.03")
def test_tc_c_45_a_master_pass_starts_nothing(csms, with_master_pass):
    assert change(csms, "TxCtrlr/TxStartPoint", "Authorized,PowerPathClosed") == "Accepted"
    authorize(csms, with_master_pass, card=MASTER_CARD)
    connect(csms, with_master_pass)
    csms.nothing("TransactionEvent")


def ended_by_master_pass(csms, *evses):
    master = {"idToken": id_token(MASTER_CARD), "transactionInfo": {"stoppedReason": "MasterPass"}}
    csms.expect_all(*[("TransactionEvent", {"eventType": "Ended", "evse": {"id": evse}, **master}) for evse in evses])


@pytest.mark.req("C16.FR.01")
@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param([], marks=pytest.mark.tc("TC_C_47_CS")),
        pytest.param([1], marks=pytest.mark.tc("TC_C_48_CS")),
    ],
    ids=["all", "one"],
)
def test_tc_c_47_48_what_a_master_pass_stops_is_chosen(csms, with_choice, chosen):
    charging(csms, with_choice, 1)
    charging(csms, with_choice, 2, OTHER)
    authorize(csms, with_choice, card=MASTER_CARD)
    with_choice.wait(lambda: with_choice.status()["master_pass_waits"], "the question what to stop")
    csms.nothing("TransactionEvent")
    with_choice.post("/api/master_pass", {"evses": chosen})
    ended_by_master_pass(csms, *(chosen or [1, 2]))
    unplug(csms, with_choice, 1)
    assert not with_choice.status()["master_pass_waits"]
    if chosen:
        csms.nothing("TransactionEvent")
        assert with_choice.transaction(2)["state"] == "Charging"


@pytest.mark.tc("TC_C_49_CS")
@pytest.mark.req("C16.FR.02")
def test_tc_c_49_a_master_pass_stops_everything(csms, with_master_pass):
    charging(csms, with_master_pass, 1)
    charging(csms, with_master_pass, 2, OTHER)
    authorize(csms, with_master_pass, card=MASTER_CARD)
    ended_by_master_pass(csms, 1, 2)
    for evse in (1, 2):
        unplug(csms, with_master_pass, evse)
