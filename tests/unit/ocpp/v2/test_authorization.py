"""Block C: what is asked, what is compared, what is kept, and what no log may show."""

import logging

import pytest
from support.station import CARD

from ocpp.charge_point import IdToken
from ocpp.core.key_codes import FIRST_WAIT_S, LONGEST_WAIT_S
from ocpp.storage.tokens import TokenRepository
from ocpp.versions import OcppVersion

OTHER = "04FFEEDDCCBBAA"
CODE = "13579246"


async def present(station, value: str, kind: str, *evse_ids: int) -> None:
    station.charge_point.token_presented(IdToken(value, kind), evse_ids)
    await station.settle()


async def ask(station, action: str, payload: dict):
    return (await station.csms.call(station.clock, action, payload))[2]


def says(station, *infos: dict) -> None:
    """What the CSMS says to the next questions."""
    station.csms.script("Authorize", *({"idTokenInfo": {"status": "Accepted", **info}} for info in infos))


def asked(station) -> list[dict]:
    return [call["idToken"] for call in station.csms.of("Authorize")]


async def leave(station, evse: int = 1) -> None:
    await station.present(evse_ids=(evse,))
    await station.draw(evse, flowing=False)
    await station.unplug(evse)


# -- what is asked ----------------------------------------------------------------------------------------------------


@pytest.mark.req("C01.FR.04", "C06.FR.03")
async def test_the_csms_is_asked_once_when_somebody_identifies_and_never_else(station):
    await station.plug()
    assert asked(station) == []
    await station.present()
    await station.draw()
    assert asked(station) == [{"idToken": CARD, "type": "ISO14443"}]
    await leave(station)
    assert station.story[-1] == ("Ended", "StopAuthorized")
    assert len(asked(station)) == 1


@pytest.mark.req("C06.FR.01", "C06.FR.02")
async def test_a_local_identifier_is_asked_about_before_any_energy(station):
    await station.plug()
    station.csms.script("Authorize", {"idTokenInfo": {"status": "Invalid"}})
    await present(station, "TICKET-1", "Local")
    assert not station.hardware.allowed
    await present(station, "TICKET-2", "Local")
    assert asked(station) == [{"idToken": each, "type": "Local"} for each in ("TICKET-1", "TICKET-2")]
    assert station.hardware.allowed
    assert station.events[0]["idToken"] == {"idToken": "TICKET-2", "type": "Local"}


@pytest.mark.req("C02.FR.01", "C02.FR.03")
async def test_without_authorization_the_transaction_says_so_and_nothing_is_cached(make_station):
    station = await make_station(variables={"AuthCtrlr/Enabled": "false"})
    await station.plug()
    await station.draw()
    assert station.hardware.allowed
    assert station.events[0]["idToken"] == {"idToken": "", "type": "NoAuthorization"}
    assert asked(station) == []
    assert TokenRepository(station.database).cache_size() == 0


@pytest.mark.req("C03.FR.01", "C03.FR.02", "C05.FR.01", "C05.FR.02", "C05.FR.03", "C05.FR.05")
async def test_a_token_of_the_csms_is_neither_asked_about_nor_cached(make_station):
    station = await make_station(variables={"AuthCtrlr/AuthorizeRemoteStart": "true"})
    await station.plug()
    start = {"remoteStartId": 17, "evseId": 1, "idToken": {"idToken": "PAID-1", "type": "Central"}}
    assert (await ask(station, "RequestStartTransaction", start))["status"] == "Accepted"
    await station.settle()
    await station.draw()
    assert asked(station) == []
    assert station.events[0]["transactionInfo"]["remoteStartId"] == 17
    assert [event["idToken"] for event in station.events if "idToken" in event] == [start["idToken"]]
    assert TokenRepository(station.database).cache_size() == 0


@pytest.mark.req("C08.FR.01", "C08.FR.02")
async def test_long_after_the_plug_the_reader_identifies_whoever_comes_and_the_cable_is_plugged_again(station):
    await station.plug()
    await station.clock.advance(3600)
    says(station, {"status": "Unknown"})
    await station.present(OTHER)
    await station.present()
    assert [each["idToken"] for each in asked(station)] == [OTHER, CARD]
    assert not station.hardware.allowed, "the time in which a driver of that cable identifies is over"
    await station.unplug()
    await station.charge()
    assert station.hardware.allowed


@pytest.mark.req("C13.FR.03")
async def test_offline_a_listed_card_charges_without_the_csms(station):
    entries = [{"idToken": {"idToken": CARD, "type": "ISO14443"}, "idTokenInfo": {"status": "Accepted"}}]
    update = {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": entries}
    await ask(station, "SendLocalList", update)
    await station.disconnect()
    await station.charge()
    assert station.hardware.allowed
    assert asked(station) == []


# -- who is who -------------------------------------------------------------------------------------------------------


@pytest.mark.req("C01.FR.25")
async def test_the_same_value_of_another_type_is_another_token(station):
    await station.charge()
    says(station, {"status": "Invalid"})
    await present(station, CARD, "KeyCode")
    assert asked(station)[-1] == {"idToken": CARD, "type": "KeyCode"}
    assert station.hardware.allowed
    await present(station, CARD.lower(), "ISO14443")
    await station.draw(flowing=False)
    assert station.story[-1] == ("Ended", "StopAuthorized")


@pytest.mark.req("C01.FR.25")
async def test_a_reservation_is_for_a_token_of_its_type(station):
    wish = {"id": 1, "evseId": 1, "expiryDateTime": "2026-01-01T01:00:00Z"}
    await ask(station, "ReserveNow", {**wish, "idToken": {"idToken": CARD, "type": "KeyCode"}})
    await station.plug()
    await station.present()
    assert not station.hardware.allowed


@pytest.mark.req("C01.FR.20", "C01.FR.21")
async def test_only_the_evses_that_the_csms_names_may_be_used(make_station):
    station = await make_station(evses=2)
    await station.plug(1)
    says(station, {"evseId": [2]}, {"evseId": [2]})
    await station.present(evse_ids=(1,))
    assert not station.hardware.allowed
    await station.plug(2)
    await station.present(evse_ids=(2,))
    assert set(station.hardware.allowed) == {2}


@pytest.mark.req("C01.FR.23")
async def test_a_transaction_that_lost_its_driver_is_for_nobody_else(make_station):
    station = await make_station(variables={"TxCtrlr/TxStopPoint": "EVConnected", "TxCtrlr/StopTxOnInvalidId": "true"})
    station.csms.script("TransactionEvent", {"idTokenInfo": {"status": "Blocked"}})
    await station.charge()
    await station.draw(flowing=False)
    assert not station.hardware.allowed
    await station.present(OTHER)
    assert not station.hardware.allowed
    assert not any(event.get("idToken", {}).get("idToken") == OTHER for event in station.events)


@pytest.mark.req("C01.FR.26")
async def test_an_authorization_ends_when_no_cable_comes(make_station):
    station = await make_station(variables={"TxCtrlr/EVConnectionTimeOut": 30})
    await station.present()
    await station.clock.advance(31)
    await station.plug()
    assert not station.hardware.allowed
    assert station.story == []


# -- languages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("languages", "shown"),
    [
        pytest.param({"language1": "nl", "language2": "de"}, "Welkom", marks=pytest.mark.req("C01.FR.08")),
        pytest.param({"language1": "fr", "language2": "de"}, "Willkommen", marks=pytest.mark.req("C01.FR.09")),
        pytest.param({"language1": "fr", "language2": "it"}, "Welcome", marks=pytest.mark.req("C01.FR.13")),
    ],
)
async def test_messages_are_shown_in_a_language_of_the_driver(make_station, languages, shown):
    station = await make_station(OcppVersion.V21)
    texts = [
        {"format": "UTF8", "language": language, "content": content}
        for language, content in (("nl", "Welkom"), ("de", "Willkommen"), ("en", "Welcome"))
    ]
    message = {"id": 1, "priority": "NormalCycle", "message": texts[0], "messageExtra": texts[1:]}
    assert (await ask(station, "SetDisplayMessage", {"message": message}))["status"] == "Accepted"
    assert station.hardware.shown[0] == ["Welcome"]
    says(station, languages)
    station.csms.script("TransactionEvent", *[{"idTokenInfo": {"status": "Accepted", **languages}}] * 4)
    await station.charge()
    assert station.hardware.shown[0] == [shown]
    await leave(station)
    assert station.hardware.shown[0] == ["Welcome"]
    await station.disconnect()
    await station.charge()
    assert station.hardware.shown[0] == [shown], "the cache knows the languages, too"


# -- key codes --------------------------------------------------------------------------------------------------------


@pytest.mark.req("C04.FR.03")
async def test_a_key_code_is_cached(station):
    await present(station, CODE, "KeyCode")
    await present(station, CODE, "KeyCode")
    await station.disconnect()
    await station.plug()
    await present(station, CODE, "KeyCode")
    assert station.hardware.allowed


@pytest.mark.req("C04.FR.04")
async def test_no_log_shows_a_key_code(station, caplog):
    caplog.set_level(logging.DEBUG)
    await station.plug()
    says(station, {"status": "Unknown"})
    await present(station, CODE, "KeyCode")
    await station.clock.advance(FIRST_WAIT_S)
    await present(station, CODE, "KeyCode")
    await station.draw()
    station.csms.script("TransactionEvent", {"idTokenInfo": {"status": "Blocked"}})
    await present(station, CODE, "KeyCode")
    assert "may not charge here" in caplog.text
    assert CODE not in caplog.text
    assert CODE[:2] + "…" not in caplog.text


@pytest.mark.req("C04.FR.06")
async def test_after_every_wrong_key_code_the_next_is_taken_later(station):
    station.model.integer("TxCtrlr/EVConnectionTimeOut").set(0)
    await station.plug()
    says(station, *[{"status": "Unknown"}] * 20)
    wait = FIRST_WAIT_S
    for guesses in range(1, 13):
        await present(station, f"{guesses:04}", "KeyCode")
        assert len(asked(station)) == guesses
        await station.clock.advance(wait - 1)
        await present(station, CODE, "KeyCode")
        assert len(asked(station)) == guesses
        await station.clock.advance(1)
        wait = min(2 * wait, LONGEST_WAIT_S)
    station.csms.answers.clear()
    await station.present()
    assert station.hardware.allowed, "cards are not made to wait"


async def test_the_right_key_code_forgives_the_wrong_ones(station):
    says(station, {"status": "Unknown"}, {}, {"status": "Unknown"})
    await present(station, "1", "KeyCode")
    await station.clock.advance(FIRST_WAIT_S)
    await present(station, CODE, "KeyCode")
    await present(station, "2", "KeyCode")
    await station.clock.advance(FIRST_WAIT_S)
    await present(station, "3", "KeyCode")
    assert len(asked(station)) == 4


# -- the cache --------------------------------------------------------------------------------------------------------


@pytest.mark.req("C10.FR.09")
async def test_a_tariff_is_not_cached(station):
    says(station, {"personalMessage": {"format": "UTF8", "content": "0.25 per kWh"}})
    await station.charge()
    rows = station.database.query("SELECT data FROM token_cache")
    assert rows
    assert not any("0.25" in str(row) for row in rows)


@pytest.mark.req("C10.FR.13")
async def test_a_card_is_cached_until_the_csms_said(make_station):
    station = await make_station(variables={"AuthCacheCtrlr/LifeTime": 86400})
    says(station, {"cacheExpiryDateTime": "2026-01-01T00:10:00Z"})
    await station.present()
    await station.present()
    await station.disconnect()
    await station.clock.advance(590)
    await station.plug()
    await station.present()
    assert station.hardware.allowed
    await station.present()
    await station.unplug()
    await station.clock.advance(20)
    await station.plug()
    await station.present()
    assert not station.hardware.allowed


@pytest.mark.req("C11.FR.05")
async def test_a_cache_that_cannot_be_cleared_is_told(station):
    await station.charge()
    station.database.query("PRAGMA query_only = 1")
    assert (await ask(station, "ClearCache", {}))["status"] == "Rejected"
    station.database.query("PRAGMA query_only = 0")
    assert (await ask(station, "ClearCache", {}))["status"] == "Accepted"


# -- unknown while offline --------------------------------------------------------------------------------------------


@pytest.mark.req("C15.FR.01")
async def test_whoever_charges_unknown_is_not_cached(make_station):
    station = await make_station(variables={"AuthCtrlr/OfflineTxForUnknownIdEnabled": "true"})
    await station.disconnect()
    await station.charge()
    assert station.hardware.allowed
    assert TokenRepository(station.database).cache_size() == 0


@pytest.mark.req("C15.FR.03")
async def test_whoever_turns_out_invalid_gets_no_more_energy_though_the_transaction_goes_on(make_station):
    variables = {
        "AuthCtrlr/OfflineTxForUnknownIdEnabled": "true",
        "TxCtrlr/StopTxOnInvalidId": "true",
        "TxCtrlr/TxStopPoint": "EVConnected",
    }
    station = await make_station(variables=variables)
    await station.disconnect()
    await station.charge()
    station.csms.script("TransactionEvent", {"idTokenInfo": {"status": "Invalid"}})
    await station.reconnect()
    assert "Deauthorized" not in [trigger for _, trigger in station.story], "energy still flows"
    await station.draw(flowing=False)
    assert not station.hardware.allowed
    event = next(each for each in station.events if each["triggerReason"] == "Deauthorized")
    assert event["eventType"] == "Updated"
    assert event["transactionInfo"]["chargingState"] == "EVConnected"
    assert "Ended" not in [kind for kind, _ in station.story]


# -- master passes ----------------------------------------------------------------------------------------------------

MASTER_CARD = "04000000000001"
MASTER_INFO = {"status": "Accepted", "groupIdToken": {"idToken": "SERVICE", "type": "Central"}}


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("cache", marks=pytest.mark.req("C16.FR.04")),
        pytest.param("list", marks=pytest.mark.req("C16.FR.05")),
    ],
)
@pytest.mark.req("C16.FR.07")
async def test_offline_a_master_pass_that_is_known_stops(make_station, source):
    station = await make_station(variables={"AuthCtrlr/MasterPassGroupId": "SERVICE"})
    if source == "cache":
        says(station, MASTER_INFO)
        await station.present(MASTER_CARD)
    else:
        entries = [{"idToken": {"idToken": MASTER_CARD, "type": "ISO14443"}, "idTokenInfo": MASTER_INFO}]
        await ask(
            station, "SendLocalList", {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": entries}
        )
    await station.charge()
    await station.disconnect()
    await station.present(MASTER_CARD)
    assert not station.hardware.allowed
    await station.draw(flowing=False)
    await station.reconnect()
    ended = station.events[-1]
    assert (ended["eventType"], ended["transactionInfo"]["stoppedReason"]) == ("Ended", "MasterPass")
