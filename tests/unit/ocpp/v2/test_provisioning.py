import pytest

from ocpp.versions import OcppVersion


def variable(component: str, name: str, value: str | None = None, **more) -> dict:
    wish = {"component": {"name": component}, "variable": {"name": name}, **more}
    return {**wish, "attributeValue": value} if value is not None else wish


async def get(station, *wishes):
    return (await station.csms.call(station.clock, "GetVariables", {"getVariableData": list(wishes)}))[2][
        "getVariableResult"
    ]


async def put(station, *wishes):
    return (await station.csms.call(station.clock, "SetVariables", {"setVariableData": list(wishes)}))[2][
        "setVariableResult"
    ]


@pytest.mark.req("B01.FR.01", "B01.FR.05", "B01.FR.09")
async def test_after_the_start_the_station_introduces_itself_and_tells_the_status_of_every_connector(make_station):
    station = await make_station(evses=2)
    boot = station.csms.of("BootNotification")[0]
    assert boot["reason"] == "PowerUp"
    assert boot["chargingStation"]["vendorName"] == "pilotwire"
    told = [
        (status["evseId"], status["connectorId"], status["connectorStatus"])
        for status in station.csms.of("StatusNotification")
    ]
    assert told == [(1, 1, "Available"), (2, 1, "Available")]


@pytest.mark.req("B01.FR.04", "B01.FR.06")
async def test_the_boot_answer_sets_heartbeat_interval_and_clock(make_station):
    station = await make_station(start=False)
    station.csms.script(
        "BootNotification", {"status": "Accepted", "currentTime": "2030-01-01T00:00:00Z", "interval": 7}
    )
    await station.start()
    assert station.clock.now().year == 2030
    assert station.model.value("OCPPCommCtrlr/HeartbeatInterval") == "7"
    await station.clock.advance(15)
    assert station.csms.counts["Heartbeat"] == 2


@pytest.mark.parametrize("state", ["Pending", "Rejected"])
@pytest.mark.req("B01.FR.08", "B02.FR.02", "B02.FR.08", "B03.FR.02", "B03.FR.06", "B02.FR.04")
async def test_until_it_is_accepted_the_station_only_sends_boot_notifications_at_the_interval_told(make_station, state):
    station = await make_station(start=False)
    answer = {"status": state, "currentTime": "2026-01-01T00:00:00Z", "interval": 100}
    station.csms.script("BootNotification", answer, answer)
    await station.start()
    await station.plug()
    assert station.csms.actions == ["BootNotification"]
    await station.clock.advance(99)
    assert station.csms.actions == ["BootNotification"]
    await station.clock.advance(2)
    assert station.csms.actions == ["BootNotification"] * 2
    await station.clock.advance(101)
    assert station.csms.counts["BootNotification"] == 3
    assert station.csms.counts["StatusNotification"] == 1


@pytest.mark.req("B02.FR.07", "B03.FR.05")
async def test_without_an_interval_the_station_waits_by_its_own_measure(make_station):
    station = await make_station(start=False)
    station.csms.script("BootNotification", {"status": "Pending", "currentTime": "2026-01-01T00:00:00Z", "interval": 0})
    await station.start()
    await station.clock.advance(30)
    assert station.csms.counts["BootNotification"] == 1
    await station.clock.advance(40)
    assert station.csms.counts["BootNotification"] == 2


@pytest.mark.req("B02.FR.01", "B02.FR.05")
async def test_a_pending_station_answers_and_sends_what_it_is_asked_for_but_starts_nothing(make_station):
    station = await make_station(start=False)
    station.csms.script(
        "BootNotification", {"status": "Pending", "currentTime": "2026-01-01T00:00:00Z", "interval": 900}
    )
    await station.start()
    result = await get(station, variable("OCPPCommCtrlr", "HeartbeatInterval"))
    assert result[0]["attributeStatus"] == "Accepted"
    await station.csms.call(station.clock, "GetBaseReport", {"requestId": 5, "reportBase": "SummaryInventory"})
    await station.settle()
    assert station.csms.of("NotifyReport")
    start = {"idToken": {"idToken": "A", "type": "Central"}, "remoteStartId": 1, "evseId": 1}
    assert (await station.csms.call(station.clock, "RequestStartTransaction", start))[2]["status"] == "Rejected"


@pytest.mark.req("B03.FR.08")
async def test_a_rejected_station_answers_every_call_with_a_security_error(make_station):
    station = await make_station(start=False)
    station.csms.script(
        "BootNotification", {"status": "Rejected", "currentTime": "2026-01-01T00:00:00Z", "interval": 900}
    )
    await station.start()
    answer = await station.csms.call(station.clock, "GetBaseReport", {"requestId": 5, "reportBase": "FullInventory"})
    assert answer[0] == 4
    assert answer[2] == "SecurityError"


async def test_after_a_reconnect_there_is_no_second_boot_notification(station):
    await station.disconnect()
    await station.reconnect()
    assert station.csms.counts["BootNotification"] == 1


@pytest.mark.req("B04.FR.01", "B04.FR.02")
async def test_after_a_short_absence_only_changed_statuses_are_told_after_a_long_one_all(make_station):
    station = await make_station(evses=2, variables={"OCPPCommCtrlr/OfflineThreshold": 120})
    before = station.csms.counts["StatusNotification"]
    await station.disconnect()
    await station.plug(1)
    station.network_up = True
    await station.clock.advance(30)
    told = station.csms.of("StatusNotification")[before:]
    assert [(status["evseId"], status["connectorStatus"]) for status in told] == [(1, "Occupied")]
    before = station.csms.counts["StatusNotification"]
    await station.disconnect()
    await station.clock.advance(300)
    await station.reconnect()
    assert len(station.csms.of("StatusNotification")[before:]) == 2


@pytest.mark.req(
    "B06.FR.01", "B06.FR.02", "B06.FR.04", "B06.FR.06", "B06.FR.07", "B06.FR.08", "B06.FR.09", "B06.FR.10", "B06.FR.11"
)
async def test_variables_are_read_each_with_its_own_status(station):
    wishes = [
        variable("OCPPCommCtrlr", "OfflineThreshold"),
        variable("Nothing", "X"),
        variable("OCPPCommCtrlr", "Nothing"),
        variable("OCPPCommCtrlr", "OfflineThreshold", attributeType="MaxSet"),
        variable("SecurityCtrlr", "BasicAuthPassword"),
        variable("occPcommctrlr".replace("occP", "ocpp"), "offlinethreshold"),
    ]
    results = await get(station, *wishes)
    statuses = [result["attributeStatus"] for result in results]
    assert statuses == [
        "Accepted",
        "UnknownComponent",
        "UnknownVariable",
        "NotSupportedAttributeType",
        "Rejected",
        "Accepted",
    ]
    assert results[0]["attributeType"] == "Actual"
    assert results[0]["attributeValue"] == "60"
    assert "attributeValue" not in results[1]


@pytest.mark.req(
    "B05.FR.01",
    "B05.FR.02",
    "B05.FR.04",
    "B05.FR.05",
    "B05.FR.06",
    "B05.FR.07",
    "B05.FR.08",
    "B05.FR.09",
    "B05.FR.10",
    "B05.FR.12",
)
async def test_variables_are_written_each_with_its_own_status(station):
    wishes = [
        variable("OCPPCommCtrlr", "OfflineThreshold", "90"),
        variable("OCPPCommCtrlr", "OfflineThreshold", "ninety"),
        variable("OCPPCommCtrlr", "HeartbeatInterval", "0"),
        variable("OCPPCommCtrlr", "ActiveNetworkProfile", "1"),
        variable("Nothing", "X", "1"),
        variable("OCPPCommCtrlr", "Nothing", "1"),
        variable("OCPPCommCtrlr", "OfflineThreshold", "1", attributeType="Target"),
        variable("TxCtrlr", "TxStartPoint", "Authorized,Moon"),
    ]
    results = await put(station, *wishes)
    assert [result["attributeStatus"] for result in results] == [
        "Accepted",
        "Rejected",
        "Rejected",
        "Rejected",
        "UnknownComponent",
        "UnknownVariable",
        "NotSupportedAttributeType",
        "Rejected",
    ]
    assert all(result["attributeType"] for result in results)
    assert (await get(station, wishes[0] | {"attributeValue": None} and variable("OCPPCommCtrlr", "OfflineThreshold")))[
        0
    ]["attributeValue"] == "90"


@pytest.mark.req("B06.FR.16")
async def test_too_many_variables_at_once_are_refused(station):
    wishes = [variable("OCPPCommCtrlr", "OfflineThreshold")] * 51
    answer = await station.csms.call(station.clock, "GetVariables", {"getVariableData": wishes})
    assert answer[2] == "OccurrenceConstraintViolation"


async def test_a_value_set_by_the_csms_survives_a_restart(make_station):
    station = await make_station()
    await put(station, variable("OCPPCommCtrlr", "OfflineThreshold", "77"))
    await station.stop()
    again = await make_station(seed=2)
    assert (await get(again, variable("OCPPCommCtrlr", "OfflineThreshold")))[0]["attributeValue"] == "77"


@pytest.mark.req("B07.FR.01", "B07.FR.03", "B07.FR.04", "B07.FR.08", "B07.FR.10")
async def test_a_full_inventory_comes_in_numbered_parts(station):
    answer = await station.csms.call(station.clock, "GetBaseReport", {"requestId": 42, "reportBase": "FullInventory"})
    assert answer[2]["status"] == "Accepted"
    for _ in range(10):
        await station.settle()
    parts = station.csms.of("NotifyReport")
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert {part["requestId"] for part in parts} == {42}
    assert all(part["tbc"] for part in parts[:-1])
    assert "tbc" not in parts[-1]
    names = {f"{data['component']['name']}/{data['variable']['name']}" for part in parts for data in part["reportData"]}
    assert {"TxCtrlr/TxStartPoint", "EVSE/AvailabilityState", "Connector/ConnectorType"} <= names
    assert not any(name.startswith("OCPP16Ctrlr") for name in names)


@pytest.mark.req("B07.FR.07")
async def test_the_configuration_inventory_holds_what_can_be_set(station):
    await station.csms.call(station.clock, "GetBaseReport", {"requestId": 1, "reportBase": "ConfigurationInventory"})
    for _ in range(10):
        await station.settle()
    data = [each for part in station.csms.of("NotifyReport") for each in part["reportData"]]
    assert data
    assert all(each["variableAttribute"][0]["mutability"] != "ReadOnly" for each in data)
    secret = [each for each in data if each["variable"]["name"] == "BasicAuthPassword"]
    assert "value" not in secret[0]["variableAttribute"][0]


@pytest.mark.req("B08.FR.01", "B08.FR.11", "B08.FR.15", "B08.FR.20", "B08.FR.23")
async def test_a_custom_report_holds_what_was_asked_for(make_station):
    station = await make_station(evses=2)
    ask = {"requestId": 3, "componentVariable": [{"component": {"name": "EVSE"}}]}
    assert (await station.csms.call(station.clock, "GetReport", ask))[2]["status"] == "Accepted"
    await station.settle()
    data = [each for part in station.csms.of("NotifyReport") for each in part["reportData"]]
    assert {each["component"]["name"] for each in data} == {"EVSE"}
    assert {each["component"]["evse"]["id"] for each in data} == {1, 2}
    ask = {"requestId": 4, "componentVariable": [{"component": {"name": "Moon"}}]}
    assert (await station.csms.call(station.clock, "GetReport", ask))[2]["status"] == "EmptyResultSet"


@pytest.mark.req("B11.FR.01", "B11.FR.03")
async def test_a_reset_of_an_idle_station_is_carried_out(station):
    assert (await station.csms.call(station.clock, "Reset", {"type": "OnIdle"}))[2]["status"] == "Accepted"
    await station.clock.advance(5)
    assert station.restarts == ["RemoteReset"]


@pytest.mark.req("B12.FR.02", "B12.FR.04")
async def test_an_immediate_reset_ends_transactions_first(station):
    await station.charge()
    assert (await station.csms.call(station.clock, "Reset", {"type": "Immediate"}))[2]["status"] == "Accepted"
    await station.draw(flowing=False)
    await station.clock.advance(5)
    assert station.story[-1] == ("Ended", "ResetCommand")
    assert station.events[-1]["transactionInfo"]["stoppedReason"] == "ImmediateReset"
    assert station.restarts == ["RemoteReset"]


@pytest.mark.req("B12.FR.01", "B12.FR.03", "B11.FR.07")
async def test_a_reset_on_idle_waits_for_the_last_transaction(station):
    await station.charge()
    assert (await station.csms.call(station.clock, "Reset", {"type": "OnIdle"}))[2]["status"] == "Scheduled"
    await station.clock.advance(100)
    assert station.restarts == []
    await station.present()
    await station.draw(flowing=False)
    await station.clock.advance(5)
    assert station.restarts == ["ScheduledReset"]


@pytest.mark.req("B12.FR.06")
async def test_after_a_reset_during_a_transaction_an_evse_is_as_unavailable_as_before(make_station):
    station = await make_station(evses=2)
    wish = {"operationalStatus": "Inoperative", "evse": {"id": 2}}
    assert (await station.csms.call(station.clock, "ChangeAvailability", wish))[2]["status"] == "Accepted"
    await station.charge()
    await station.csms.call(station.clock, "Reset", {"type": "Immediate"})
    await station.draw(flowing=False)
    await station.clock.advance(5)
    await station.stop()
    again = await make_station(evses=2)
    statuses = {each["evseId"]: each["connectorStatus"] for each in again.csms.of("StatusNotification")}
    assert statuses[2] == "Unavailable"


@pytest.mark.req("B11.FR.09", "B12.FR.09")
@pytest.mark.parametrize("evse_id", [1, 7])
async def test_an_evse_that_may_not_be_reset_alone_is_not(make_station, evse_id):
    station = await make_station(variables={"EVSE@1/AllowReset": "false"})
    wish = {"type": "Immediate", "evseId": evse_id}
    assert (await station.csms.call(station.clock, "Reset", wish))[2]["status"] == "Rejected"
    await station.clock.advance(5)
    assert station.restarts == []
    assert [each["connectorStatus"] for each in station.csms.of("StatusNotification")] == ["Available"]


@pytest.mark.req("B11.FR.08", "B11.FR.10")
async def test_a_single_evse_is_out_of_service_for_a_moment(station):
    wish = {"type": "Immediate", "evseId": 1}
    assert (await station.csms.call(station.clock, "Reset", wish))[2]["status"] == "Accepted"
    await station.clock.advance(5)
    assert station.restarts == []
    statuses = [each["connectorStatus"] for each in station.csms.of("StatusNotification")]
    assert statuses == ["Available", "Unavailable", "Available"]


@pytest.mark.req("B12.FR.01", "B12.FR.07")
async def test_a_single_evse_is_reset_when_its_transaction_has_ended(station):
    await station.charge()
    wish = {"type": "OnIdle", "evseId": 1}
    assert (await station.csms.call(station.clock, "Reset", wish))[2]["status"] == "Scheduled"
    await station.clock.advance(100)
    assert station.csms.of("StatusNotification")[-1]["connectorStatus"] == "Occupied"
    await station.present()
    await station.draw(flowing=False)
    await station.clock.advance(0.5)
    assert station.csms.of("StatusNotification")[-1]["connectorStatus"] == "Unavailable"
    await station.clock.advance(5)
    assert station.csms.of("StatusNotification")[-1]["connectorStatus"] == "Occupied"
    assert station.restarts == []


@pytest.mark.req("B01.FR.03", "B01.FR.09")
async def test_after_a_reset_the_boot_reason_tells_of_it(make_station):
    station = await make_station()
    await station.csms.call(station.clock, "Reset", {"type": "Immediate"})
    await station.clock.advance(5)
    await station.stop()
    again = await make_station(seed=2)
    assert again.csms.of("BootNotification")[0]["reason"] == "RemoteReset"
    await again.stop()
    third = await make_station(seed=3)
    assert third.csms.of("BootNotification")[0]["reason"] == "PowerUp"


def network(slot: int, **more) -> dict:
    data = {
        "ocppInterface": "Wired0",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "ws://elsewhere/ocpp",
        "messageTimeout": 30,
        "securityProfile": 1,
        "basicAuthPassword": "0123456789abcdef",
        **more,
    }
    return {"configurationSlot": slot, "connectionData": data}


@pytest.mark.req("B09.FR.01", "B09.FR.05", "B10.FR.01", "B10.FR.02")
async def test_network_profiles_are_stored_and_put_into_order(make_station):
    station = await make_station(OcppVersion.V21)
    ask = station.csms.call
    assert (await ask(station.clock, "SetNetworkProfile", network(2)))[2]["status"] == "Accepted"
    assert (await ask(station.clock, "SetNetworkProfile", network(9)))[2]["status"] == "Rejected"
    assert (await ask(station.clock, "SetNetworkProfile", network(2, securityProfile=2)))[2]["status"] == "Rejected"
    assert (await put(station, variable("OCPPCommCtrlr", "NetworkConfigurationPriority", "2")))[0][
        "attributeStatus"
    ] == "Accepted"
    assert (await put(station, variable("OCPPCommCtrlr", "NetworkConfigurationPriority", "3")))[0][
        "attributeStatus"
    ] == "Rejected"
