"""Prices and costs over DataTransfer (the extension org.openchargealliance.costmsg)."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from support.station import CARD

VENDOR = "org.openchargealliance.costmsg"


async def send(station, message: str, data) -> str:
    text = data if isinstance(data, str) else json.dumps(data)
    wish = {"vendorId": VENDOR, "messageId": message, "data": text}
    return (await station.csms.call(station.clock, "DataTransfer", wish))[2]["status"]


def shown(station) -> list[str]:
    return station.hardware.shown.get(0, [])


def contexts(values) -> set[str]:
    return {each["context"] for each in values["meterValue"][0]["sampledValue"]}


def running(station, **more):
    return {
        "transactionId": station.csms.next_transaction_id,
        "timestamp": station.clock.now().isoformat(),
        "meterValue": 1000,
        "cost": 1.0,
        "state": "Charging",
        **more,
    }


async def test_the_price_for_a_driver_is_shown_while_the_driver_is_there(station):
    german = {"format": "UTF8", "language": "de", "content": "0,30 je kWh"}
    data = {"idToken": CARD, "priceText": "0.30 per kWh", "priceTextExtra": [german]}
    assert await send(station, "SetUserPrice", data) == "Accepted"
    assert shown(station) == []
    await station.charge()
    assert shown(station) == ["0.30 per kWh", "0,30 je kWh"]


async def test_the_running_cost_follows_energy_and_time(station):
    await station.charge()
    price = {"kWhPrice": 0.5, "hourPrice": 3.6}
    assert await send(station, "RunningCost", running(station, chargingPrice=price)) == "Accepted"
    assert shown(station) == ["1.00 EUR"]
    station.meter("3000")
    await station.clock.advance(1000)
    assert shown(station) == ["3.00 EUR"]


async def test_idling_costs_after_the_grace_period(station):
    await station.charge()
    idle = {"graceMinutes": 5, "hourPrice": 36}
    await send(station, "RunningCost", running(station, state="Idle", idlePrice=idle))
    await station.clock.advance(300)
    assert shown(station) == ["1.00 EUR"]
    await station.clock.advance(100)
    assert shown(station) == ["2.00 EUR"]


async def test_the_next_period_is_left_to_the_csms(station):
    await station.charge()
    later = station.clock.now().timestamp() + 100
    period = {"atTime": datetime.fromtimestamp(later, UTC).isoformat()}
    await send(station, "RunningCost", running(station, chargingPrice={"hourPrice": 36}, nextPeriod=period))
    await station.clock.advance(400)
    assert shown(station) == ["2.00 EUR"]


async def test_the_final_cost_is_shown_for_a_while(station):
    await station.charge()
    number = station.csms.next_transaction_id
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    data = {"transactionId": number, "cost": 3.312, "priceText": "thank you", "qrCodeText": "https://bill"}
    assert await send(station, "FinalCost", data) == "Accepted"
    assert shown(station) == ["3.31 EUR", "thank you", "https://bill"]
    await station.clock.advance(61)
    assert shown(station) == []


@pytest.mark.parametrize(
    "trigger",
    [
        {"atEnergykWh": 3.0},
        {"atPowerkW": 0.5},
        {"atTime": "2026-01-01T00:05:00Z"},
        {"atCPStatus": ["SuspendedEV", "Finishing"]},
    ],
)
async def test_meter_values_at_the_trigger_and_once_only(station, trigger):
    await station.charge()
    await send(station, "RunningCost", running(station, triggerMeterValue=trigger))
    await station.clock.advance(10)
    assert not any(contexts(each) == {"Other"} for each in station.csms.of("MeterValues"))
    station.meter("3000")
    station.hardware.allowed.clear()
    await station.draw(flowing=False)
    await station.clock.advance(300)
    asked = [each for each in station.csms.of("MeterValues") if contexts(each) == {"Other"}]
    assert [each["transactionId"] for each in asked] == [station.csms.next_transaction_id]


@pytest.mark.parametrize("wanted", [True, False])
async def test_the_csms_hears_of_the_ev_leaving(make_station, wanted):
    station = await make_station(variables={"OCPP16Ctrlr/CustomIdleFeeAfterStop": str(wanted).lower()})
    await station.charge()
    await station.present()
    await station.draw(flowing=False)
    assert station.csms.of("DataTransfer") == []
    await station.unplug()
    told = [(each["messageId"], json.loads(each["data"])) for each in station.csms.of("DataTransfer")]
    number = station.csms.next_transaction_id
    expected = ("ConnectorUnplugged", {"transactionId": number, "timestamp": "2026-01-01T00:00:00Z"})
    assert told == ([expected] if wanted else [])


@pytest.mark.parametrize(
    ("message", "data", "status"),
    [
        ("Nonsense", {}, "UnknownMessageId"),
        ("SetUserPrice", "{", "Rejected"),
        ("SetUserPrice", {"idToken": 7}, "Rejected"),
        ("FinalCost", {"transactionId": 4711, "cost": 1}, "Rejected"),
        ("RunningCost", {"transactionId": 4711}, "Rejected"),
    ],
)
async def test_bad_messages_are_refused(station, message, data, status):
    assert await send(station, message, data) == status


async def test_switched_off_it_takes_nothing(station):
    wish = {"key": "CustomDisplayCostAndPrice", "value": "false"}
    assert (await station.csms.call(station.clock, "ChangeConfiguration", wish))[2] == {"status": "Accepted"}
    assert await send(station, "SetUserPrice", {"idToken": CARD, "priceText": "x"}) == "Rejected"


@pytest.mark.parametrize(
    "more",
    [
        {"cost": "NaN"},
        {"cost": "Infinity"},
        {"chargingPrice": {"kWhPrice": "1e999999"}},
        {"meterValue": "-1e13"},
        {"timestamp": "yesterday"},
        {"idlePrice": {"graceMinutes": 1.5}},
        {"triggerMeterValue": {"atEnergykWh": "sNaN"}},
    ],
)
async def test_amounts_that_nobody_can_calculate_with_are_rejected(station, more):
    await station.charge()
    assert await send(station, "RunningCost", running(station, **more)) == "Rejected"
    await station.clock.advance(10)
    assert shown(station) == []


@pytest.mark.parametrize("data", ["", "[" * 100_000, "null", '{"idToken": "\\ud800"}', "[]"])
async def test_what_is_no_object_is_rejected(station, data):
    assert await send(station, "SetUserPrice", data) == "Rejected"


async def test_times_without_offset_are_utc(station):
    await station.charge()
    bare = {"atTime": (station.clock.now() + timedelta(seconds=60)).isoformat().removesuffix("+00:00")}
    message = running(station, timestamp=station.clock.now().isoformat().removesuffix("+00:00"))
    message |= {"chargingPrice": {"hourPrice": 3600}, "nextPeriod": bare}
    assert await send(station, "RunningCost", message) == "Accepted"
    await station.clock.advance(30)
    assert shown(station) == ["31.00 EUR"]
    await station.clock.advance(60)
    assert shown(station) == ["61.00 EUR"]


async def change(station, key: str, value: str) -> str:
    return (await station.csms.call(station.clock, "ChangeConfiguration", {"key": key, "value": value}))[2]["status"]


async def read(station, *keys: str) -> dict:
    return (await station.csms.call(station.clock, "GetConfiguration", {"key": list(keys)}))[2]


async def test_the_default_price_has_a_key_for_every_language(make_station):
    station = await make_station()
    assert await change(station, "DefaultPrice", "0.30 per kWh") == "Accepted"
    german = json.dumps({"priceText": "0,30 je kWh", "priceTextOffline": "offline: 0,40 je kWh"})
    assert await change(station, "DefaultPriceText,de", german) == "Accepted"
    assert await change(station, "defaultpricetext,nb_NO", "0,30 per kWh") == "Accepted"
    assert await change(station, "DefaultPriceText,", "x") == "NotSupported"
    assert await change(station, "DefaultPriceText,d e", "x") == "NotSupported"
    assert (await read(station, "DefaultPriceText,de"))["configurationKey"] == [
        {"key": "DefaultPriceText,de", "readonly": False, "value": german}
    ]
    assert (await read(station, "DefaultPriceText,it"))["unknownKey"] == ["DefaultPriceText,it"]
    await station.charge()
    assert shown(station) == ["0.30 per kWh", "0,30 je kWh", "0,30 per kWh"]
    await station.disconnect()
    assert shown(station) == ["0.30 per kWh", "offline: 0,40 je kWh", "0,30 per kWh"]
    await station.reconnect()
    assert shown(station)[1] == "0,30 je kWh"
    await station.stop()
    again = await make_station()
    assert again.keys.price_texts()["de"] == german


async def test_languages_are_bounded(station, caplog):
    names = [f"DefaultPriceText,{first}{second}" for first in "abcde" for second in "abcde"]
    outcomes = [await change(station, name, "x") for name in names]
    assert outcomes == ["Accepted"] * 16 + ["NotSupported"] * 9
    assert "16 languages have theirs already" in caplog.text
