from datetime import timedelta

import pytest
from support.station import CARD

from ocpp.charge_point import IdToken
from ocpp.versions import OcppVersion

NOW = "2026-01-01T00:00:00Z"


async def ask(station, action: str, payload: dict):
    answer = await station.csms.call(station.clock, action, payload)
    assert answer[0] == 3, answer
    return answer[2]


def profile(limit: float = 10, number: int = 1, purpose: str = "TxDefaultProfile", **more) -> dict:
    schedule = {
        "id": 1,
        "chargingRateUnit": "A",
        "startSchedule": NOW,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    for key, value in more.pop("schedule", {}).items():
        schedule[key] = value
        if value is None:
            del schedule[key]
    made = {
        "id": number,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
    }
    return made | more


async def install(station, *, evse: int = 1, **wish) -> str:
    answer = await ask(station, "SetChargingProfile", {"evseId": evse, "chargingProfile": profile(**wish)})
    return answer["status"] if answer["status"] == "Accepted" else answer["statusInfo"]["reasonCode"]


async def installed(station, **criteria) -> list[int]:
    evse = criteria.pop("evseId", None)
    payload = {"requestId": 5, "chargingProfile": criteria} | ({"evseId": evse} if evse is not None else {})
    before = len(station.csms.of("ReportChargingProfiles"))
    answer = await ask(station, "GetChargingProfiles", payload)
    await station.settle()
    reports = station.csms.of("ReportChargingProfiles")[before:]
    assert (answer["status"] == "Accepted") is bool(reports)
    return sorted(each["id"] for report in reports for each in report["chargingProfile"])


async def composite(station, evse: int = 1, duration: int = 600, **more) -> list[tuple[int, float]]:
    answer = await ask(station, "GetCompositeSchedule", {"evseId": evse, "duration": duration, **more})
    assert answer["status"] == "Accepted"
    return [(each["startPeriod"], each["limit"]) for each in answer["schedule"]["chargingSchedulePeriod"]]


def allowed(station, evse: int = 1) -> float:
    return station.hardware.allowed[evse].current_a


@pytest.mark.req("K01.FR.07", "K01.FR.32", "K03.FR.03")
async def test_a_profile_limits_the_session_that_goes_on(station):
    await station.charge()
    assert allowed(station) == 32
    assert await install(station, limit=13) == "Accepted"
    assert allowed(station) == 13
    await ask(station, "ClearChargingProfile", {"chargingProfileId": 1})
    assert allowed(station) == 32


@pytest.mark.req("K01.FR.12", "K01.FR.30", "K10.FR.05")
async def test_the_limit_follows_the_schedule_by_itself(station):
    periods = [{"startPeriod": 0, "limit": 10}, {"startPeriod": 60, "limit": 16}, {"startPeriod": 120, "limit": 0}]
    await install(station, schedule={"chargingSchedulePeriod": periods, "duration": 180})
    await station.charge()
    seen = [allowed(station)]
    for _ in range(3):
        await station.clock.advance(60)
        seen.append(allowed(station))
    assert seen == [10, 16, 0, 32]
    states = [event["transactionInfo"].get("chargingState") for event in station.events]
    assert "Charging" in states


async def test_a_pause_by_limit_is_reported_as_one_by_the_evse(station):
    await station.charge()
    await install(station, limit=0)
    await station.draw(flowing=False)
    assert station.events[-1]["transactionInfo"]["chargingState"] == "SuspendedEVSE"


@pytest.mark.req("K01.FR.01", "K01.FR.03", "K01.FR.04", "K02.FR.04", "K02.FR.05")
async def test_a_tx_profile_lives_and_dies_with_its_transaction(station):
    await install(station, limit=10)
    await station.charge()
    transaction = station.events[0]["transactionInfo"]["transactionId"]
    assert await install(station, limit=20, number=2, purpose="TxProfile", transactionId=transaction) == "Accepted"
    assert allowed(station) == 20
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    assert await installed(station) == [1]


@pytest.mark.req("K01.FR.09", "K01.FR.33", "K01.FR.16")
@pytest.mark.parametrize("wish", [{"transactionId": "unknown"}, {}, {"evse": 0}])
async def test_a_tx_profile_without_its_transaction_is_rejected(station, wish):
    await station.charge()
    assert await install(station, purpose="TxProfile", **wish) in ("TxNotFound", "InvalidProfile")


@pytest.mark.req("K01.FR.05")
async def test_the_same_id_replaces_a_profile(station):
    await install(station, limit=10)
    assert await install(station, limit=12, stackLevel=3) == "Accepted"
    assert await installed(station) == [1]


@pytest.mark.req("K01.FR.06", "K01.FR.52", "K01.FR.53")
@pytest.mark.parametrize(("first", "second"), [(1, 1), (0, 1), (1, 0)])
async def test_two_profiles_of_one_stack_level_do_not_stand_side_by_side(station, first, second):
    await install(station, evse=first)
    assert await install(station, evse=second, number=2) == "DuplicateProfile"
    assert await install(station, evse=second, number=2, stackLevel=1) == "Accepted"


async def test_of_the_same_stack_level_they_may_follow_each_other(station):
    assert await install(station, validTo="2026-01-01T01:00:00Z") == "Accepted"
    assert await install(station, number=2, validFrom="2026-01-01T01:00:00Z") == "Accepted"


BEYOND_TIME = [{"startPeriod": 0, "limit": 1}, {"startPeriod": 10**400, "limit": 2}]
BAD_ORDER = [{"startPeriod": 0, "limit": 1}, {"startPeriod": 60, "limit": 2}, {"startPeriod": 30, "limit": 3}]


@pytest.mark.req("K01.FR.28", "K01.FR.31", "K01.FR.35", "K01.FR.38", "K01.FR.40", "K01.FR.41", "K01.FR.48", "K04.FR.03")
@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"evse": 9}, "UnknownEvse"),
        ({"stackLevel": 1000}, "InvalidStackLevel"),
        ({"schedule": {"chargingSchedulePeriod": [{"startPeriod": 5, "limit": 10}]}}, "InvalidSchedule"),
        ({"schedule": {"chargingSchedulePeriod": BAD_ORDER}}, "InvalidSchedule"),
        ({"schedule": {"chargingSchedulePeriod": BEYOND_TIME}}, "InvalidSchedule"),
        ({"schedule": {"startSchedule": None}}, "InvalidSchedule"),
        ({"chargingProfileKind": "Relative"}, "InvalidSchedule"),
        ({"chargingProfileKind": "Recurring"}, "InvalidProfile"),
        ({"purpose": "ChargingStationMaxProfile"}, "InvalidProfile"),
        ({"purpose": "ChargingStationExternalConstraints", "evse": 0}, "InvalidProfile"),
        (
            {
                "schedule": {
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 9, "numberPhases": 1, "phaseToUse": 2}]
                }
            },
            "UnsupportedParam",
        ),
    ],
)
async def test_a_profile_that_breaks_a_rule_is_rejected_with_its_reason(station, wish, reason):
    assert await install(station, **wish) == reason
    assert await installed(station) == []


@pytest.mark.req("K01.FR.27")
async def test_profiles_survive_a_power_cut(make_station):
    first = await make_station()
    await install(first, limit=9)
    await first.stop()
    second = await make_station()
    assert await installed(second) == [1]
    await second.charge()
    assert allowed(second) == 9


@pytest.mark.req("K04.FR.05")
async def test_the_stations_limit_is_shared_by_those_who_charge(make_station):
    station = await make_station(evses=2)
    await install(station, evse=0, limit=20, purpose="ChargingStationMaxProfile")
    await station.charge(1)
    assert allowed(station, 1) == 20
    await station.plug(2)
    await station.present("OTHERCARD", evse_ids=(2,))
    assert (allowed(station, 1), allowed(station, 2)) == (10, 10)


# -- composite schedules ----------------------------------------------------------------------------------------------


@pytest.mark.req("K08.FR.02", "K08.FR.06")
async def test_the_composite_schedule_shows_what_is_to_come(station):
    await install(station, limit=10, schedule={"duration": 120})
    assert await composite(station, duration=300) == [(0, 10), (120, 32)]
    assert await composite(station, duration=100, chargingRateUnit="W") == [(0, 6900)]
    await station.clock.advance(60)
    assert await composite(station, duration=300) == [(0, 10), (60, 32)]


@pytest.mark.req("K08.FR.03")
async def test_the_grid_connection_is_the_sum_within_the_stations_limit(make_station):
    station = await make_station(evses=2)
    await install(station, limit=10, evse=1)
    assert await composite(station, 0) == [(0, 42)]
    await install(station, limit=25, number=2, evse=0, purpose="ChargingStationMaxProfile")
    assert await composite(station, 0) == [(0, 25)]
    assert await composite(station, 2) == [(0, 25)]


@pytest.mark.req("K08.FR.05")
async def test_an_unknown_evse_has_no_composite_schedule(station):
    answer = await ask(station, "GetCompositeSchedule", {"evseId": 9, "duration": 60})
    assert answer["status"] == "Rejected"


# -- asking and clearing ----------------------------------------------------------------------------------------------


@pytest.mark.req("K09.FR.01", "K09.FR.04", "K09.FR.05", "K09.FR.06")
async def test_profiles_are_reported_as_they_were_set(station):
    await install(station, number=1, evse=1, limit=10)
    await install(station, number=2, evse=0, stackLevel=1, purpose="ChargingStationMaxProfile")
    assert await installed(station) == [1, 2]
    assert await installed(station, evseId=0) == [2]
    assert await installed(station, evseId=1) == [1]
    assert await installed(station, chargingProfileId=[2]) == [2]
    assert await installed(station, stackLevel=1) == [2]
    assert await installed(station, chargingProfilePurpose="TxDefaultProfile") == [1]
    assert await installed(station, chargingLimitSource=["EMS"]) == []
    report = [each for each in station.csms.of("ReportChargingProfiles") if each["evseId"] == 1][-1]
    assert report["chargingProfile"] == [profile()]
    assert report["requestId"] == 5


@pytest.mark.req("K09.FR.02")
async def test_many_profiles_are_reported_in_several_messages(station):
    for number in range(1, 13):
        await install(station, number=number, stackLevel=number)
    assert await installed(station) == list(range(1, 13))
    assert [each.get("tbc", False) for each in station.csms.of("ReportChargingProfiles")] == [True, False]


@pytest.mark.req("K10.FR.01", "K10.FR.03", "K10.FR.04")
@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ({"chargingProfileId": 1}, [2, 3]),
        ({"chargingProfileCriteria": {"evseId": 0}}, [1]),
        ({"chargingProfileCriteria": {"stackLevel": 1}}, [1, 3]),
        ({"chargingProfileCriteria": {"chargingProfilePurpose": "TxDefaultProfile"}}, [3]),
        ({"chargingProfileCriteria": {"evseId": 0, "chargingProfilePurpose": "TxDefaultProfile"}}, [1, 3]),
        ({}, []),
    ],
)
async def test_profiles_are_cleared_by_every_criterion(station, criteria, left):
    await install(station, number=1, evse=1)
    await install(station, number=2, evse=0, stackLevel=1)
    await install(station, number=3, evse=0, purpose="ChargingStationMaxProfile")
    assert (await ask(station, "ClearChargingProfile", criteria))["status"] == "Accepted"
    assert await installed(station) == left
    assert (await ask(station, "ClearChargingProfile", {"chargingProfileId": 77}))["status"] == "Unknown"


# -- remote start -----------------------------------------------------------------------------------------------------


async def remote_start(station, given: dict) -> str:
    payload = {
        "remoteStartId": 1,
        "evseId": 1,
        "idToken": {"idToken": CARD, "type": "Central"},
        "chargingProfile": given,
    }
    return (await ask(station, "RequestStartTransaction", payload))["status"]


@pytest.mark.req("K05.FR.01", "K05.FR.02", "K05.FR.03")
async def test_a_remote_start_brings_its_profile(station):
    relative = {"chargingProfileKind": "Relative", "schedule": {"startSchedule": None}}
    assert await remote_start(station, profile(14, purpose="TxProfile", **relative)) == "Accepted"
    await station.plug()
    await station.draw()
    assert allowed(station) == 14
    assert await installed(station, chargingProfilePurpose="TxProfile") == [1]


@pytest.mark.req("K05.FR.05")
async def test_a_remote_start_with_a_bad_profile_is_rejected(station):
    assert await remote_start(station, profile()) == "Rejected"
    bad = {"chargingSchedulePeriod": [{"startPeriod": 9, "limit": 1}]}
    assert await remote_start(station, profile(purpose="TxProfile", schedule=bad)) == "Rejected"


@pytest.mark.req("K05.FR.04")
async def test_switched_off_the_profile_of_a_remote_start_is_ignored(make_station):
    station = await make_station(variables={"SmartChargingCtrlr/Enabled": "false"})
    assert await remote_start(station, profile()) == "Accepted"
    assert await install(station) == "NotEnabled"


@pytest.mark.req("K01.FR.29")
async def test_without_the_block_its_calls_are_not_supported(make_station):
    station = await make_station(variables={"SmartChargingCtrlr/Available": "false"})
    answer = await station.csms.call(station.clock, "GetChargingProfiles", {"requestId": 1, "chargingProfile": {}})
    assert answer[2] == "NotSupported"


async def test_a_profile_is_obeyed_after_an_interruption(make_station):
    settings = {"TxCtrlr/ResumptionTimeout": 3600}
    first = await make_station(variables=settings)
    await first.charge()
    transaction = first.events[0]["transactionInfo"]["transactionId"]
    await install(first, limit=11, purpose="TxProfile", transactionId=transaction)
    clock = first.clock
    await first.stop()
    await clock.advance(timedelta(minutes=1))
    second = await make_station(variables=settings, clock=clock)
    await second.plug()
    await second.settle()
    assert allowed(second) == 11


# -- phases -----------------------------------------------------------------------------------------------------------


def with_phases(phases: int) -> dict:
    return {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10, "numberPhases": phases}]}


@pytest.mark.req("K01.FR.43")
async def test_fewer_phases_are_not_promised_where_they_cannot_be_switched(station):
    assert await install(station, schedule=with_phases(1)) == "UnsupportedParam"
    assert await install(station, schedule=with_phases(3)) == "Accepted"


@pytest.mark.req("K01.FR.43", "K05.FR.05")
async def test_nor_are_they_for_a_remote_start(station):
    relative = {"startSchedule": None, **with_phases(1)}
    wanted = profile(purpose="TxProfile", chargingProfileKind="Relative", schedule=relative)
    assert await remote_start(station, wanted) == "Rejected"


@pytest.mark.req("K01.FR.43")
async def test_a_station_that_switches_phases_takes_fewer(make_station):
    station = await make_station(variables={"SmartChargingCtrlr/Phases3to1": "true"})
    assert await install(station, schedule=with_phases(1)) == "Accepted"
    await station.charge()
    assert station.hardware.allowed[1].phases == 1


@pytest.mark.req("K01.FR.45", "K01.FR.47")
@pytest.mark.parametrize("phases", [1, 3])
async def test_a_single_phase_evse_charges_with_its_one_phase(station, phases):
    station.charge_point.evses[1].connectors[0].phases = 1
    assert await install(station, schedule=with_phases(phases)) == "Accepted"
    await station.charge()
    assert (allowed(station), station.hardware.allowed[1].phases) == (10, 1)


# -- how long, and without the CSMS -----------------------------------------------------------------------------------


@pytest.mark.req("K01.FR.10")
async def test_a_profile_without_validity_holds_until_it_is_replaced(station):
    await install(station, limit=10)
    await station.clock.advance(timedelta(days=40))
    await station.charge()
    assert allowed(station) == 10
    await install(station, limit=12)
    assert allowed(station) == 12


@pytest.mark.req("K06.FR.01")
async def test_offline_a_tx_profile_holds_until_its_transaction_ends(station):
    await station.charge()
    transaction = station.events[0]["transactionInfo"]["transactionId"]
    periods = [{"startPeriod": 0, "limit": 10}, {"startPeriod": 60, "limit": 16}]
    await install(station, purpose="TxProfile", transactionId=transaction, schedule={"chargingSchedulePeriod": periods})
    await station.disconnect()
    assert allowed(station) == 10
    await station.clock.advance(3600)
    assert allowed(station) == 16


@pytest.mark.req("K06.FR.02", "K07.FR.01")
@pytest.mark.parametrize(("installed", "current"), [(False, 32), (True, 9)])
async def test_offline_the_profiles_that_are_there_hold_and_none_else(make_station, installed, current):
    station = await make_station(variables={"AuthCtrlr/OfflineTxForUnknownIdEnabled": "true"})
    if installed:
        await install(station, limit=9)
    await station.disconnect()
    await station.charge()
    assert allowed(station) == current


# -- sharing ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("K04.FR.01")
async def test_every_evse_follows_its_own_schedule(make_station):
    station = await make_station(evses=2)
    await install(station, evse=1, limit=10)
    await install(station, evse=2, number=2, limit=20)
    await station.charge(1)
    await station.plug(2)
    await station.present("OTHERCARD", evse_ids=(2,))
    assert (allowed(station, 1), allowed(station, 2)) == (10, 20)


async def two_charge(make_station, limit: float, **schedule):
    """Two EVSEs with one limit for both; the first one began first."""
    station = await make_station(evses=2)
    await install(station, evse=0, limit=limit, purpose="ChargingStationMaxProfile", schedule=schedule)
    await station.charge(1)
    await station.clock.advance(10)
    await station.plug(2)
    await station.present("OTHERCARD", evse_ids=(2,))
    await station.draw(2)
    return station


@pytest.mark.req("K04.FR.05")
async def test_where_there_is_not_enough_for_both_the_first_one_charges(make_station):
    station = await two_charge(make_station, 10)
    assert (allowed(station, 1), allowed(station, 2)) == (10, 0)


async def test_an_ev_that_has_enough_lets_the_other_one_charge(make_station):
    station = await two_charge(make_station, 10)
    await station.draw(1, flowing=False)
    assert (allowed(station, 1), allowed(station, 2)) == (0, 10)
    await station.draw(2)
    await station.draw(1)
    assert (allowed(station, 1), allowed(station, 2)) == (10, 0)
    await station.draw(2, flowing=False)  # because it has to, not because it has enough
    await station.draw(1, flowing=False)
    assert (allowed(station, 1), allowed(station, 2)) == (0, 10)


@pytest.mark.req("K01.FR.21", "K02.FR.06", "K03.FR.07", "K04.FR.04")
async def test_nobody_charges_below_the_minimal_rate(make_station):
    station = await two_charge(make_station, 20, minChargingRate=11)
    assert (allowed(station, 1), allowed(station, 2)) == (20, 0)


@pytest.mark.req("K03.FR.05")
async def test_the_priority_of_a_transaction_goes_before_that_of_its_token_and_is_not_kept(make_station):
    station = await make_station(evses=2)
    await install(station, evse=0, limit=10, purpose="ChargingStationMaxProfile")
    await station.charge(1)
    info = {"status": "Accepted", "chargingPriority": -1}
    station.csms.script("TransactionEvent", *[{"idTokenInfo": info, "chargingPriority": 5}] * 3)
    await station.plug(2)
    await station.present("OTHERCARD", evse_ids=(2,))
    await station.draw(2)
    assert (allowed(station, 1), allowed(station, 2)) == (0, 10)
    assert station.charge_point.strategy.authorizer.known(IdToken("OTHERCARD")).priority == -1


async def test_what_2_1_knows_and_the_station_does_not_is_refused(make_station):
    station = await make_station(OcppVersion.V21)
    assert await install(station, chargingProfileKind="Dynamic") == "UnsupportedKind"
    assert await install(station, purpose="LocalGeneration") == "UnsupportedPurpose"
    assert await install(station) == "Accepted"
