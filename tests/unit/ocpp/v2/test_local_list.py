from datetime import timedelta

import pytest
from support.station import CARD

from ocpp.device_model.standard.local_list import ITEMS_PER_MESSAGE

OTHER = "DEADBEEF"


async def ask(station, action: str, payload: dict):
    return (await station.csms.call(station.clock, action, payload))[2]


def entry(card: str = CARD, status: str | None = "Accepted", **more) -> dict:
    made = {"idToken": {"idToken": card, "type": "ISO14443"}}
    if status is not None:
        made["idTokenInfo"] = {"status": status, **more}
    return made


async def send(station, version: int, *entries: dict, full: bool = True) -> str:
    payload = {"versionNumber": version, "updateType": "Full" if full else "Differential"}
    if entries:
        payload["localAuthorizationList"] = list(entries)
    return (await ask(station, "SendLocalList", payload))["status"]


async def version_of(station) -> int:
    return (await ask(station, "GetLocalListVersion", {}))["versionNumber"]


def size(station) -> str:
    return station.model.value("LocalAuthListCtrlr/Entries")


@pytest.mark.req("D02.FR.02")
async def test_a_list_that_was_never_sent_has_version_0(station):
    assert await version_of(station) == 0


@pytest.mark.req("D01.FR.01", "D01.FR.02", "D01.FR.15", "D02.FR.01", "D01.FR.12")
async def test_a_full_update_replaces_the_list(station):
    assert await send(station, 1, entry("A"), entry("B")) == "Accepted"
    assert await send(station, 5, entry("C")) == "Accepted"
    assert (await version_of(station), size(station)) == (5, "1")


@pytest.mark.req("D01.FR.04")
async def test_a_full_update_without_entries_empties_the_list(station):
    await send(station, 1, entry("A"))
    assert await send(station, 2) == "Accepted"
    assert (await version_of(station), size(station)) == (2, "0")


@pytest.mark.req("D01.FR.16", "D01.FR.17")
async def test_a_differential_update_adds_replaces_and_removes(station):
    await send(station, 1, entry("A"), entry("B"))
    assert await send(station, 2, entry("A", None), entry("B", "Blocked"), entry("C"), full=False) == "Accepted"
    assert (await version_of(station), size(station)) == (2, "2")


@pytest.mark.req("D01.FR.05")
async def test_a_differential_update_without_entries_changes_the_version_only(station):
    await send(station, 1, entry("A"))
    assert await send(station, 2, full=False) == "Accepted"
    assert (await version_of(station), size(station)) == (2, "1")


@pytest.mark.req("D01.FR.19")
@pytest.mark.parametrize("version", [1, 5])
async def test_a_differential_update_of_an_old_version_is_a_mismatch(station, version):
    await send(station, 5, entry("A"))
    assert await send(station, version, entry("B"), full=False) == "VersionMismatch"
    assert (await version_of(station), size(station)) == (5, "1")


@pytest.mark.req("D01.FR.06")
async def test_a_token_twice_fails_the_update(station):
    assert await send(station, 1, entry("A"), entry("a")) == "Failed"
    assert await version_of(station) == 0


@pytest.mark.req("D01.FR.18")
@pytest.mark.parametrize("version", [0, -1])
async def test_a_version_that_means_something_else_fails_the_update(station, version):
    assert await send(station, version, entry("A")) == "Failed"


@pytest.mark.req("D01.FR.11")
async def test_too_many_entries_in_one_message_fail_the_update(station):
    entries = [entry(f"{number:08X}") for number in range(ITEMS_PER_MESSAGE + 1)]
    assert await send(station, 1, *entries) == "Failed"
    assert await send(station, 1, *entries[1:]) == "Accepted"


async def test_a_full_update_with_an_entry_that_says_nothing_fails(station):
    assert await send(station, 1, entry("A", None)) == "Failed"


@pytest.mark.req("D01.FR.10")
async def test_the_list_survives_a_power_cut(make_station):
    first = await make_station()
    await send(first, 7, entry())
    await first.stop()
    second = await make_station()
    assert (await version_of(second), size(second)) == (7, "1")


@pytest.mark.req("D01.FR.13", "D02.FR.03")
async def test_a_list_that_is_switched_off_is_not_used(station):
    await send(station, 3, entry())
    station.model.boolean("LocalAuthListCtrlr/Enabled").set(False)
    assert await version_of(station) == 0
    assert await send(station, 4, entry()) == "Failed"
    station.model.boolean("AuthCtrlr/LocalPreAuthorize").set(True)
    await station.present()
    assert station.csms.counts["Authorize"] == 1


async def test_a_station_without_the_block_does_not_support_its_calls(make_station):
    station = await make_station(variables={"LocalAuthListCtrlr/Available": "false"})
    answer = await station.csms.call(station.clock, "GetLocalListVersion", {})
    assert answer[2] == "NotSupported"


# -- what the list decides --------------------------------------------------------------------------------------------

PRE = {"AuthCtrlr/LocalPreAuthorize": "true"}


@pytest.mark.req("C14.FR.02", "C14.FR.04")
async def test_a_listed_card_charges_without_asking(make_station):
    station = await make_station(variables=PRE)
    await send(station, 1, entry())
    await station.charge()
    assert station.csms.counts["Authorize"] == 0
    assert station.hardware.allowed


@pytest.mark.req("C14.FR.03")
async def test_a_listed_card_that_may_not_charge_is_asked_about(make_station):
    station = await make_station(variables=PRE)
    await send(station, 1, entry(status="Blocked"))
    await station.charge()
    assert station.csms.counts["Authorize"] == 1
    assert station.hardware.allowed


async def test_where_post_authorization_is_off_the_list_is_final(make_station):
    station = await make_station(variables={**PRE, "LocalAuthListCtrlr/DisablePostAuthorize": "true"})
    await send(station, 1, entry(status="Blocked"))
    await station.charge()
    assert station.csms.counts["Authorize"] == 0
    assert not station.hardware.allowed


@pytest.mark.req("C14.FR.05")
async def test_a_listed_card_that_has_expired_is_asked_about(make_station):
    station = await make_station(variables=PRE)
    await send(station, 1, entry(cacheExpiryDateTime="2026-01-01T00:01:00Z"))
    await station.clock.advance(timedelta(minutes=2))
    await station.charge()
    assert station.csms.counts["Authorize"] == 1


@pytest.mark.req("C13.FR.01", "C14.FR.01")
async def test_the_list_has_priority_over_the_cache(make_station):
    station = await make_station(variables=PRE)
    await station.charge()
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    await send(station, 1, entry(status="Blocked"))
    await station.disconnect()
    await station.charge()
    assert not station.hardware.allowed


@pytest.mark.req("C13.FR.02", "C13.FR.04", "C13.FR.05", "C13.FR.06")
@pytest.mark.parametrize("unknown_allowed", ["true", "false"])
@pytest.mark.parametrize(
    ("listed", "charges"),
    [
        (entry(), True),
        (entry(status="Invalid"), False),
        (entry(cacheExpiryDateTime="2026-01-01T00:01:00Z"), False),
        (entry(cacheExpiryDateTime="2027-01-01T00:00:00Z"), True),
        (entry(OTHER), None),
    ],
)
async def test_offline_the_list_decides(make_station, unknown_allowed, listed, charges):
    station = await make_station(variables={"AuthCtrlr/OfflineTxForUnknownIdEnabled": unknown_allowed})
    await send(station, 1, listed)
    await station.disconnect()
    await station.clock.advance(120)
    await station.charge()
    expected = charges if charges is not None else unknown_allowed == "true"
    assert bool(station.hardware.allowed) is expected


@pytest.mark.req("D01.FR.09")
async def test_what_the_csms_says_about_a_listed_card_changes_neither_list_nor_cache(station):
    await send(station, 1, entry())
    station.csms.script("Authorize", {"idTokenInfo": {"status": "Blocked"}})
    await station.present()
    assert station.charge_point.strategy.tokens.cache_size() == 0
    assert station.charge_point.strategy.authorizer.known(_card()).accepted


def _card():
    from ocpp.charge_point import IdToken

    return IdToken(CARD)
