"""Local authorization list management (block D)."""

import pytest
from support.v201 import CARD, booted, change, connect, id_token, listed, token_info, value

OTHER = "04FFEEDDCCBBAA"


@pytest.fixture
def station(setup):
    """A station that trusts its list before it asks."""
    return setup.start(evses=2, variables={"AuthCtrlr/LocalPreAuthorize": True, "LocalAuthListCtrlr/Enabled": True})


def update(csms, version, entries, kind="Differential"):
    """SendLocalList; an entry without information takes the card out."""
    wish = {"versionNumber": version, "updateType": kind}
    if entries:
        wish["localAuthorizationList"] = [
            {"idToken": id_token(card), **({"idTokenInfo": info} if info else {})} for card, info in entries.items()
        ]
    return csms.call("SendLocalList", wish)["status"]


def version(csms):
    return csms.call("GetLocalListVersion")["versionNumber"]


def entries(csms):
    return int(value(csms, "LocalAuthListCtrlr/Entries"))


@pytest.mark.tc("TC_D_01_CS")
@pytest.mark.req("D01.FR.02", "D01.FR.15")
def test_tc_d_01_full(csms, station):
    listed(csms, {OTHER: token_info()}, 1)
    assert update(csms, 2, {CARD: token_info()}, "Full") == "Accepted"
    assert (version(csms), entries(csms)) == (2, 1)
    connect(csms, station)
    station.card(CARD)
    csms.expect("TransactionEvent", eventType="Started", idToken=id_token())
    assert csms.all("Authorize") == []


@pytest.mark.tc("TC_D_02_CS")
@pytest.mark.req("D01.FR.02", "D01.FR.16")
def test_tc_d_02_differential(csms, station):
    listed(csms, {CARD: token_info("Invalid")}, 1)
    assert update(csms, 2, {CARD: token_info(), OTHER: token_info()}) == "Accepted"
    assert (version(csms), entries(csms)) == (2, 2)


@pytest.mark.tc("TC_D_03_CS")
@pytest.mark.req("D01.FR.02", "D01.FR.17")
def test_tc_d_03_differential_removes(csms, station):
    listed(csms, {CARD: token_info(), OTHER: token_info()}, 1)
    assert update(csms, 2, {CARD: None}) == "Accepted"
    assert (version(csms), entries(csms)) == (2, 1)
    station.card(CARD)
    csms.expect("Authorize", idToken=id_token())


@pytest.mark.tc("TC_D_04_CS")
@pytest.mark.req("D01.FR.02", "D01.FR.04")
def test_tc_d_04_full_and_empty(csms, station):
    listed(csms, {CARD: token_info()}, 1)
    assert update(csms, 2, {}, "Full") == "Accepted"
    assert (version(csms), entries(csms)) == (2, 0)


@pytest.mark.tc("TC_D_05_CS")
@pytest.mark.req("D01.FR.02", "D01.FR.05")
def test_tc_d_05_differential_and_empty(csms, station):
    listed(csms, {CARD: token_info()}, 1)
    assert update(csms, 2, {}) == "Accepted"
    assert (version(csms), entries(csms)) == (2, 1)


@pytest.mark.tc("TC_D_06_CS")
@pytest.mark.req("D01.FR.19")
@pytest.mark.parametrize("older", [4, 5])
def test_tc_d_06_a_version_that_is_not_newer(csms, station, older):
    listed(csms, {CARD: token_info()}, 5)
    assert update(csms, older, {OTHER: token_info()}) == "VersionMismatch"
    assert (version(csms), entries(csms)) == (5, 1)


@pytest.mark.tc("TC_D_07_CS")
@pytest.mark.req("D01.FR.10")
def test_tc_d_07_the_list_outlives_a_reboot(setup, csms, station):
    listed(csms, {CARD: token_info()}, 3)
    assert csms.call("Reset", {"type": "Immediate"})["status"] == "Accepted"
    booted(setup, "RemoteReset")
    assert (version(csms), entries(csms)) == (3, 1)


@pytest.mark.tc("TC_D_08_CS")
@pytest.mark.req("D02.FR.01")
def test_tc_d_08_the_version(csms, station):
    assert version(csms) == 0
    listed(csms, {CARD: token_info()}, 7)
    assert version(csms) == 7


@pytest.mark.tc("TC_D_10_CS")
@pytest.mark.req("D02.FR.03")
def test_tc_d_10_the_version_of_a_list_that_is_switched_off(csms, station):
    listed(csms, {CARD: token_info()}, 7)
    assert change(csms, "LocalAuthListCtrlr/Enabled", False) == "Accepted"
    assert version(csms) == 0
