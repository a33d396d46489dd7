"""Limits of other systems than the CSMS (use cases K11 to K13)."""

import pytest
from support.k201 import cleared, composite, install, profile, reports, schedule
from support.v201 import change, charging, network

SIGNIFICANCE = "SmartChargingCtrlr/LimitChangeSignificance"


def limit(station, value: float | None, source: str = "EMS", **more) -> dict:
    """What an external system says to the station."""
    return station.post("/api/external_limits", {"source": source, "limit": value, **more})


def offered(station, evse: int = 1) -> float:
    return station.status()["evses"][evse - 1]["ev"]["offered_a"]


@pytest.mark.tc("TC_K_52_CS")
@pytest.mark.req("K11.FR.06", "K12.FR.05")
def test_tc_k_52_an_external_limit_is_reported_as_a_profile(csms, station):
    limit(station, 10)
    [(evse, reported)] = reports(csms, chargingProfilePurpose="ChargingStationExternalConstraints")
    assert evse == 0
    assert reported["chargingProfilePurpose"] == "ChargingStationExternalConstraints"
    assert reported["id"] < 0
    assert reported["chargingSchedule"][0]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10}]
    assert reports(csms, chargingLimitSource=["EMS"]) == [(0, reported)]
    assert csms.all("ReportChargingProfiles")[-1]["chargingLimitSource"] == "EMS"
    assert reports(csms, chargingLimitSource=["CSO"]) == []


@pytest.mark.req("K11.FR.01", "K11.FR.02", "K11.FR.04", "K11.FR.05", "K13.FR.01", "K13.FR.02", "K13.FR.03", "SC.02")
def test_an_external_limit_during_a_transaction(csms, station):
    transaction = charging(csms, station)
    limit(station, 10, "SO", grid_critical=True)
    told, event = csms.expect_all(
        ("NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "SO", "isGridCritical": True}}),
        ("TransactionEvent", {"triggerReason": "ChargingRateChanged"}),
    )
    assert "chargingSchedule" not in told
    assert "evseId" not in told
    assert event["transactionInfo"]["transactionId"] == transaction
    station.wait(lambda: offered(station) == 10, "the limited current")
    limit(station, None, "SO")
    csms.expect_all(
        ("ClearedChargingLimit", {"chargingLimitSource": "SO"}),
        ("TransactionEvent", {"triggerReason": "ChargingRateChanged"}),
    )
    station.wait(lambda: offered(station) == 32, "the full current")


@pytest.mark.req("K12.FR.01", "K12.FR.02", "K12.FR.04", "SC.01")
def test_an_external_limit_without_a_transaction_is_shared_by_those_who_charge_later(csms, station):
    limit(station, 20)
    csms.expect("NotifyChargingLimit", chargingLimit={"chargingLimitSource": "EMS"})
    csms.nothing("TransactionEvent", within=0.1)
    for evse, card in ((1, "04A1"), (2, "04A2")):
        charging(csms, station, evse, card)
    station.wait(lambda: [offered(station, 1), offered(station, 2)] == [10, 10], "equal shares")
    assert composite(csms, 0, 60)["chargingSchedulePeriod"][0]["limit"] == 20


@pytest.mark.req("K11.FR.03", "K12.FR.03")
def test_the_schedule_is_told_where_the_csms_wants_it(csms, station):
    assert change(csms, "SmartChargingCtrlr/NotifyChargingLimitWithSchedules", True) == "Accepted"
    wish = {"source": "EMS", "evse": 1, "unit": "W", "periods": [[0, 4200], [600, 11000]], "duration_s": 1200}
    station.post("/api/external_limits", wish)
    told = csms.expect("NotifyChargingLimit", evseId=1)
    [planned] = told["chargingSchedule"]
    assert (planned["chargingRateUnit"], planned["duration"]) == ("W", 1200)
    assert [(each["startPeriod"], each["limit"]) for each in planned["chargingSchedulePeriod"]] == [
        (0, 4200),
        (600, 11000),
    ]


@pytest.mark.req("SC.03")
def test_small_changes_are_told_once_they_have_added_up(csms, station):
    assert change(csms, SIGNIFICANCE, 10) == "Accepted"
    charging(csms, station)
    limit(station, 20)
    csms.expect_all(("NotifyChargingLimit", {}), ("TransactionEvent", {"triggerReason": "ChargingRateChanged"}))
    limit(station, 19)
    csms.nothing("NotifyChargingLimit", "TransactionEvent", within=0.2)
    station.wait(lambda: offered(station) == 19, "the small change")
    limit(station, 17.5)
    csms.expect("NotifyChargingLimit")


@pytest.mark.req("K10.FR.08", "K10.FR.09")
def test_the_csms_neither_clears_nor_replaces_an_external_limit(csms, station):
    limit(station, 10)
    [(_, external)] = reports(csms)
    assert cleared(csms, chargingProfileId=external["id"]) == "Unknown"
    assert cleared(csms, chargingProfileCriteria={"evseId": 0, "stackLevel": 0}) == "Unknown"
    purpose = {"chargingProfilePurpose": "ChargingStationExternalConstraints"}
    assert cleared(csms, chargingProfileCriteria=purpose) == "Unknown"
    assert install(csms, profile(external["id"], schedule(32)), evse=1) == "Rejected"
    assert reports(csms) == [(0, external)]


@pytest.mark.req("K11.FR.02", "K13.FR.02")
def test_what_happened_offline_is_told_afterwards_even_over_a_restart(setup, csms, station):
    limit(station, 25, "SO")
    csms.expect("NotifyChargingLimit")
    network(station, False)
    csms.wait_disconnected()
    limit(station, 10)
    limit(station, None, "SO")
    station.post("/api/sim/power_cut")
    setup.restart(wait=False)
    csms.expect_all(
        ("NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "EMS"}}),
        ("ClearedChargingLimit", {"chargingLimitSource": "SO"}),
    )
    assert station.status()["evses"][0]["limit"]["current_a"] == 10


def test_without_external_control_nothing_is_limited(csms, station):
    limit(station, 10)
    assert change(csms, "SmartChargingCtrlr/ExternalControlSignalsEnabled", False) == "Accepted"
    assert station.status()["evses"][0]["limit"]["current_a"] == 32
    with pytest.raises(AssertionError, match="switched off"):
        limit(station, 6)
