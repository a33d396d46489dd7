import pytest
from support.station import CARD

from ocpp.charge_point import SignedReading

ENERGY = "Energy.Active.Import.Register"


def points(start: str, stop: str, **more) -> dict:
    return {"TxCtrlr/TxStartPoint": start, "TxCtrlr/TxStopPoint": stop, **more}


async def whole_session(station) -> None:
    await station.charge()
    station.meter("3500.5")
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()


@pytest.mark.req("E01.FR.05", "E01.FR.07", "E01.FR.09", "E02.FR.01", "E06.FR.03", "E06.FR.11", "E07.FR.02", "E07.FR.05")
async def test_a_whole_session_from_plug_to_bill(station):
    await whole_session(station)
    assert station.story == [
        ("Started", "Authorized"),
        ("Updated", "ChargingStateChanged"),
        ("Ended", "StopAuthorized"),
    ]
    assert [event["seqNo"] for event in station.events] == [0, 1, 2]
    started, charging, ended = station.events
    assert started["idToken"]["idToken"] == CARD
    assert started["meterValue"][0]["sampledValue"][0] == {
        "value": 1000.0,
        "context": "Transaction.Begin",
        "measurand": ENERGY,
        "unitOfMeasure": {"unit": "Wh"},
    }
    assert charging["transactionInfo"]["chargingState"] == "Charging"
    assert ended["transactionInfo"]["stoppedReason"] == "Local"
    assert ended["meterValue"][-1]["sampledValue"][0]["value"] == 3500.5
    assert ended["meterValue"][-1]["sampledValue"][0]["context"] == "Transaction.End"


@pytest.mark.parametrize(
    ("start", "first"),
    [
        pytest.param("EVConnected", ("Started", "CablePluggedIn"), marks=pytest.mark.req("E01.FR.02", "E02.FR.06")),
        pytest.param("Authorized", ("Started", "Authorized"), marks=pytest.mark.req("E01.FR.03")),
        pytest.param("PowerPathClosed", ("Started", "Authorized"), marks=pytest.mark.req("E01.FR.05")),
        pytest.param("EnergyTransfer", ("Started", "ChargingStateChanged"), marks=pytest.mark.req("E01.FR.06")),
        ("EVConnected,Authorized", ("Started", "CablePluggedIn")),
    ],
)
async def test_the_transaction_starts_at_the_configured_point(make_station, start, first):
    station = await make_station(variables=points(start, "PowerPathClosed"))
    await whole_session(station)
    assert station.story[0] == first
    assert [kind for kind, _ in station.story].count("Started") == 1
    assert station.story[-1][0] == "Ended"
    identified = [event for event in station.events if event.get("idToken", {}).get("idToken") == CARD]
    assert identified, "the next event after the authorization carries the token"


@pytest.mark.parametrize(
    ("stop", "last"),
    [
        pytest.param("Authorized", ("Ended", "StopAuthorized"), marks=pytest.mark.req("E06.FR.03")),
        pytest.param("EVConnected", ("Ended", "EVCommunicationLost"), marks=pytest.mark.req("E06.FR.02")),
        pytest.param("PowerPathClosed", ("Ended", "StopAuthorized"), marks=pytest.mark.req("E06.FR.06")),
        pytest.param("EnergyTransfer", ("Ended", "StopAuthorized"), marks=pytest.mark.req("E06.FR.07")),
    ],
)
async def test_the_transaction_ends_at_the_configured_point(make_station, stop, last):
    station = await make_station(variables=points("PowerPathClosed", stop))
    await whole_session(station)
    assert station.story[-1][0] == "Ended"
    if stop != "EnergyTransfer":
        assert station.story[-1] == last
    assert station.events[-1]["transactionInfo"]["stoppedReason"] == "Local"
    assert [kind for kind, _ in station.story].count("Ended") == 1
    assert not station.charge_point.strategy.charging.transactions


@pytest.mark.req("E01.FR.01", "E06.FR.01")
async def test_the_parking_bay_starts_and_ends_the_transaction(make_station):
    station = await make_station(variables=points("ParkingBayOccupancy", "ParkingBayOccupancy"))
    station.charge_point.bay_changed(1, True)
    await station.settle()
    await whole_session(station)
    station.charge_point.bay_changed(1, False)
    await station.settle()
    assert station.story[0] == ("Started", "EVDetected")
    assert station.story[-1] == ("Ended", "EVDeparted")


@pytest.mark.req("E03.FR.01", "E01.FR.16", "E01.FR.17")
async def test_a_card_before_the_plug_starts_a_transaction_whose_evse_is_told_later(make_station):
    station = await make_station(evses=2, variables=points("Authorized", "Authorized"))
    await station.present()
    assert station.story == [("Started", "Authorized")]
    assert "evse" not in station.events[0]
    assert "meterValue" not in station.events[0]
    await station.plug(2)
    assert station.events[1]["evse"] == {"id": 2, "connectorId": 1}
    assert station.events[1]["meterValue"][0]["sampledValue"][0]["context"] == "Transaction.Begin"


@pytest.mark.req("E03.FR.05")
async def test_a_driver_who_never_plugs_in_loses_the_authorization(make_station):
    station = await make_station(variables=points("Authorized", "Authorized", **{"TxCtrlr/EVConnectionTimeOut": 30}))
    await station.present()
    await station.clock.advance(31)
    assert station.story[-1] == ("Ended", "EVConnectTimeout")
    assert station.events[-1]["transactionInfo"]["stoppedReason"] == "Timeout"


@pytest.mark.req("E03.FR.15")
async def test_with_a_bay_sensor_as_stop_point_the_time_out_only_ends_the_authorization(make_station):
    variables = points("Authorized", "ParkingBayOccupancy", **{"TxCtrlr/EVConnectionTimeOut": 30})
    station = await make_station(variables=variables)
    await station.present()
    await station.clock.advance(31)
    assert station.story[-1] == ("Updated", "EVConnectTimeout")


async def test_the_same_card_again_before_the_plug_withdraws_the_authorization(make_station):
    station = await make_station(variables=points("PowerPathClosed", "PowerPathClosed"))
    await station.present()
    await station.present()
    await station.plug()
    assert station.story == []
    assert station.hardware.allowed == {}


@pytest.mark.req("C01.FR.01", "C12.FR.09")
async def test_without_authorization_no_energy_is_offered(station):
    await station.plug()
    assert station.hardware.allowed == {}
    station.csms.script("Authorize", {"idTokenInfo": {"status": "Invalid"}})
    await station.present()
    assert station.hardware.allowed == {}
    assert station.story == []


async def test_another_card_does_not_stop_the_transaction(station):
    await station.charge()
    await station.present("DEADBEEF")
    assert station.story[-1][0] != "Ended"
    assert station.hardware.allowed


@pytest.mark.req("C01.FR.03", "E07.FR.01", "E08.FR.02")
async def test_a_card_of_the_same_group_stops_the_transaction(station):
    info = {"idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": "FAMILY", "type": "Central"}}}
    station.csms.script("Authorize", info, info)
    station.csms.script("TransactionEvent", info)
    await station.charge()
    await station.present("OTHERCARD")
    await station.draw(flowing=False)
    assert station.story[-1] == ("Ended", "StopAuthorized")
    assert station.events[-1]["idToken"]["idToken"] == "OTHERCARD"


@pytest.mark.req("E05.FR.10", "C15.FR.05", "E05.FR.11")
async def test_a_refused_token_ends_the_transaction_and_keeps_the_cable_until_its_owner_comes(station):
    station.csms.script("TransactionEvent", {"idTokenInfo": {"status": "Blocked"}})
    await station.charge()
    await station.draw(flowing=False)
    assert station.story[-1] == ("Ended", "Deauthorized")
    assert station.events[-1]["transactionInfo"]["stoppedReason"] == "DeAuthorized"
    assert station.hardware.locked == {(1, 1)}
    await station.present()
    assert station.hardware.locked == set()


@pytest.mark.req("E05.FR.09")
async def test_a_refused_token_only_ends_the_authorization_where_that_is_no_stop_point(make_station):
    station = await make_station(variables=points("PowerPathClosed", "EVConnected"))
    station.csms.script("TransactionEvent", {"idTokenInfo": {"status": "Blocked"}})
    await station.charge()
    await station.draw(flowing=False)
    assert ("Updated", "Deauthorized") in station.story
    assert station.hardware.allowed == {}
    assert station.charge_point.strategy.charging.transactions


@pytest.mark.req("E05.FR.10")
async def test_where_the_end_of_the_energy_is_the_stop_point_the_refusal_is_its_trigger(make_station):
    station = await make_station(variables=points("PowerPathClosed", "EnergyTransfer"))
    await station.disconnect()
    station.model.set_inside(station.model.entry("AuthCtrlr/OfflineTxForUnknownIdEnabled"), "true")
    await station.charge()
    station.csms.script("TransactionEvent", {"idTokenInfo": {"status": "Blocked"}})
    await station.reconnect()
    await station.draw(flowing=False)
    assert station.story[-1] == ("Ended", "Deauthorized")
    assert station.events[-1]["transactionInfo"]["stoppedReason"] == "DeAuthorized"
    assert "Deauthorized" not in [trigger for _, trigger in station.story[:-1]]


@pytest.mark.req("E05.FR.02")
async def test_without_stop_on_invalid_id_only_the_energy_stops(make_station):
    station = await make_station(variables={"TxCtrlr/StopTxOnInvalidId": "false"})
    station.csms.script("TransactionEvent", {"idTokenInfo": {"status": "Blocked"}})
    await station.charge()
    await station.draw(flowing=False)
    assert station.hardware.allowed == {}
    assert station.events[-1]["transactionInfo"]["chargingState"] == "SuspendedEVSE"
    assert station.story[-1] == ("Updated", "ChargingStateChanged")


@pytest.mark.req("E05.FR.03")
async def test_a_refused_driver_may_draw_the_energy_configured_for_that(make_station):
    variables = {"TxCtrlr/StopTxOnInvalidId": "false", "TxCtrlr/MaxEnergyOnInvalidId": 500}
    station = await make_station(variables=variables)
    station.csms.script("TransactionEvent", {"idTokenInfo": {"status": "Blocked"}})
    await station.charge()
    assert station.hardware.allowed
    station.meter("1400")
    await station.clock.advance(61)
    assert station.hardware.allowed
    station.meter("1501")
    await station.clock.advance(61)
    assert station.hardware.allowed == {}


@pytest.mark.req("E04.FR.01", "E04.FR.02", "E04.FR.03", "E11.FR.01", "E11.FR.02", "E12.FR.02")
async def test_offline_everything_is_queued_and_told_in_order_with_the_offline_flag(make_station):
    station = await make_station(variables={"AuthCtrlr/OfflineTxForUnknownIdEnabled": "true"})
    await station.disconnect()
    await whole_session(station)
    assert station.events == []
    assert station.charge_point.queued_messages == 3
    await station.reconnect()
    assert [event["eventType"] for event in station.events] == ["Started", "Updated", "Ended"]
    assert all(event["offline"] for event in station.events)
    assert station.charge_point.queued_messages == 0


@pytest.mark.req("C13.FR.04", "C15.FR.08")
async def test_offline_an_unknown_card_may_charge_only_where_that_is_allowed(make_station):
    station = await make_station()
    await station.disconnect()
    await station.charge()
    assert station.hardware.allowed == {}
    allowed = await make_station(folder="b", variables={"AuthCtrlr/OfflineTxForUnknownIdEnabled": "true"})
    await allowed.disconnect()
    await allowed.charge()
    assert allowed.hardware.allowed


@pytest.mark.req("C12.FR.02", "C10.FR.04", "C10.FR.02")
async def test_offline_a_cached_card_may_charge(station):
    await station.present()
    await station.present()
    await station.disconnect()
    await station.charge()
    assert station.hardware.allowed


@pytest.mark.req("E13.FR.02", "E13.FR.03", "E13.FR.04")
async def test_a_message_the_csms_fails_to_process_is_tried_as_often_as_configured_and_then_given_up(make_station):
    variables = {
        "OCPPCommCtrlr/MessageAttempts[TransactionEvent]": 3,
        "OCPPCommCtrlr/MessageAttemptInterval[TransactionEvent]": 10,
    }
    station = await make_station(variables=variables)
    station.csms.script("TransactionEvent", "InternalError", "InternalError", "InternalError")
    await station.charge()
    assert [event["seqNo"] for event in station.events] == [0]
    await station.clock.advance(9.5)
    assert len(station.events) == 1
    await station.clock.advance(1)
    assert [event["seqNo"] for event in station.events] == [0, 0]
    await station.clock.advance(19)
    assert len(station.events) == 2
    await station.clock.advance(1.5)
    assert [event["seqNo"] for event in station.events][:3] == [0, 0, 0]
    await station.clock.advance(1)
    assert [event["seqNo"] for event in station.events][3] == 1, "the next message follows"


async def test_a_message_that_is_never_answered_counts_as_failed_after_the_timeout(station):
    station.csms.script("TransactionEvent", None)
    await station.charge()
    assert len(station.events) == 1
    await station.clock.advance(31)
    await station.clock.advance(61)
    assert [event["seqNo"] for event in station.events][:2] == [0, 0]


@pytest.mark.req("J02.FR.11", "E02.FR.10")
async def test_samples_come_at_their_interval(make_station):
    station = await make_station(variables={"SampledDataCtrlr/TxUpdatedInterval": 60})
    await station.charge()
    for minute in range(1, 4):
        station.meter(str(1000 + 120 * minute))
        await station.clock.advance(60)
    samples = [event for event in station.events if event["triggerReason"] == "MeterValuePeriodic"]
    assert [sample["meterValue"][0]["sampledValue"][0]["value"] for sample in samples] == [1120.0, 1240.0, 1360.0]
    assert {each["context"] for each in samples[0]["meterValue"][0]["sampledValue"]} == {"Sample.Periodic"}


@pytest.mark.req("J01.FR.14", "J01.FR.22")
async def test_clock_aligned_values_come_at_the_full_quarter_with_and_without_a_transaction(make_station):
    station = await make_station(variables={"AlignedDataCtrlr/Interval": 900, "SampledDataCtrlr/TxUpdatedInterval": 0})
    await station.clock.advance(905)
    assert station.csms.of("MeterValues")[0]["meterValue"][0]["timestamp"].endswith("00:15:00Z")
    await station.charge()
    await station.clock.advance(900)
    assert station.story[-1] == ("Updated", "MeterValueClock")
    assert len(station.csms.of("MeterValues")) == 1


@pytest.mark.req("E06.FR.16")
async def test_an_emergency_stop_ends_the_transaction_at_once(station):
    from ocpp.charge_point import Fault

    await station.charge()
    station.charge_point.fault_raised(1, 0, Fault("EmergencyStop"))
    await station.draw(flowing=False)
    assert station.story[-1] == ("Ended", "AbnormalCondition")
    assert station.events[-1]["transactionInfo"]["stoppedReason"] == "EmergencyStop"
    assert station.hardware.allowed == {}


async def test_another_fault_pauses_the_charge_until_it_is_gone(station):
    from ocpp.charge_point import Fault

    await station.charge()
    station.charge_point.fault_raised(1, 1, Fault("HighTemperature"))
    await station.draw(flowing=False)
    assert station.hardware.allowed == {}
    assert station.events[-1]["transactionInfo"]["chargingState"] == "SuspendedEVSE"
    assert station.statuses()[-1] == "Faulted"
    station.charge_point.fault_cleared(1, 1, Fault("HighTemperature"))
    await station.settle()
    assert station.hardware.allowed


@pytest.mark.req("E09.FR.01", "E09.FR.02")
async def test_pulling_the_plug_at_the_car_ends_the_transaction_and_frees_the_cable(station):
    await station.charge()
    await station.unplug()
    assert station.story[-1] == ("Ended", "EVCommunicationLost")
    assert station.events[-1]["transactionInfo"]["stoppedReason"] == "EVDisconnected"
    assert station.hardware.locked == set()


async def test_where_it_does_not_end_the_transaction_a_car_plugged_in_again_goes_on_charging(make_station):
    variables = points("PowerPathClosed", "Authorized", **{"TxCtrlr/StopTxOnEVSideDisconnect": "false"})
    station = await make_station(variables=variables)
    await station.charge()
    await station.unplug()
    assert station.story[-1] == ("Updated", "EVCommunicationLost")
    assert station.events[-1]["transactionInfo"]["chargingState"] == "Idle"
    await station.plug()
    assert station.hardware.allowed
    assert len({event["transactionInfo"]["transactionId"] for event in station.events}) == 1


async def test_a_lock_that_does_not_close_means_no_energy_and_a_fault(station):
    station.hardware.lock_works = False
    await station.charge()
    assert station.hardware.allowed == {}
    assert station.statuses()[-1] == "Faulted"


@pytest.mark.req("E14.FR.01", "E14.FR.02", "E14.FR.04", "E14.FR.06", "E14.FR.08")
async def test_the_state_of_a_transaction_can_be_asked(station):
    ask = station.csms.call
    assert (await ask(station.clock, "GetTransactionStatus", {}))[2] == {"messagesInQueue": False}
    await station.charge()
    identifier = station.events[0]["transactionInfo"]["transactionId"]
    answer = (await ask(station.clock, "GetTransactionStatus", {"transactionId": identifier}))[2]
    assert answer == {"ongoingIndicator": True, "messagesInQueue": False}
    answer = (await ask(station.clock, "GetTransactionStatus", {"transactionId": "nobody"}))[2]
    assert answer == {"ongoingIndicator": False, "messagesInQueue": False}


@pytest.mark.req("J02.FR.10")
@pytest.mark.parametrize("resumption", [0, 600])
async def test_a_transaction_found_open_is_ended_or_resumed_as_configured(make_station, resumption):
    variables = points("EVConnected", "EVConnected", **{"TxCtrlr/ResumptionTimeout": resumption})
    first = await make_station(variables=variables)
    await first.charge()
    first.meter("1234")
    await first.clock.advance(61)
    known = len(first.events)
    await first.stop()
    second = await make_station(start=False, variables=variables, seed=2)
    second.clock.tick(100)
    second.meter("1300")
    second.charge_point.start([(1, 1)])
    import asyncio

    second._task = asyncio.ensure_future(second.charge_point.run())
    await second.settle()
    identifier = first.events[0]["transactionInfo"]["transactionId"]
    again = [event for event in second.events if event["transactionInfo"]["transactionId"] == identifier]
    assert again[0]["seqNo"] == known
    if resumption:
        interrupted, resumed = again[:2]
        assert (interrupted["eventType"], interrupted["triggerReason"]) == ("Updated", "AbnormalCondition")
        assert interrupted["offline"] is True
        assert interrupted["meterValue"][0]["timestamp"] == "2026-01-01T00:01:00Z", (
            "the last reading, with its own time"
        )
        assert interrupted["timestamp"] == "2026-01-01T00:01:01Z" < resumed["timestamp"], "alive until then"
        assert (resumed["eventType"], resumed["seqNo"]) == ("Updated", known + 1)
        contexts = [value["sampledValue"][0]["context"] for event in again[:2] for value in event["meterValue"]]
        assert contexts == ["Interruption.Begin", "Interruption.End"]
        assert second.hardware.allowed
    else:
        assert again[0]["eventType"] == "Ended"
        assert again[0]["transactionInfo"]["stoppedReason"] == "PowerLoss"
        assert again[0]["meterValue"][-1]["sampledValue"][0]["value"] == 1300.0, "the same cable is in"


@pytest.mark.req("B03.FR.01")
async def test_times_made_before_the_clock_was_set_are_corrected(make_station):
    from datetime import UTC, datetime, timedelta

    from ocpp.clock import ManualClock

    clock = ManualClock(datetime(1970, 1, 1, 0, 1, tzinfo=UTC))
    variables = {"AuthCtrlr/OfflineTxForUnknownIdEnabled": "true", "TxCtrlr/TxBeforeAcceptedEnabled": "true"}
    station = await make_station(start=False, clock=clock, variables=variables)
    station.network_up = False
    true_start = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
    begun = clock.monotonic()
    station.csms.now = lambda: (true_start + timedelta(seconds=clock.monotonic() - begun)).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    await station.start()
    await station.charge()
    await clock.advance(120)
    await station.present()
    await station.draw(flowing=False)
    station.network_up = True
    await clock.advance(600)
    stamps = [datetime.fromisoformat(event["timestamp"]) for event in station.events]
    assert stamps == sorted(stamps)
    assert abs((stamps[0] - true_start).total_seconds()) <= 2
    assert abs((stamps[-1] - stamps[0]).total_seconds() - 120) <= 2


@pytest.mark.req("E01.FR.04")
@pytest.mark.parametrize("signed", ["true", "false"])
async def test_a_signed_reading_may_be_the_start_point(make_station, signed):
    points = {"TxCtrlr/TxStartPoint": "DataSigned", "TxCtrlr/TxStopPoint": "Authorized"}
    station = await make_station(variables={**points, "SampledDataCtrlr/SignReadings": signed})
    await station.plug()
    await station.present()
    assert station.events == []
    assert station.hardware.allowed
    station.hardware.signed[1] = (SignedReading("OCMF|start"), None)
    await station.draw()
    assert [kind for kind, _ in station.story[:1]] == (["Started"] if signed == "true" else [])
