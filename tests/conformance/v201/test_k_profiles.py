"""Charging profiles set, cleared and reported (use cases K01, K05, K09, K10)."""

import pytest
from support.k201 import cleared, install, profile, reports, schedule
from support.v201 import CARD, TOKEN, booted, charging


@pytest.mark.tc("TC_K_01_CS")
@pytest.mark.req("K01.FR.07", "K01.FR.15")
@pytest.mark.usefixtures("station")
def test_tc_k_01_a_default_profile_for_one_evse(csms):
    wanted = profile(1, schedule(6, duration=300, phases=3))
    assert install(csms, wanted, evse=1) == "Accepted"
    assert reports(csms, chargingProfileId=[1]) == [(1, wanted)]


@pytest.mark.tc("TC_K_02_CS")
@pytest.mark.req("K01.FR.09")
@pytest.mark.usefixtures("station")
def test_tc_k_02_a_tx_profile_needs_a_transaction(csms):
    wanted = profile(1, schedule(6), "TxProfile", transactionId="UNKNOWN-TRANSACTION-ID")
    assert install(csms, wanted, evse=1) == "Rejected"


@pytest.mark.tc("TC_K_03_CS")
@pytest.mark.usefixtures("station")
def test_tc_k_03_a_profile_for_the_whole_station(csms):
    wanted = profile(1, schedule(6, duration=300, phases=3), "ChargingStationMaxProfile")
    assert install(csms, wanted, evse=0) == "Accepted"
    assert reports(csms, chargingProfileId=[1]) == [(0, wanted)]


@pytest.mark.tc("TC_K_04_CS")
@pytest.mark.req("K01.FR.05")
@pytest.mark.usefixtures("station")
def test_tc_k_04_the_same_id_replaces_a_profile(csms):
    install(csms, profile(1, schedule(6)), evse=1)
    wanted = profile(1, schedule(10))
    assert install(csms, wanted, evse=1) == "Accepted"
    assert reports(csms, chargingProfileId=[1]) == [(1, wanted)]


@pytest.mark.tc("TC_K_05_CS")
@pytest.mark.req("K10.FR.03")
@pytest.mark.usefixtures("station")
def test_tc_k_05_a_profile_is_cleared_by_its_id(csms):
    install(csms, profile(1, schedule(6)), evse=1)
    assert cleared(csms, chargingProfileId=1) == "Accepted"
    assert reports(csms, chargingProfileId=[1]) == []


@pytest.mark.tc("TC_K_06_CS")
@pytest.mark.req("K10.FR.04")
def test_tc_k_06_a_profile_is_cleared_by_stack_level_and_purpose(csms, station):
    install(csms, profile(1, schedule(6), stackLevel=1), evse=1)
    charging(csms, station)
    criteria = {"chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 1}
    assert cleared(csms, chargingProfileCriteria=criteria) == "Accepted"
    assert reports(csms, **criteria) == []


@pytest.mark.tc("TC_K_07_CS")
@pytest.mark.req("K10.FR.01")
@pytest.mark.usefixtures("station")
def test_tc_k_07_what_no_profile_is_cannot_be_cleared(csms):
    install(csms, profile(1, schedule(6), stackLevel=1), evse=1)
    criteria = {"chargingProfilePurpose": "ChargingStationMaxProfile", "stackLevel": 0}
    assert cleared(csms, chargingProfileCriteria=criteria) == "Unknown"


@pytest.mark.tc("TC_K_08_CS")
@pytest.mark.req("K10.FR.01")
@pytest.mark.usefixtures("station")
def test_tc_k_08_without_profiles_nothing_is_cleared(csms):
    assert cleared(csms, chargingProfileId=1) == "Unknown"


@pytest.mark.tc("TC_K_10_CS")
@pytest.mark.req("K01.FR.07", "K01.FR.14")
@pytest.mark.usefixtures("station")
def test_tc_k_10_a_default_profile_for_every_evse(csms):
    wanted = profile(1, schedule(6, duration=300, phases=3))
    assert install(csms, wanted, evse=0) == "Accepted"
    assert reports(csms, chargingProfileId=[1]) == [(0, wanted)]


@pytest.mark.tc("TC_K_11_CS")
@pytest.mark.req("K01.FR.16")
@pytest.mark.usefixtures("station")
def test_tc_k_11_a_tx_profile_is_for_one_evse(csms):
    assert install(csms, profile(1, schedule(6), "TxProfile"), evse=0) == "Rejected"


@pytest.mark.tc("TC_K_12_CS")
@pytest.mark.req("K01.FR.26")
def test_tc_k_12_a_unit_the_station_does_not_know(setup, csms):
    setup.start(evses=2, variables={"SmartChargingCtrlr/RateUnit": "A"})
    assert install(csms, profile(1, schedule(6000, unit="W")), evse=1) == "Rejected"
    assert install(csms, profile(1, schedule(6)), evse=1) == "Accepted"


@pytest.mark.tc("TC_K_13_CS")
@pytest.mark.req("K01.FR.27")
@pytest.mark.usefixtures("station")
def test_tc_k_13_profiles_survive_a_reboot(setup, csms):
    wanted = profile(1, schedule(6, duration=300, phases=3))
    assert install(csms, wanted, evse=1) == "Accepted"
    csms.call("Reset", {"type": "Immediate"})
    booted(setup, "RemoteReset")
    assert reports(csms, chargingProfileId=[1]) == [(1, wanted)]


@pytest.mark.tc("TC_K_14_CS")
@pytest.mark.req("K01.FR.28")
@pytest.mark.usefixtures("station")
def test_tc_k_14_an_evse_that_is_not_there(csms):
    assert install(csms, profile(1, schedule(6)), evse=3) == "Rejected"


@pytest.mark.tc("TC_K_15_CS")
@pytest.mark.req("K01.FR.29")
def test_tc_k_15_a_station_without_smart_charging(setup, csms):
    setup.start(evses=2, variables={"SmartChargingCtrlr/Available": False})
    answer = csms.call("SetChargingProfile", {"evseId": 1, "chargingProfile": profile(1, schedule(6))})
    assert answer in ("NotSupported", "NotImplemented")


@pytest.mark.tc("TC_K_16_CS")
@pytest.mark.req("K01.FR.33")
def test_tc_k_16_a_transaction_that_is_not_known(csms, station):
    charging(csms, station)
    wanted = profile(1, schedule(6), "TxProfile", transactionId="UNKNOWN-TRANSACTION-ID")
    assert install(csms, wanted, evse=1) == "Rejected"


@pytest.mark.tc("TC_K_19_CS")
@pytest.mark.req("K01.FR.40")
@pytest.mark.parametrize("recurrency", ["Daily", "Weekly"])
@pytest.mark.usefixtures("station")
def test_tc_k_19_a_recurring_profile(csms, recurrency):
    wanted = profile(1, schedule(6, duration=3600), chargingProfileKind="Recurring", recurrencyKind=recurrency)
    assert install(csms, wanted, evse=1) == "Accepted"


@pytest.mark.tc("TC_K_24_CS")
@pytest.mark.req("K10.FR.04")
@pytest.mark.usefixtures("station")
def test_tc_k_24_profiles_of_all_evses_are_cleared_by_stack_level_and_purpose(csms):
    for evse in (1, 2):
        assert install(csms, profile(evse, schedule(6), stackLevel=1), evse=evse) == "Accepted"
    criteria = {"chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 1}
    assert cleared(csms, chargingProfileCriteria=criteria) == "Accepted"
    assert reports(csms, **criteria) == []


# -- reports ----------------------------------------------------------------------------------------------------------

MAX = profile(11, schedule(20), "ChargingStationMaxProfile", stackLevel=1)
DEFAULT = profile(12, schedule(6), stackLevel=2)


@pytest.fixture
def two_profiles(csms, station):
    """One for the station, one for EVSE 1."""
    assert install(csms, MAX, evse=0) == "Accepted"
    assert install(csms, DEFAULT, evse=1) == "Accepted"
    return station


@pytest.mark.req("K09.FR.01", "K09.FR.02", "K09.FR.04", "K09.FR.05", "K09.FR.06")
@pytest.mark.usefixtures("two_profiles")
@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        pytest.param({"evse": 0}, [(0, MAX)], marks=pytest.mark.tc("TC_K_29_CS")),
        pytest.param({"evse": 1}, [(1, DEFAULT)], marks=pytest.mark.tc("TC_K_30_CS")),
        pytest.param({}, [(0, MAX), (1, DEFAULT)], marks=pytest.mark.tc("TC_K_31_CS")),
        pytest.param({"chargingProfileId": [11]}, [(0, MAX)], marks=pytest.mark.tc("TC_K_32_CS")),
        pytest.param({"evse": 1, "stackLevel": 2}, [(1, DEFAULT)], marks=pytest.mark.tc("TC_K_33_CS")),
        pytest.param({"evse": 1, "stackLevel": 1}, [], marks=pytest.mark.tc("TC_K_33_CS")),
        pytest.param({"evse": 1, "chargingLimitSource": ["CSO"]}, [(1, DEFAULT)], marks=pytest.mark.tc("TC_K_34_CS")),
        pytest.param({"evse": 1, "chargingLimitSource": ["EMS"]}, [], marks=pytest.mark.tc("TC_K_34_CS")),
        pytest.param(
            {"evse": 1, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 2},
            [(1, DEFAULT)],
            marks=pytest.mark.tc("TC_K_36_CS"),
        ),
    ],
)
def test_profiles_are_reported_by_every_criterion(csms, criteria, expected):
    assert reports(csms, **criteria) == expected


@pytest.mark.tc("TC_K_35_CS")
@pytest.mark.req("K09.FR.04")
def test_tc_k_35_profiles_are_reported_by_purpose_during_a_transaction(csms, two_profiles):
    transaction = charging(csms, two_profiles)
    own = profile(13, schedule(8), "TxProfile", transactionId=transaction)
    assert install(csms, own, evse=1) == "Accepted"
    assert reports(csms, evse=1, chargingProfilePurpose="TxDefaultProfile") == [(1, DEFAULT)]
    assert reports(csms, evse=1, chargingProfilePurpose="TxProfile") == [(1, own)]


# -- transactions -----------------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_K_60_CS")
@pytest.mark.req("K01.FR.07", "K01.FR.15")
def test_tc_k_60_a_profile_for_the_running_transaction(csms, station):
    transaction = charging(csms, station)
    wanted = profile(
        1, schedule(6, start=None, phases=3), "TxProfile", chargingProfileKind="Relative", transactionId=transaction
    )
    assert install(csms, wanted, evse=1) == "Accepted"
    assert reports(csms, chargingProfileId=[1]) == [(1, wanted)]


REMOTE = {"AuthCtrlr/AuthorizeRemoteStart": True, "TxCtrlr/TxStartPoint": "EVConnected,Authorized"}


def remote_start(csms, station) -> dict:
    """EVConnectedPreSession, then a remote start with a relative TxProfile; gives that profile."""
    station.plug()
    started = csms.expect("TransactionEvent", eventType="Started")["transactionInfo"]["transactionId"]
    wanted = profile(1, schedule(6, start=None, phases=3), "TxProfile", chargingProfileKind="Relative")
    request = {"idToken": TOKEN, "remoteStartId": 7, "evseId": 1, "chargingProfile": wanted}
    assert csms.call("RequestStartTransaction", request) == {"status": "Accepted", "transactionId": started}
    csms.expect("Authorize", idToken=TOKEN)
    event = csms.expect("TransactionEvent", transactionInfo={"remoteStartId": 7}, triggerReason="RemoteStart")
    assert event["idToken"]["idToken"] == CARD
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    return wanted


@pytest.mark.tc("TC_K_37_CS")
@pytest.mark.req("K05.FR.03", "F01.FR.10", "F01.FR.13")
def test_tc_k_37_a_remote_start_with_a_profile(setup, csms):
    station = setup.start(evses=2, variables=REMOTE)
    wanted = remote_start(csms, station)
    [(evse, reported)] = reports(csms, chargingProfileId=[1])
    assert evse == 1
    assert reported.pop("transactionId")
    assert reported == wanted


@pytest.mark.tc("TC_K_38_CS")
@pytest.mark.req("F01.FR.12", "F01.FR.13")
def test_tc_k_38_without_smart_charging_the_profile_of_a_remote_start_is_ignored(setup, csms):
    station = setup.start(evses=2, variables={**REMOTE, "SmartChargingCtrlr/Available": False})
    remote_start(csms, station)
    assert station.status()["evses"][0]["limit"]["current_a"] == 32
