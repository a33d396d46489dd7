"""What only 2.x forbids, 1.6 allows: profiles that 2.x would refuse, the cache that is switched off, two tokens of one driver."""

import pytest
from support.station import CARD

START = "2026-01-01T00:00:00Z"


async def ask(station, action: str, payload: dict):
    answer = await station.csms.call(station.clock, action, payload)
    assert answer[0] == 3, answer
    return answer[2]


async def install(station, connector=1, number=1, purpose="TxDefaultProfile", kind="Absolute", limits=(10,), **more):
    periods = [{"startPeriod": 3600 * hour, "limit": limit} for hour, limit in enumerate(limits)]
    start = more.pop("start", START)
    schedule = {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": periods,
        **({"startSchedule": start} if start else {}),
    }
    profile = {
        "chargingProfileId": number,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": schedule,
        **more,
    }
    wish = {"connectorId": connector, "csChargingProfiles": profile}
    return (await ask(station, "SetChargingProfile", wish))["status"]


async def composite(station, connector=1, duration=7200):
    answer = await ask(station, "GetCompositeSchedule", {"connectorId": connector, "duration": duration})
    return [(each["startPeriod"], each["limit"]) for each in answer["chargingSchedule"]["chargingSchedulePeriod"]]


@pytest.mark.req("1.6-5.16", "1.6-7.9")
@pytest.mark.parametrize("wish", [{"kind": "Relative", "start": None}, {"kind": "Relative"}, {"start": None}])
async def test_a_limit_of_the_station_without_a_begin_counts_from_its_arrival(station, wish):
    await station.clock.advance(1000)
    assert await install(station, 0, purpose="ChargePointMaxProfile", limits=(10, 20), **wish) == "Accepted"
    await station.clock.advance(1800)
    assert await composite(station) == [(0, 10), (1800, 20)]
    await station.clock.advance(1800)
    assert await composite(station) == [(0, 20)]


@pytest.mark.req("1.6-5.16")
@pytest.mark.parametrize("purpose", ["TxDefaultProfile", "ChargePointMaxProfile"])
@pytest.mark.parametrize("every", ["Daily", "Weekly"])
async def test_a_recurring_profile_without_a_begin_begins_with_the_day_or_the_week(station, purpose, every):
    wish = {"kind": "Recurring", "recurrencyKind": every, "start": None, "limits": (10, 20)}
    assert await install(station, 0, purpose=purpose, **wish) == "Accepted"
    first_of_week = 4 * 86400  # the first of January 2026 is a Thursday
    await station.clock.advance((first_of_week if every == "Weekly" else 86400) + 1800)
    assert await composite(station) == [(0, 10), (1800, 20)]


@pytest.mark.req("1.6-5.16")
async def test_what_recurs_nobody_knows_when_is_refused(station):
    assert await install(station, kind="Recurring") == "Rejected"


@pytest.mark.req("1.6-7.8")
async def test_a_transaction_id_means_nothing_to_a_default_profile(station):
    assert await install(station, transactionId=4711) == "Accepted"
    assert await install(station, 0, 2, "ChargePointMaxProfile", transactionId=4711) == "Accepted"
    await station.charge()
    assert await install(station, 1, 3, "TxProfile", transactionId=4711) == "Rejected"


@pytest.mark.req("1.6-3.13")
async def test_a_default_of_one_connector_leaves_that_of_the_others(make_station):
    station = await make_station(evses=2)
    assert await install(station, 0, 1, limits=(11,)) == "Accepted"
    assert await install(station, 2, 2, limits=(7,)) == "Accepted"
    assert await composite(station, 1) == [(0, 11)]
    assert await composite(station, 2) == [(0, 7)]


@pytest.mark.req("1.6-5.16")
async def test_one_of_the_same_purpose_and_level_is_replaced_whenever_it_is_valid(station):
    first = {"validFrom": START, "validTo": "2026-01-02T00:00:00Z"}
    second = {"validFrom": "2026-01-02T00:00:00Z", "validTo": "2026-01-03T00:00:00Z"}
    assert await install(station, number=1, **first) == "Accepted"
    assert await install(station, number=2, **second) == "Accepted"
    assert await ask(station, "ClearChargingProfile", {"id": 1}) == {"status": "Unknown"}


@pytest.mark.req("1.6-5.4")
async def test_the_cache_is_cleared_while_it_is_switched_off(make_station):
    station = await make_station(variables={"AuthCacheCtrlr/Enabled": "true", "AuthCtrlr/LocalPreAuthorize": "true"})
    await station.charge()
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    station.model.boolean("AuthCacheCtrlr/Enabled").set(False)
    assert await ask(station, "ClearCache", {}) == {"status": "Accepted"}
    station.model.boolean("AuthCacheCtrlr/Enabled").set(True)
    station.csms.script("Authorize", {"idTagInfo": {"status": "Blocked"}})
    await station.plug()
    await station.present()
    assert not station.hardware.allowed, f"nothing of {CARD} was left"
