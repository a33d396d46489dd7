import pytest
from support.station import CARD

START = {"idToken": {"idToken": "REMOTE", "type": "ISO14443"}, "remoteStartId": 17}


async def ask(station, action: str, payload: dict) -> dict:
    return (await station.csms.call(station.clock, action, payload))[2]


@pytest.mark.req("F01.FR.01", "F01.FR.03", "F01.FR.19", "F01.FR.25", "F02.FR.01", "F02.FR.21")
async def test_a_remote_start_charges_a_car_that_is_plugged_in(station):
    await station.plug()
    assert (await ask(station, "RequestStartTransaction", {**START, "evseId": 1}))["status"] == "Accepted"
    await station.settle()
    assert station.csms.of("Authorize")[0]["idToken"]["idToken"] == "REMOTE"
    assert station.story[0] == ("Started", "RemoteStart")
    assert station.events[0]["transactionInfo"]["remoteStartId"] == 17
    assert station.events[0]["idToken"]["idToken"] == "REMOTE"
    assert station.hardware.allowed


@pytest.mark.req("F01.FR.02", "F02.FR.10")
async def test_without_authorize_remote_start_nobody_is_asked(make_station):
    station = await make_station(variables={"AuthCtrlr/AuthorizeRemoteStart": "false"})
    await station.plug()
    await ask(station, "RequestStartTransaction", {**START, "evseId": 1})
    await station.settle()
    assert station.csms.of("Authorize") == []
    assert station.hardware.allowed


@pytest.mark.req("F02.FR.07")
async def test_after_a_remote_start_the_driver_has_to_plug_in_in_time(make_station):
    variables = {"TxCtrlr/TxStartPoint": "Authorized", "TxCtrlr/EVConnectionTimeOut": 20}
    station = await make_station(variables=variables)
    await ask(station, "RequestStartTransaction", {**START, "evseId": 1})
    await station.clock.advance(21)
    assert station.story == [("Started", "RemoteStart"), ("Ended", "EVConnectTimeout")]


@pytest.mark.req("F01.FR.13")
async def test_the_answer_names_the_transaction_that_is_there_already(make_station):
    station = await make_station(variables={"TxCtrlr/TxStartPoint": "EVConnected"})
    await station.plug()
    answer = await ask(station, "RequestStartTransaction", {**START, "evseId": 1})
    assert answer["transactionId"] == station.events[0]["transactionInfo"]["transactionId"]


@pytest.mark.req("F01.FR.20", "F02.FR.22")
async def test_without_an_evse_the_station_picks_one(make_station):
    station = await make_station(evses=2)
    await station.plug(2)
    assert (await ask(station, "RequestStartTransaction", START))["status"] == "Accepted"
    await station.settle()
    assert station.events[0]["evse"]["id"] == 2


@pytest.mark.req("F01.FR.23", "F01.FR.24", "F02.FR.25", "F02.FR.26")
async def test_a_remote_start_is_rejected_where_it_cannot_be_carried_out(station):
    assert (await ask(station, "RequestStartTransaction", {**START, "evseId": 9}))["status"] == "Rejected"
    await station.charge()
    assert (await ask(station, "RequestStartTransaction", {**START, "evseId": 1}))["status"] == "Rejected"
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    await ask(station, "ChangeAvailability", {"operationalStatus": "Inoperative"})
    assert (await ask(station, "RequestStartTransaction", {**START, "evseId": 1}))["status"] == "Rejected"


@pytest.mark.req("F03.FR.03", "F03.FR.07", "F03.FR.08")
async def test_a_remote_stop_ends_the_transaction(station):
    await station.charge()
    identifier = station.events[0]["transactionInfo"]["transactionId"]
    assert (await ask(station, "RequestStopTransaction", {"transactionId": "nobody"}))["status"] == "Rejected"
    assert (await ask(station, "RequestStopTransaction", {"transactionId": identifier}))["status"] == "Accepted"
    await station.draw(flowing=False)
    assert station.story[-1] == ("Ended", "RemoteStop")
    assert station.events[-1]["transactionInfo"]["stoppedReason"] == "Remote"
    assert "idToken" not in station.events[-1]
    assert station.hardware.locked == set()


@pytest.mark.req("F03.FR.02")
async def test_a_remote_stop_only_ends_the_energy_where_that_is_no_stop_point(make_station):
    station = await make_station(variables={"TxCtrlr/TxStopPoint": "EVConnected"})
    await station.charge()
    identifier = station.events[0]["transactionInfo"]["transactionId"]
    await ask(station, "RequestStopTransaction", {"transactionId": identifier})
    await station.draw(flowing=False)
    assert ("Updated", "RemoteStop") in station.story
    assert station.hardware.allowed == {}


@pytest.mark.req("F05.FR.01", "F05.FR.02", "F05.FR.03", "F05.FR.04", "F05.FR.05", "F05.FR.06")
async def test_unlocking(station):
    where = {"evseId": 1, "connectorId": 1}
    assert (await ask(station, "UnlockConnector", where))["status"] == "Unlocked"
    assert (await ask(station, "UnlockConnector", {"evseId": 1, "connectorId": 9}))["status"] == "UnknownConnector"
    await station.charge()
    assert (await ask(station, "UnlockConnector", where))["status"] == "OngoingAuthorizedTransaction"
    await station.present()
    await station.draw(flowing=False)
    station.hardware.lock_works = False
    assert (await ask(station, "UnlockConnector", where))["status"] == "UnlockFailed"


@pytest.mark.req("F06.FR.04", "F06.FR.05", "F06.FR.06")
async def test_triggered_meter_values_follow_the_answer(station):
    assert (await ask(station, "TriggerMessage", {"requestedMessage": "MeterValues", "evse": {"id": 1}}))[
        "status"
    ] == "Accepted"
    await station.settle()
    assert station.csms.of("MeterValues")[0]["meterValue"][0]["sampledValue"][0]["context"] == "Trigger"
    kinds = [(frame[0], frame[2] if frame[0] == 2 else "answer") for frame in station.csms.frames[-2:]]
    assert kinds == [(3, "answer"), (2, "MeterValues")]


@pytest.mark.req("F06.FR.07")
async def test_a_triggered_transaction_event(station):
    assert (await ask(station, "TriggerMessage", {"requestedMessage": "TransactionEvent"}))["status"] == "Rejected"
    await station.charge()
    await ask(station, "TriggerMessage", {"requestedMessage": "TransactionEvent"})
    await station.settle()
    assert station.story[-1] == ("Updated", "Trigger")
    assert station.events[-1]["transactionInfo"]["chargingState"] == "Charging"


@pytest.mark.req("F06.FR.08", "F06.FR.12", "F06.FR.17")
async def test_what_cannot_be_triggered_is_not_promised(station):
    assert (await ask(station, "TriggerMessage", {"requestedMessage": "SignV2GCertificate"}))[
        "status"
    ] == "NotImplemented"
    assert (await ask(station, "TriggerMessage", {"requestedMessage": "StatusNotification"}))["status"] == "Rejected"
    assert (await ask(station, "TriggerMessage", {"requestedMessage": "BootNotification"}))["status"] == "Rejected"
    here = {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}
    assert (await ask(station, "TriggerMessage", here))["status"] == "Accepted"
    assert (await ask(station, "TriggerMessage", {"requestedMessage": "Heartbeat"}))["status"] == "Accepted"
    await station.settle()
    assert station.csms.counts["Heartbeat"] == 1


@pytest.mark.req("C11.FR.01", "C11.FR.03", "C11.FR.04")
async def test_the_cache_is_cleared(make_station):
    station = await make_station()
    await station.present()
    await station.present()
    assert (await ask(station, "ClearCache", {}))["status"] == "Accepted"
    await station.disconnect()
    await station.charge()
    assert station.hardware.allowed == {}
    other = await make_station(folder="b", variables={"AuthCacheCtrlr/Enabled": "false"})
    assert (await ask(other, "ClearCache", {}))["status"] == "Rejected"


@pytest.mark.req("P01.FR.05", "P01.FR.06")
async def test_data_goes_to_the_vendor_it_is_for(station):
    async def handle(message_id, data):
        return ("Accepted", data) if message_id == "echo" else ("UnknownMessageId", None)

    station.charge_point.on_data_transfer("com.example", handle)
    assert (await ask(station, "DataTransfer", {"vendorId": "org.nobody"}))["status"] == "UnknownVendorId"
    known = {"vendorId": "com.example", "messageId": "echo", "data": {"a": [1, 2.5, None]}}
    assert (await ask(station, "DataTransfer", known)) == {"status": "Accepted", "data": {"a": [1, 2.5, None]}}
    assert (await ask(station, "DataTransfer", {**known, "messageId": "x"}))["status"] == "UnknownMessageId"


@pytest.mark.parametrize(
    ("controller", "action", "payload"),
    [
        ("MonitoringCtrlr", "GetMonitoringReport", {"requestId": 1}),
        ("DisplayMessageCtrlr", "ClearDisplayMessage", {"id": 1}),
        ("ReservationCtrlr", "CancelReservation", {"reservationId": 1}),
    ],
)
async def test_a_block_that_is_not_there_answers_not_supported(make_station, controller, action, payload):
    station = await make_station(variables={f"{controller}/Available": "false"})
    answer = await station.csms.call(station.clock, action, payload)
    assert (answer[0], answer[2]) == (4, "NotSupported")


async def test_the_master_pass_stops_everybody_and_starts_nobody(make_station):
    station = await make_station(evses=2, variables={"AuthCtrlr/MasterPassGroupId": "MASTER"})
    await station.charge(1)
    info = {"idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": "MASTER", "type": "Central"}}}
    station.csms.script("Authorize", info, info)
    await station.present("GUARD")
    await station.draw(1, flowing=False)
    assert station.events[-1]["transactionInfo"]["stoppedReason"] == "MasterPass"
    await station.plug(2)
    await station.present("GUARD", (2,))
    assert 2 not in station.hardware.allowed
    assert CARD != "GUARD"
