"""What a transaction started or stopped by the CSMS carries: meter data, reservations, charging profiles."""

import pytest
from support.station import CARD

from ocpp.core import metering

START = {"idToken": {"idToken": CARD, "type": "ISO14443"}, "remoteStartId": 17, "evseId": 1}
MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import"
CONFIGURED = {
    "SampledDataCtrlr/TxStartedMeasurands": MEASURANDS,
    "SampledDataCtrlr/TxUpdatedMeasurands": MEASURANDS,
    "SampledDataCtrlr/TxUpdatedInterval": 30,
    "SampledDataCtrlr/TxEndedMeasurands": MEASURANDS,
    "SampledDataCtrlr/TxEndedInterval": 60,
}
FAMILY, STRANGERS = ({"idToken": name, "type": "Central"} for name in ("FAMILY", "STRANGERS"))
RELATIVE = {
    "id": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": [
        {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 14.0}]}
    ],
}


async def ask(station, action: str, payload: dict) -> dict:
    return (await station.csms.call(station.clock, action, payload))[2]


async def start_by_csms(station, **more) -> str:
    answer = await ask(station, "RequestStartTransaction", {**START, **more})
    await station.settle()
    return answer["status"]


async def stop_by_csms(station) -> None:
    identifier = station.events[0]["transactionInfo"]["transactionId"]
    assert (await ask(station, "RequestStopTransaction", {"transactionId": identifier}))["status"] == "Accepted"
    await station.draw(flowing=False)


async def leave(station) -> None:
    await stop_by_csms(station)
    await station.unplug()


def measurands(event: dict) -> set[str]:
    return {entry["measurand"] for value in event.get("meterValue", ()) for entry in value["sampledValue"]}


@pytest.mark.parametrize(
    "cable_first",
    [
        pytest.param(True, marks=pytest.mark.req("F01.FR.14", "F01.FR.15")),
        pytest.param(False, marks=pytest.mark.req("F02.FR.02", "F02.FR.03")),
    ],
)
@pytest.mark.req("F03.FR.04", "F04.FR.04")
async def test_every_event_carries_the_measurands_that_are_configured_for_it(make_station, cable_first):
    station = await make_station(variables=CONFIGURED)
    wanted = set(MEASURANDS.split(","))
    if cable_first:
        await station.plug()
    assert await start_by_csms(station) == "Accepted"
    if not cable_first:
        await station.plug()
    await station.draw()
    await station.clock.advance(31)
    await stop_by_csms(station)
    assert measurands(station.events[0]) == wanted
    samples = [event for event in station.events if event["triggerReason"] == "MeterValuePeriodic"]
    assert samples
    assert all(measurands(event) == wanted for event in samples)
    assert station.story[-1] == ("Ended", "RemoteStop")
    assert measurands(station.events[-1]) == wanted


@pytest.mark.req("F03.FR.05", "F03.FR.06", "F04.FR.05", "F04.FR.06")
async def test_of_too_many_samples_every_second_is_dropped(make_station, monkeypatch):
    monkeypatch.setattr(metering, "MAX_ENDED_SAMPLES", 4)
    station = await make_station(variables=CONFIGURED)
    await station.plug()
    await start_by_csms(station)
    await station.draw()
    for number in range(1, 5):
        station.meter(str(1000 + number))
        await station.clock.advance(60)
    station.meter("1005")
    await stop_by_csms(station)
    energy = [value["sampledValue"][0] for value in station.events[-1]["meterValue"]]
    assert [each["value"] for each in energy] == [1000.0, 1002.0, 1004.0, 1005.0]
    assert [energy[0]["context"], energy[-1]["context"]] == ["Transaction.Begin", "Transaction.End"]


@pytest.mark.req("F02.FR.06")
async def test_the_event_after_the_remote_start_tells_of_the_reservation_it_ends(make_station):
    station = await make_station(variables={"TxCtrlr/TxStartPoint": "Authorized"})
    reservation = {"id": 7, "idToken": START["idToken"], "evseId": 1, "expiryDateTime": "2030-01-01T00:00:00Z"}
    assert (await ask(station, "ReserveNow", reservation))["status"] == "Accepted"
    assert await start_by_csms(station) == "Accepted"
    assert [event.get("reservationId") for event in station.events] == [7]
    await station.plug()
    await leave(station)
    await station.charge()
    assert "reservationId" not in station.events[-1], "it has ended with the first transaction"


@pytest.mark.parametrize(
    ("group", "asked_for", "status"),
    [
        pytest.param(None, None, "Rejected", marks=pytest.mark.req("F02.FR.23")),
        pytest.param(FAMILY, STRANGERS, "Rejected", marks=pytest.mark.req("F02.FR.24")),
        pytest.param(FAMILY, None, "Rejected", marks=pytest.mark.req("F02.FR.24")),
        pytest.param(FAMILY, FAMILY, "Accepted", marks=pytest.mark.req("F02.FR.24")),
    ],
)
async def test_an_evse_reserved_for_somebody_else_is_refused(station, group, asked_for, status):
    reservation = {
        "id": 7,
        "idToken": {"idToken": "OWNER", "type": "Central"},
        "evseId": 1,
        "expiryDateTime": "2030-01-01T00:00:00Z",
        **({"groupIdToken": group} if group else {}),
    }
    assert (await ask(station, "ReserveNow", reservation))["status"] == "Accepted"
    assert await start_by_csms(station, **({"groupIdToken": asked_for} if asked_for else {})) == status


@pytest.mark.req("F02.FR.18")
async def test_the_profile_of_the_remote_start_holds_for_its_transaction_alone(station):
    assert await start_by_csms(station, chargingProfile=RELATIVE) == "Accepted"
    await station.plug()
    await station.draw()
    assert station.hardware.allowed[1].current_a == 14
    await leave(station)
    await station.charge()
    assert station.hardware.allowed[1].current_a > 14


@pytest.mark.req("F02.FR.20")
async def test_without_smart_charging_the_profile_is_ignored(make_station):
    station = await make_station(variables={"SmartChargingCtrlr/Enabled": "false"})
    assert await start_by_csms(station, chargingProfile=RELATIVE) == "Accepted"
    await station.plug()
    assert station.hardware.allowed[1].current_a > 14


@pytest.mark.parametrize(
    "cable_first",
    [
        pytest.param(True, marks=pytest.mark.req("F01.FR.26")),
        pytest.param(False, marks=pytest.mark.req("F02.FR.27")),
    ],
)
async def test_an_invalid_profile_refuses_the_start(station, cable_first):
    if cable_first:
        await station.plug()
    gap = {**RELATIVE["chargingSchedule"][0], "chargingSchedulePeriod": [{"startPeriod": 9, "limit": 14.0}]}
    for bad in ({"chargingProfilePurpose": "TxDefaultProfile"}, {"chargingSchedule": [gap]}):
        assert await start_by_csms(station, chargingProfile={**RELATIVE, **bad}) == "Rejected"
    await station.plug()
    assert not station.hardware.allowed
    assert await start_by_csms(station, chargingProfile=RELATIVE) == "Accepted"


async def test_what_begins_while_the_csms_is_asked_is_not_lost(make_station):
    """The EV is plugged in, and its transaction begins, between the remote start and the answer to Authorize."""
    station = await make_station(
        variables={
            "AuthCtrlr/AuthorizeRemoteStart": "true",
            "TxCtrlr/TxStartPoint": "EVConnected",
            "TxCtrlr/TxStopPoint": "EVConnected",
        }
    )
    station.csms.script("Authorize", None)
    wish = {"evseId": 1, "remoteStartId": 5, "idToken": {"idToken": "04A2B3C4D5E6F7", "type": "ISO14443"}}
    answer = await station.csms.call(station.clock, "RequestStartTransaction", wish)
    assert answer[2]["status"] == "Accepted"
    await station.plug()
    question = next(frame[1] for frame in station.csms.frames if frame[2:3] == ["Authorize"])
    station.csms.link.feed(f'[3,"{question}",{{"idTokenInfo":{{"status":"Accepted"}}}}]')
    await station.settle()
    assert len({event["transactionInfo"]["transactionId"] for event in station.events}) == 1
    assert len(station.charge_point.strategy.charging.transactions) == 1
    assert station.hardware.allowed
