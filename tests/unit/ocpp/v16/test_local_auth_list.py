import pytest
from support.station import CARD


async def ask(station, action: str, payload: dict):
    return (await station.csms.call(station.clock, action, payload))[2]


def entry(card: str = CARD, status: str | None = "Accepted", **more) -> dict:
    return {"idTag": card} | ({"idTagInfo": {"status": status, **more}} if status is not None else {})


async def send(station, version: int, *entries: dict, full: bool = True) -> str:
    payload = {"listVersion": version, "updateType": "Full" if full else "Differential"}
    return (
        await ask(station, "SendLocalList", payload | ({"localAuthorizationList": list(entries)} if entries else {}))
    )["status"]


async def version_of(station) -> int:
    return (await ask(station, "GetLocalListVersion", {}))["listVersion"]


@pytest.mark.req("1.6-5.10", "1.6-5.15", "1.6-3.5.2")
async def test_the_list_is_replaced_updated_and_versioned(station):
    assert await version_of(station) == 0
    assert await send(station, 1, entry("A"), entry("B")) == "Accepted"
    assert await send(station, 2, entry("A", None), entry("C", "Blocked"), full=False) == "Accepted"
    assert await send(station, 2, entry("D"), full=False) == "VersionMismatch"
    assert await version_of(station) == 2
    assert station.model.value("LocalAuthListCtrlr/Entries") == "2"


@pytest.mark.req("1.6-5.10")
async def test_an_empty_list_has_version_0_however_it_became_empty(station):
    assert await send(station, 5, entry("A")) == "Accepted"
    assert await send(station, 6) == "Accepted"
    assert await version_of(station) == 0
    assert await send(station, 3, entry("B"), full=False) == "Accepted"
    assert await version_of(station) == 3
    assert await send(station, 3, entry("C"), full=False) == "VersionMismatch"
    assert await send(station, 4, entry("B", None), full=False) == "Accepted"
    assert await version_of(station) == 0


@pytest.mark.req("1.6-errata-3.52")
@pytest.mark.parametrize("version", [0, -1])
async def test_versions_with_a_special_meaning_are_refused(station, version):
    assert await send(station, version, entry("A")) == "Failed"


async def test_a_tag_twice_fails_the_update(station):
    assert await send(station, 1, entry("A"), entry("a")) == "Failed"


@pytest.mark.req("1.6-9.2")
async def test_the_keys_of_the_profile(station):
    found = {key.name: key.value for key in station.keys}
    assert found["LocalAuthListEnabled"] == "true"
    assert int(found["LocalAuthListMaxLength"]) >= int(found["SendLocalListMaxLength"]) > 0
    assert "LocalAuthListManagement" in found["SupportedFeatureProfiles"].split(",")


@pytest.mark.req("1.6-9.2")
async def test_switched_off_the_list_is_not_supported(station):
    answer = await ask(station, "ChangeConfiguration", {"key": "LocalAuthListEnabled", "value": "false"})
    assert answer["status"] == "Accepted"
    assert await send(station, 1, entry("A")) == "NotSupported"
    assert await version_of(station) == 0


async def test_a_station_without_the_profile_has_neither_its_keys_nor_its_calls(make_station):
    station = await make_station(variables={"LocalAuthListCtrlr/Available": "false"})
    assert await version_of(station) == -1
    assert await send(station, 1, entry("A")) == "NotSupported"
    assert not [key for key in station.keys.names() if "LocalList" in key or "LocalAuthList" in key]
    answer = await ask(station, "GetConfiguration", {"key": ["LocalAuthListEnabled", "SupportedFeatureProfiles"]})
    assert answer["unknownKey"] == ["LocalAuthListEnabled"]
    assert "LocalAuthListManagement" not in answer["configurationKey"][0]["value"]
    answer = await ask(station, "ChangeConfiguration", {"key": "LocalAuthListEnabled", "value": "true"})
    assert answer["status"] == "NotSupported"


@pytest.mark.req("1.6-3.5.2")
async def test_a_listed_card_charges_offline_and_an_expired_one_does_not(station):
    await send(station, 1, entry(), entry("OLD", expiryDate="2026-01-01T00:00:30Z"))
    await station.disconnect()
    await station.clock.advance(60)
    await station.plug()
    await station.present("OLD")
    assert not station.hardware.allowed
    await station.present()
    assert station.hardware.allowed


@pytest.mark.req("1.6-3.5.2", "1.6-3.5.3")
async def test_a_conflict_with_the_central_system_is_told_and_nothing_is_cached(make_station):
    station = await make_station(variables={"AuthCtrlr/LocalPreAuthorize": "true"})
    await send(station, 1, entry())
    station.csms.script("StartTransaction", {"transactionId": 5, "idTagInfo": {"status": "Blocked"}})
    await station.charge()
    told = [each for each in station.csms.of("StatusNotification") if each["errorCode"] == "LocalListConflict"]
    assert [(each["connectorId"], each["status"]) for each in told] == [(0, "Available")]
    assert station.charge_point.strategy.tokens.cache_size() == 0


@pytest.mark.req("1.6-3.5.3")
async def test_the_list_has_priority_over_the_cache(station):
    await station.charge()
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    await send(station, 1, entry(status="Blocked"))
    await station.disconnect()
    await station.charge()
    assert not station.hardware.allowed
