import pytest

NOW = "2026-01-01T00:00:00Z"


async def ask(station, action: str, payload: dict):
    answer = await station.csms.call(station.clock, action, payload)
    assert answer[0] == 3, answer
    return answer[2]


def profile(limit: float = 10, number: int = 1, purpose: str = "TxDefaultProfile", **more) -> dict:
    schedule = {
        "chargingRateUnit": "A",
        "startSchedule": NOW,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    } | more.pop("schedule", {})
    made = {
        "chargingProfileId": number,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {key: value for key, value in schedule.items() if value is not None},
    }
    return made | more


async def install(station, *, connector: int = 1, **wish) -> str:
    payload = {"connectorId": connector, "csChargingProfiles": profile(**wish)}
    return (await ask(station, "SetChargingProfile", payload))["status"]


async def clear(station, **criteria) -> str:
    return (await ask(station, "ClearChargingProfile", criteria))["status"]


async def composite(station, connector: int = 1, duration: int = 600, **more) -> list[tuple[int, float]]:
    answer = await ask(station, "GetCompositeSchedule", {"connectorId": connector, "duration": duration, **more})
    assert answer["status"] == "Accepted"
    return [(each["startPeriod"], each["limit"]) for each in answer["chargingSchedule"]["chargingSchedulePeriod"]]


@pytest.mark.parametrize(
    ("phases", "unit", "told"),
    [(2, "A", [(0, 20.0, 2)]), (1, "A", [(0, 20.0, 1)]), (3, "A", [(0, 20.0, 3)]), (2, "W", [(0, 9200.0, 3)])],
)
@pytest.mark.req("1.6-5.7", "1.6-7.12")
async def test_amperes_of_the_whole_station_are_those_of_a_phase(station, phases, unit, told):
    period = {"startPeriod": 0, "limit": 20, "numberPhases": phases}
    assert await install(station, schedule={"chargingSchedulePeriod": [period]}) == "Accepted"
    payload = {"connectorId": 0, "duration": 600, "chargingRateUnit": unit}
    periods = (await ask(station, "GetCompositeSchedule", payload))["chargingSchedule"]["chargingSchedulePeriod"]
    assert [(each["startPeriod"], each["limit"], each["numberPhases"]) for each in periods] == told


@pytest.mark.req("1.6-5.7")
async def test_a_composite_schedule_tells_for_how_long_it_holds(station):
    """A year in a thousand periods a day does not fit into a message: it is told of the time that does."""
    periods = [{"startPeriod": 60 * n, "limit": 6 + n % 2} for n in range(1000)]
    assert (
        await install(
            station,
            chargingProfileKind="Recurring",
            recurrencyKind="Daily",
            schedule={"chargingSchedulePeriod": periods},
        )
        == "Accepted"
    )
    for connector in (0, 1):
        payload = {"connectorId": connector, "duration": 366 * 86400}
        schedule = (await ask(station, "GetCompositeSchedule", payload))["chargingSchedule"]
        told = schedule["chargingSchedulePeriod"]
        assert len(told) == 1024
        assert schedule["duration"] > told[-1]["startPeriod"]
        assert schedule["duration"] == 86400 + 24 * 60


def allowed(station, evse: int = 1) -> float:
    return station.hardware.allowed[evse].current_a


@pytest.mark.req("1.6-5.16", "1.6-3.13")
async def test_a_default_profile_limits_the_charge(station):
    assert await install(station, limit=13) == "Accepted"
    await station.charge()
    assert allowed(station) == 13
    assert await clear(station, id=1) == "Accepted"
    assert allowed(station) == 32
    assert await clear(station, id=1) == "Unknown"


@pytest.mark.req("1.6-3.13", "1.6-5.16")
async def test_a_tx_profile_needs_its_transaction_and_dies_with_it(station):
    assert await install(station, purpose="TxProfile") == "Rejected"
    await station.charge()
    number = station.csms.next_transaction_id
    assert await install(station, purpose="TxProfile", transactionId=number + 1) == "Rejected"
    assert await install(station, limit=9, purpose="TxProfile", transactionId=number) == "Accepted"
    assert allowed(station) == 9
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    await station.charge()
    assert allowed(station) == 32


@pytest.mark.req("1.6-3.13")
async def test_the_purpose_decides_and_never_the_kind(station):
    await station.charge()
    relative = {"chargingProfileKind": "Relative", "schedule": {"startSchedule": None}}
    await install(station, limit=8, number=1, stackLevel=9, **relative)
    await install(station, limit=20, number=2, purpose="TxProfile")
    assert allowed(station) == 20


@pytest.mark.req("1.6-5.16")
async def test_a_profile_of_the_same_purpose_level_and_place_is_replaced(station):
    await install(station, limit=10, number=1)
    assert await install(station, limit=12, number=2) == "Accepted"
    assert await clear(station, id=1) == "Unknown"
    assert await composite(station) == [(0, 12)]


@pytest.mark.req("1.6-3.13")
async def test_the_charge_points_limit_holds_at_connector_0_only(make_station):
    station = await make_station(evses=2)
    assert await install(station, purpose="ChargePointMaxProfile", limit=14) == "Rejected"
    assert await install(station, connector=0, purpose="ChargePointMaxProfile", limit=14) == "Accepted"
    assert await composite(station, 2) == [(0, 14)]


async def test_a_default_profile_at_connector_0_holds_everywhere(make_station):
    station = await make_station(evses=2)
    await install(station, connector=0, limit=11)
    assert [await composite(station, n) for n in (1, 2)] == [[(0, 11)], [(0, 11)]]


@pytest.mark.req("1.6-5.7")
async def test_the_composite_schedule_in_both_units(station):
    periods = [{"startPeriod": 0, "limit": 6.5}, {"startPeriod": 60, "limit": 16, "numberPhases": 1}]
    await install(station, schedule={"chargingSchedulePeriod": periods, "duration": 120})
    assert await composite(station, duration=300) == [(0, 6.5), (60, 16), (120, 32)]
    assert await composite(station, duration=90, chargingRateUnit="W") == [(0, 4485), (60, 3680)]
    answer = await ask(station, "GetCompositeSchedule", {"connectorId": 9, "duration": 60})
    assert answer == {"status": "Rejected"}


@pytest.mark.req("1.6-5.5")
async def test_clearing_by_other_criteria(station):
    await install(station, number=1)
    await install(station, number=2, stackLevel=3)
    await install(station, number=3, connector=0, purpose="ChargePointMaxProfile")
    assert await clear(station, stackLevel=3, connectorId=1) == "Accepted"
    assert await clear(station, chargingProfilePurpose="ChargePointMaxProfile") == "Accepted"
    assert await clear(station, connectorId=0) == "Unknown"
    assert await clear(station) == "Accepted"
    assert await clear(station) == "Unknown"


@pytest.mark.req("1.6-9.4")
async def test_the_keys_of_the_profile_are_its_limits(station):
    found = {key.name: key.value for key in station.keys}
    assert found["ChargingScheduleAllowedChargingRateUnit"] == "Current,Power"
    assert await install(station, stackLevel=int(found["ChargeProfileMaxStackLevel"]) + 1) == "Rejected"
    many = [{"startPeriod": n, "limit": 6} for n in range(int(found["ChargingScheduleMaxPeriods"]) + 1)]
    assert await install(station, schedule={"chargingSchedulePeriod": many}) == "Rejected"
    for number in range(int(found["MaxChargingProfilesInstalled"])):
        assert await install(station, number=number, stackLevel=number % 100) == "Accepted"
    assert "SmartCharging" in found["SupportedFeatureProfiles"]


@pytest.mark.req("1.6-5.11")
async def test_a_remote_start_brings_its_profile(station):
    relative = {"chargingProfileKind": "Relative", "schedule": {"startSchedule": None}}
    payload = {"idTag": "CARD", "connectorId": 1, "chargingProfile": profile(15, purpose="TxProfile", **relative)}
    assert (await ask(station, "RemoteStartTransaction", payload))["status"] == "Accepted"
    await station.plug()
    await station.draw()
    assert allowed(station) == 15


async def test_without_the_profile_it_says_so(make_station):
    station = await make_station(variables={"SmartChargingCtrlr/Available": "false"})
    assert await install(station) == "NotSupported"
    assert "ChargeProfileMaxStackLevel" not in station.keys.names()
