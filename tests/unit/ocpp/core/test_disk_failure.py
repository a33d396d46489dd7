"""The disk takes nothing more: what cannot be recorded is not delivered, and nothing that was recorded is lost."""

import pytest
from support.station import StationUnderTest

from ocpp.core.changes import STORAGE_RETRY_S
from ocpp.versions import OcppVersion


@pytest.fixture(params=[OcppVersion.V16, OcppVersion.V201], ids=str)
async def station(request, tmp_path):
    station = StationUnderTest(tmp_path, request.param, variables={"SampledDataCtrlr/TxUpdatedInterval": 60})
    yield await station.start()
    await station.stop()


def spoil(station) -> None:
    """Every write fails from now on, as on a card that went read-only."""
    station.database.query("PRAGMA query_only = 1")


def mend(station) -> None:
    station.database.query("PRAGMA query_only = 0")


def ended(station) -> list[dict]:
    return station.csms.of("StopTransaction") or [each for each in station.events if each["eventType"] == "Ended"]


async def test_no_energy_without_a_record(station):
    spoil(station)
    await station.plug()
    await station.present()
    assert not station.hardware.allowed
    assert not station.csms.of("StartTransaction")
    assert not station.events
    mend(station)
    await station.clock.advance(STORAGE_RETRY_S)
    assert station.hardware.allowed
    assert station.csms.of("StartTransaction") or station.events


async def test_what_happened_meanwhile_is_recorded_in_order_with_its_time(station):
    before = station.clock.now()
    spoil(station)
    await station.plug()
    await station.present()
    await station.clock.advance(60)
    await station.unplug()
    mend(station)
    await station.clock.advance(600)
    start = (station.csms.of("StartTransaction") or station.events)[0]
    assert start["timestamp"] == before.isoformat().replace("+00:00", "Z")
    assert len(ended(station)) == 1
    assert not station.hardware.allowed
    numbers = [event["seqNo"] for event in station.events]
    assert numbers == list(range(len(numbers)))


async def test_energy_stops_when_it_can_no_longer_be_recorded(station):
    await station.charge()
    spoil(station)
    await station.draw(flowing=False)
    assert not station.hardware.allowed
    mend(station)
    await station.clock.advance(STORAGE_RETRY_S)
    assert station.hardware.allowed


async def test_an_answer_that_cannot_be_noted_does_not_send_the_message_again(station):
    await station.disconnect()
    await station.plug()
    station.model.set_inside(station.model.entry("AuthCtrlr/OfflineTxForUnknownIdEnabled"), "true")
    await station.present()
    await station.reconnect()
    first = len(station.csms.of("StartTransaction") or station.events)
    assert first
    answer = station.csms._answer

    def spoil_then_answer(message):
        if message[2] in ("TransactionEvent", "StopTransaction"):
            spoil(station)
        answer(message)

    station.csms._answer = spoil_then_answer
    await station.present()
    await station.draw(flowing=False)
    sent = len(station.csms.of("StopTransaction") or station.events)
    await station.clock.advance(120)
    assert len(station.csms.of("StopTransaction") or station.events) == sent
    station.csms._answer = answer
    mend(station)
    await station.clock.advance(120)
    assert station.charge_point.queued_messages == 0
    assert len(ended(station)) == 1


async def test_the_session_goes_on_once_the_disk_is_back(station):
    await station.charge()
    await station.disconnect()
    spoil(station)
    station.meter("2000")
    await station.clock.advance(120)
    mend(station)
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    await station.reconnect()
    assert len(ended(station)) == 1


async def test_the_connection_survives(station):
    spoil(station)
    await station.clock.advance(400)
    answer = await station.csms.call(station.clock, "DataTransfer", {"vendorId": "x"})
    assert answer[2]["status"] == "UnknownVendorId"
    assert station.charge_point.boot_status == "Accepted"
