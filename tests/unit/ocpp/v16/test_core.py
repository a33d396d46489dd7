import asyncio
from decimal import Decimal

import pytest
from support.station import CARD

from ocpp.charge_point import Fault, MeterReading, Sample, SignedReading


async def ask(station, action: str, payload: dict):
    return (await station.csms.call(station.clock, action, payload))[2]


def statuses(station, connector: int = 1) -> list[str]:
    return [each["status"] for each in station.csms.of("StatusNotification") if each["connectorId"] == connector]


@pytest.mark.req("1.6-4.2", "1.6-4.8", "1.6-4.10", "1.6-4.7", "1.6-4.9")
async def test_a_whole_session_from_plug_to_bill(make_station):
    station = await make_station(variables={"SampledDataCtrlr/TxUpdatedInterval": 60})
    await station.charge()
    station.meter("1800.9")
    await station.clock.advance(60)
    station.meter("3500.5")
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    other = ("StatusNotification", "BootNotification", "SecurityEventNotification")
    relevant = [action for action in station.csms.actions if action not in other]
    assert relevant == ["Authorize", "StartTransaction", "MeterValues", "StopTransaction"]
    start, values, stop = (station.csms.of(action)[0] for action in relevant[1:])
    assert start == {
        "connectorId": 1,
        "idTag": CARD,
        "meterStart": 1000,
        "timestamp": "2026-01-01T00:00:00Z",
    }
    number = station.csms.next_transaction_id
    assert values["transactionId"] == stop["transactionId"] == number
    assert values["meterValue"][0]["sampledValue"][0]["value"] == "1800.9"
    assert stop["meterStop"] == 3500
    assert stop["idTag"] == CARD
    assert stop["reason"] == "Local"
    assert statuses(station) == ["Available", "Preparing", "Charging", "Finishing", "Available"]
    assert statuses(station, 0) == ["Available"]


async def test_card_first_then_the_plug(station):
    await station.present()
    assert statuses(station)[-1] == "Preparing"
    await station.plug()
    assert station.csms.counts["StartTransaction"] == 1


@pytest.mark.req("1.6-9.1.4")
async def test_a_driver_who_never_plugs_in_is_forgotten(make_station):
    station = await make_station(variables={"TxCtrlr/EVConnectionTimeOut": 30})
    await station.present()
    await station.clock.advance(31)
    assert statuses(station)[-1] == "Available"
    await station.plug()
    assert station.csms.counts["StartTransaction"] == 0


@pytest.mark.req("1.6-3.7")
async def test_the_id_given_late_reaches_every_message_still_queued(make_station):
    station = await make_station(variables={"SampledDataCtrlr/TxUpdatedInterval": 60})
    station.csms.script("StartTransaction", None)
    await station.charge()
    await station.clock.advance(29)
    station.csms.script("StartTransaction", {"transactionId": 777, "idTagInfo": {"status": "Accepted"}})
    await station.clock.advance(61)
    await station.present()
    await station.draw(flowing=False)
    await station.clock.advance(120)
    assert len(station.csms.of("StartTransaction")) == 2
    assert station.csms.of("StartTransaction")[0] == station.csms.of("StartTransaction")[1]
    assert {each["transactionId"] for each in station.csms.of("MeterValues")} == {777}
    assert station.csms.of("StopTransaction")[0]["transactionId"] == 777


@pytest.mark.req("1.6-3.7.1", "1.6-errata-3.18")
async def test_a_transaction_whose_start_is_never_taken_goes_on_as_minus_one(make_station):
    variables = {
        "OCPPCommCtrlr/MessageAttempts[TransactionEvent]": 2,
        "OCPPCommCtrlr/MessageAttemptInterval[TransactionEvent]": 1,
    }
    station = await make_station(variables=variables)
    station.csms.script("StartTransaction", "InternalError", "InternalError")
    await station.charge()
    await station.clock.advance(10)
    await station.present()
    await station.draw(flowing=False)
    assert len(station.csms.of("StartTransaction")) == 2
    assert station.csms.of("StopTransaction")[0]["transactionId"] == -1


@pytest.mark.req("1.6-3.5.4")
async def test_offline_sessions_are_told_afterwards_in_order(make_station):
    station = await make_station(variables={"AuthCtrlr/OfflineTxForUnknownIdEnabled": "true"})
    await station.disconnect()
    for _ in range(2):
        await station.charge()
        await station.clock.advance(10)
        await station.present()
        await station.draw(flowing=False)
        await station.unplug()
    await station.reconnect()
    wanted = [action for action in station.csms.actions if action in ("StartTransaction", "StopTransaction")]
    assert wanted == ["StartTransaction", "StopTransaction"] * 2
    first, second = station.csms.of("StopTransaction")
    assert second["transactionId"] == first["transactionId"] + 1


@pytest.mark.parametrize("stop_on_invalid", [True, False])
@pytest.mark.req("1.6-9.1.29")
async def test_a_token_refused_by_start_transaction(make_station, stop_on_invalid):
    station = await make_station(variables={"TxCtrlr/StopTxOnInvalidId": str(stop_on_invalid).lower()})
    station.csms.script("StartTransaction", {"transactionId": 5, "idTagInfo": {"status": "Blocked"}})
    await station.charge()
    await station.draw(flowing=False)
    assert station.hardware.allowed == {}
    if stop_on_invalid:
        assert station.csms.of("StopTransaction")[0]["reason"] == "DeAuthorized"
    else:
        assert station.csms.of("StopTransaction") == []
        assert statuses(station)[-1] == "SuspendedEVSE"


@pytest.mark.req("1.6-5.11", "1.6-5.12")
async def test_remote_start_and_stop(station):
    await station.plug()
    assert (await ask(station, "RemoteStartTransaction", {"idTag": "REMOTE", "connectorId": 1}))["status"] == "Accepted"
    await station.settle()
    await station.draw()
    assert station.csms.of("Authorize")[0]["idTag"] == "REMOTE"
    number = station.csms.next_transaction_id
    assert (await ask(station, "RemoteStopTransaction", {"transactionId": 4711}))["status"] == "Rejected"
    assert (await ask(station, "RemoteStopTransaction", {"transactionId": number}))["status"] == "Accepted"
    await station.draw(flowing=False)
    assert station.csms.of("StopTransaction")[0]["reason"] == "Remote"


@pytest.mark.req("1.6-5.14")
@pytest.mark.parametrize(("kind", "reason"), [("Hard", "HardReset"), ("Soft", "SoftReset")])
async def test_a_reset_ends_the_transaction_first(station, kind, reason):
    await station.charge()
    assert (await ask(station, "Reset", {"type": kind}))["status"] == "Accepted"
    await station.draw(flowing=False)
    await station.clock.advance(5)
    assert station.csms.of("StopTransaction")[0]["reason"] == reason
    assert station.restarts == ["RemoteReset"]


@pytest.mark.req("1.6-5.18")
async def test_unlocking_ends_the_transaction(station):
    await station.charge()
    asked = asyncio.ensure_future(ask(station, "UnlockConnector", {"connectorId": 1}))
    await station.draw(flowing=False)
    assert (await asked)["status"] == "Unlocked"
    assert station.csms.of("StopTransaction")[0]["reason"] == "UnlockCommand"
    assert (await ask(station, "UnlockConnector", {"connectorId": 9}))["status"] == "NotSupported"


@pytest.mark.req("1.6-5.2")
async def test_out_of_service_at_once_or_when_the_transaction_is_over(station):
    assert (await ask(station, "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}))["status"] == "Accepted"
    assert statuses(station)[-1] == "Unavailable"
    assert statuses(station, 0)[-1] == "Unavailable"
    await ask(station, "ChangeAvailability", {"connectorId": 0, "type": "Operative"})
    await station.charge()
    answer = await ask(station, "ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    assert answer["status"] == "Scheduled"
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    assert statuses(station)[-1] == "Unavailable"
    assert (await ask(station, "ChangeAvailability", {"connectorId": 7, "type": "Operative"}))["status"] == "Rejected"


@pytest.mark.req("1.6-5.8", "1.6-5.3")
async def test_configuration_keys(station):
    answer = await ask(station, "GetConfiguration", {"key": ["heartbeatinterval", "Moon", "NumberOfConnectors"]})
    assert answer["unknownKey"] == ["Moon"]
    assert answer["configurationKey"] == [
        {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
        {"key": "NumberOfConnectors", "readonly": True, "value": "1"},
    ]
    change = {
        ("HeartbeatInterval", "60"): "Accepted",
        ("HeartbeatInterval", "-1"): "Rejected",
        ("NumberOfConnectors", "2"): "Rejected",
        ("Moon", "1"): "NotSupported",
        ("MeterValuesSampledData", "Voltage,Current.Import.L1"): "Accepted",
        ("MeterValuesSampledData", "Moonlight"): "Rejected",
    }
    for (key, value), expected in change.items():
        assert (await ask(station, "ChangeConfiguration", {"key": key, "value": value}))["status"] == expected, key
    everything = (await ask(station, "GetConfiguration", {}))["configurationKey"]
    assert len(everything) > 35
    assert next(each for each in everything if each["key"] == "AuthorizationKey").get("value") is None


@pytest.mark.req("1.6-4.6")
async def test_a_heartbeat_goes_out_at_the_interval_and_follows_its_change(station):
    await ask(station, "ChangeConfiguration", {"key": "HeartbeatInterval", "value": "10"})
    await station.clock.advance(35)
    assert station.csms.counts["Heartbeat"] == 3


@pytest.mark.req("1.6-5.17")
async def test_triggered_messages(station):
    answer = await ask(station, "TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1})
    assert answer["status"] == "Accepted"
    await station.settle()
    assert statuses(station) == ["Available", "Available"]
    assert (await ask(station, "TriggerMessage", {"requestedMessage": "BootNotification"}))["status"] == "Accepted"
    await station.settle()
    assert station.csms.counts["BootNotification"] == 2
    answer = await ask(station, "TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 9})
    assert answer["status"] == "Rejected"
    answer = await ask(station, "TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})
    assert answer["status"] == "Accepted"
    await station.settle()
    assert station.csms.of("FirmwareStatusNotification") == [{"status": "Idle"}]


@pytest.mark.req("1.6-4.9")
async def test_faults_are_told_with_their_codes(station):
    station.charge_point.fault_raised(1, 1, Fault("HighTemperature", "78 C", "T1"))
    await station.settle()
    told = station.csms.of("StatusNotification")[-1]
    assert (told["status"], told["errorCode"], told["info"], told["vendorErrorCode"]) == (
        "Faulted",
        "HighTemperature",
        "78 C",
        "T1",
    )
    station.charge_point.fault_cleared(1, 1, Fault("HighTemperature"))
    await station.settle()
    assert statuses(station)[-1] == "Available"
    station.charge_point.fault_raised(1, 1, Fault("WeakSignal"))
    await station.settle()
    told = station.csms.of("StatusNotification")[-1]
    assert (told["status"], told["errorCode"]) == ("Available", "WeakSignal")


async def test_suspended_by_the_car_and_by_the_station(station):
    await station.charge()
    await station.draw(flowing=False)
    assert statuses(station)[-1] == "SuspendedEV"
    station.charge_point.limit_changed(1, 0.0)
    await station.settle()
    assert statuses(station)[-1] == "SuspendedEVSE"


async def test_a_signed_start_goes_out_as_a_meter_value_and_both_in_the_stop(make_station):
    station = await make_station(
        variables={"SampledDataCtrlr/SignReadings": "true", "SampledDataCtrlr/TxEndedInterval": 900}
    )
    station.hardware.signed[1] = (SignedReading('OCMF|{"a":1}|{"SD":"00"}'), SignedReading('OCMF|{"b":2}|{"SD":"11"}'))
    await station.charge()
    first = station.csms.of("MeterValues")[0]["meterValue"][0]["sampledValue"][-1]
    assert first == {
        "value": 'OCMF|{"a":1}|{"SD":"00"}',
        "context": "Transaction.Begin",
        "format": "SignedData",
        "measurand": "Energy.Active.Import.Register",
        "unit": "Wh",
    }
    await station.present()
    await station.draw(flowing=False)
    data = station.csms.of("StopTransaction")[0]["transactionData"]
    signed = [each["value"] for value in data for each in value["sampledValue"] if each.get("format") == "SignedData"]
    assert signed == ['OCMF|{"a":1}|{"SD":"00"}', 'OCMF|{"b":2}|{"SD":"11"}']


async def test_a_profile_without_a_word_for_that_gets_not_supported(station):
    answer = await station.csms.call(
        station.clock, "UpdateFirmware", {"location": "ftp://x/y", "retrieveDate": "2026-01-01T00:00:00Z"}
    )
    assert (answer[0], answer[2]) == (4, "NotSupported")


async def test_several_evses_are_numbered_through(make_station):
    station = await make_station(evses=3)
    await station.charge(3)
    assert station.csms.of("StartTransaction")[0]["connectorId"] == 3


async def test_a_power_cut_in_the_middle_closes_with_the_last_stored_reading(make_station):
    station = await make_station(variables={"SampledDataCtrlr/TxUpdatedInterval": 60})
    await station.charge()
    station.meter("1555.5")
    await station.clock.advance(60)
    number = station.csms.next_transaction_id
    await station.stop()
    again = await make_station(seed=2)
    stop = again.csms.of("StopTransaction")[0]
    assert (stop["transactionId"], stop["meterStop"], stop["reason"]) == (number, 1555, "PowerLoss")


async def test_a_csms_that_turns_out_to_speak_2_0_1_drops_what_was_queued_for_1_6(make_station):
    from ocpp.versions import OcppVersion

    variables = {"AuthCtrlr/OfflineTxForUnknownIdEnabled": "true", "TxCtrlr/TxBeforeAcceptedEnabled": "true"}
    station = await make_station(start=False, variables=variables, speaks=OcppVersion.V201)
    station.network_up = False
    await station.start()
    await station.charge()
    assert station.charge_point.queued_messages == 1
    station.network_up = True
    await station.clock.advance(600)
    assert station.csms.of("StartTransaction") == []
    assert station.csms.counts["BootNotification"] == 1
    assert "chargingStation" in station.csms.of("BootNotification")[0]
    assert station.charge_point.queued_messages == 0


@pytest.mark.req("1.6-9.1.20")
async def test_a_status_that_does_not_last_is_not_told(make_station):
    station = await make_station(variables={"OCPP16Ctrlr/MinimumStatusDuration": 10})
    await station.plug()
    await station.clock.advance(5)
    await station.unplug()
    await station.clock.advance(60)
    assert statuses(station) == ["Available"]
    await station.plug()
    await station.clock.advance(10)
    assert statuses(station) == ["Available", "Preparing"]


@pytest.mark.req("1.6-9.1.20")
async def test_a_fault_is_told_at_once_whatever_the_minimum_duration(make_station):
    station = await make_station(variables={"OCPP16Ctrlr/MinimumStatusDuration": 10})
    station.charge_point.fault_raised(1, 1, Fault("GroundFailure"))
    await station.settle()
    assert statuses(station)[-1] == "Faulted"


@pytest.mark.req("1.6-F06")
@pytest.mark.parametrize(
    "message",
    [
        "BootNotification",
        "Heartbeat",
        "StatusNotification",
        "MeterValues",
        "LogStatusNotification",
        "FirmwareStatusNotification",
    ],
)
async def test_extended_triggers(station, message):
    name = "Signed" + message if message.startswith("Firmware") else message
    before = station.csms.counts[name]
    answer = await ask(station, "ExtendedTriggerMessage", {"requestedMessage": message, "connectorId": 1})
    assert answer == {"status": "Accepted"}
    await station.settle()
    assert station.csms.counts[name] == before + 1


@pytest.mark.req("1.6-F06")
@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"requestedMessage": "StatusNotification", "connectorId": 9}, "Rejected"),
    ],
)
async def test_extended_triggers_that_cannot_be(station, wish, status):
    assert await ask(station, "ExtendedTriggerMessage", wish) == {"status": status}


async def test_the_main_meter_is_told_as_connector_0(make_station):
    station = await make_station(variables={"AlignedDataCtrlr/Interval": 60})
    station.hardware.main_meter = MeterReading((Sample("Energy.Active.Import.Register", Decimal("98765.4"), "Wh"),))
    await station.clock.advance(61)
    told = {message["connectorId"]: message["meterValue"] for message in station.csms.of("MeterValues")}
    assert told[0][0]["sampledValue"][0]["value"] == "98765.4"
