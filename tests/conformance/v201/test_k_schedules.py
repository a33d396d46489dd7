"""What follows from charging profiles: composite schedules (use cases K01, K08, K10)."""

from datetime import UTC, datetime

import pytest
from support.k201 import cleared, composite, install, instant, periods, profile, schedule
from support.v201 import authorize, change, charging, connect


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.tc("TC_K_09_CS")
@pytest.mark.req("K10.FR.07")
def test_tc_k_09_a_default_profile_is_cleared_during_a_transaction(csms, station):
    assert change(csms, "SmartChargingCtrlr/LimitChangeSignificance", 1.0) == "Accepted"
    assert install(csms, profile(1, schedule(6, start=instant(-5), duration=400, phases=3)), evse=1) == "Accepted"
    charging(csms, station)
    assert composite(csms, 1, 300)["chargingSchedulePeriod"][0]["limit"] == 6
    assert cleared(csms, chargingProfileCriteria={"chargingProfilePurpose": "TxDefaultProfile"}) == "Accepted"
    first = composite(csms, 1, 300)["chargingSchedulePeriod"][0]
    assert (first["startPeriod"], first["limit"]) == (0, 32)
    station.wait(lambda: station.status()["evses"][0]["ev"]["offered_a"] == 32, "the full current")


@pytest.mark.tc("TC_K_21_CS")
@pytest.mark.req("K01.FR.36")
@pytest.mark.usefixtures("station")
def test_tc_k_21_a_profile_holds_from_valid_from_on(csms, now):
    wanted = profile(1, schedule(6, start=None, phases=3), chargingProfileKind="Relative", validFrom=instant(300, now))
    assert install(csms, wanted, evse=1) == "Accepted"
    assert periods(composite(csms, 1, 400), now) == [(0, 32), (300, 6)]


@pytest.mark.tc("TC_K_22_CS")
@pytest.mark.req("K01.FR.37")
@pytest.mark.usefixtures("station")
def test_tc_k_22_a_profile_holds_until_valid_to(csms, now):
    planned = schedule(6, start=instant(-1, now), phases=3)
    wanted = profile(1, planned, validFrom=instant(-5, now), validTo=instant(300, now))
    assert install(csms, wanted, evse=0) == "Accepted"
    assert periods(composite(csms, 0, 400), now) == [(0, 12), (300, 64)]
    for evse in (1, 2):
        assert periods(composite(csms, evse, 400), now) == [(0, 6), (300, 32)]


@pytest.mark.tc("TC_K_23_CS")
@pytest.mark.req("K01.FR.30")
@pytest.mark.usefixtures("station")
def test_tc_k_23_a_profile_holds_from_the_start_of_its_schedule_on(csms, now):
    assert install(csms, profile(1, schedule(6, start=instant(60, now), phases=3)), evse=1) == "Accepted"
    assert periods(composite(csms, 1, 300), now) == [(0, 32), (60, 6)]


@pytest.mark.tc("TC_K_28_CS")
@pytest.mark.req("K01.FR.32")
def test_tc_k_28_a_default_profile_holds_for_the_running_transaction(csms, station):
    assert change(csms, "SmartChargingCtrlr/LimitChangeSignificance", 1.0) == "Accepted"
    charging(csms, station)
    assert install(csms, profile(1, schedule(6, start=instant(-5), duration=405, phases=3)), evse=1) == "Accepted"
    first = composite(csms, 1, 300)["chargingSchedulePeriod"][0]
    assert (first["startPeriod"], first["limit"]) == (0, 6)
    station.wait(lambda: station.status()["evses"][0]["ev"]["offered_a"] == 6, "the lower current")


@pytest.mark.tc("TC_K_39_CS")
@pytest.mark.req("K08.FR.02", "K08.FR.03", "K08.FR.06")
@pytest.mark.usefixtures("station")
def test_tc_k_39_the_composite_schedule_without_any_profile(csms):
    assert composite(csms, 0, 300)["chargingSchedulePeriod"][0]["startPeriod"] == 0


@pytest.mark.tc("TC_K_40_CS")
@pytest.mark.req("K08.FR.02", "K08.FR.06")
@pytest.mark.usefixtures("station")
def test_tc_k_40_the_higher_stack_level_goes_first(csms, now):
    start = instant(-5, now)
    low = schedule(6, 8, 10, at=(100, 200), start=start, duration=405, phases=3)
    high = schedule(7, 9, at=(100,), start=start, duration=155, phases=3)
    assert install(csms, profile(1, low, stackLevel=0), evse=1) == "Accepted"
    assert install(csms, profile(2, high, stackLevel=1), evse=1) == "Accepted"
    found = periods(composite(csms, 1, 350), now)
    assert found == [(0, 7), (95, 9), (150, 8), (195, 10)]


@pytest.mark.tc("TC_K_41_CS")
@pytest.mark.req("K08.FR.02", "K08.FR.04")
def test_tc_k_41_the_lowest_limit_of_all_purposes_holds(csms, station):
    transaction = charging(csms, station)
    now = datetime.now(UTC)
    start = instant(0, now)
    most = schedule(10, start=start, duration=86400, phases=3)
    default = schedule(6, 10, 8, 15, 8, at=(60, 120, 180, 260), start=start, duration=300, phases=3)
    own = schedule(8, 11, 16, 6, 12, at=(50, 140, 200, 240), start=start, duration=260, phases=3)
    assert install(csms, profile(1, most, "ChargingStationMaxProfile"), evse=0) == "Accepted"
    assert install(csms, profile(2, default), evse=1) == "Accepted"
    assert install(csms, profile(3, own, "TxProfile", transactionId=transaction), evse=1) == "Accepted"
    found = periods(composite(csms, 1, 400), now)
    assert found == [(0, 8), (50, 10), (200, 6), (240, 10), (260, 8), (300, 10)]


@pytest.mark.tc("TC_K_42_CS")
@pytest.mark.req("K08.FR.07")
def test_tc_k_42_a_unit_the_station_does_not_know(setup, csms):
    setup.start(variables={"SmartChargingCtrlr/RateUnit": "A"})
    answer = csms.call("GetCompositeSchedule", {"evseId": 0, "duration": 300, "chargingRateUnit": "W"})
    assert answer["status"] == "Rejected"
    assert "schedule" not in answer


@pytest.mark.tc("TC_K_47_CS")
@pytest.mark.req("K08.FR.05")
@pytest.mark.usefixtures("station")
def test_tc_k_47_an_evse_that_is_not_there(csms):
    answer = csms.call("GetCompositeSchedule", {"evseId": 3, "duration": 300, "chargingRateUnit": "A"})
    assert answer["status"] == "Rejected"
    assert "schedule" not in answer


@pytest.mark.req("K02.FR.02")
def test_the_pilot_offers_what_the_profile_allows_once_the_driver_is_authorized(csms, station):
    assert install(csms, profile(1, schedule(8)), evse=1) == "Accepted"
    connect(csms, station)
    assert station.status()["evses"][0]["ev"]["offered_a"] == 0
    authorize(csms, station)
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    assert station.status()["evses"][0]["ev"]["offered_a"] == 8


@pytest.mark.req("K04.FR.02")
def test_the_connection_to_the_grid_is_a_fixed_limit_for_all_evses(setup, csms):
    station = setup.start(evses=2, sections="[smart_charging]\ngrid_limit_a = 20")
    for evse, card in ((1, "04A1"), (2, "04A2")):
        charging(csms, station, evse, card)
    station.wait(
        lambda: [each["ev"]["offered_a"] for each in station.status()["evses"]] == [10, 10], "half of it for each"
    )
    assert composite(csms, 0, 60)["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 20, "numberPhases": 3}]
    assert composite(csms, 1, 60)["chargingSchedulePeriod"][0]["limit"] == 20
