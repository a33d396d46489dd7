"""A station that introduces itself first, and goes to work while the CSMS thinks about its answer."""

import asyncio

import pytest
from support.station import CARD, StationUnderTest

from ocpp.charge_point import INTRODUCTION_LIMIT_S
from ocpp.versions import OcppVersion

VERSIONS = [OcppVersion.V16, OcppVersion.V201, OcppVersion.V21]


@pytest.fixture(params=VERSIONS, ids=str)
def version(request):
    return request.param


async def run(station):
    """Connect, but do not go to work yet."""
    station._task = asyncio.ensure_future(station.charge_point.run())
    await station.settle()


async def test_the_boot_notification_is_out_before_anything_else_is_made(tmp_path, version):
    station = StationUnderTest(tmp_path, version)
    await run(station)
    await asyncio.wait_for(station.charge_point.introduced(), 1)
    assert station.csms.actions == ["BootNotification"]
    assert station.charge_point._made is None
    await station.stop()


async def test_what_the_csms_says_waits_until_the_station_is_at_work(tmp_path, version):
    station = StationUnderTest(tmp_path, version)
    await run(station)
    action, payload = ("GetLocalListVersion", {})
    assert await station.csms.call(station.clock, action, payload) is None
    assert station.charge_point.boot_status == "Unknown"
    station.charge_point.start()
    await station.settle()
    assert station.charge_point.boot_status == "Accepted"
    assert station.csms.answer_to_last_call[0] == 3
    assert station.csms.counts["BootNotification"] == 1
    await station.stop()


async def test_a_cable_that_is_plugged_in_meanwhile_is_no_less_told(tmp_path, version):
    station = StationUnderTest(tmp_path, version)
    await run(station)
    station.charge_point.start([(1, 1)])
    await station.settle()
    await station.present(CARD)
    await station.draw()
    begin = "StartTransaction" if version is OcppVersion.V16 else "TransactionEvent"
    assert station.csms.counts[begin] >= 1
    await station.stop()


async def test_what_is_reported_before_the_start_is_taken(tmp_path, version):
    station = StationUnderTest(tmp_path, version)
    station.charge_point.cable_plugged(1, 1)
    await run(station)
    station.charge_point.start([(1, 1)])
    await station.settle()
    assert station.charge_point.evses[1].plugged_connector is not None
    await station.stop()


async def test_without_a_network_the_station_goes_to_work_at_once(tmp_path, version):
    station = StationUnderTest(tmp_path, version)
    station.network_up = False
    await run(station)
    await asyncio.wait_for(station.charge_point.introduced(), 1)
    station.charge_point.start()
    await station.plug()
    assert station.charge_point.evses[1].session is not None
    assert station.csms.actions == []
    await station.stop()


async def test_a_connection_that_hangs_keeps_nobody_waiting_for_long(tmp_path, version):
    station = StationUnderTest(tmp_path, version)
    station.charge_point.connectivity._open = lambda *_: asyncio.Event().wait()
    await run(station)
    waiting = asyncio.ensure_future(station.charge_point.introduced())
    await station.clock.advance(INTRODUCTION_LIMIT_S - 0.1)
    assert not waiting.done()
    await station.clock.advance(0.2)
    assert waiting.done()
    await station.stop()


@pytest.mark.parametrize("speaks", [OcppVersion.V16, OcppVersion.V201], ids=str)
async def test_a_csms_of_the_other_major_version_gets_the_introduction_that_it_understands(tmp_path, speaks):
    expected = OcppVersion.V201 if speaks is OcppVersion.V16 else OcppVersion.V16
    station = StationUnderTest(tmp_path, expected, speaks=speaks)
    await run(station)
    await asyncio.wait_for(station.charge_point.introduced(), 1)
    station.charge_point.start()
    await station.settle()
    (boot,) = station.csms.of("BootNotification")
    assert ("chargePointModel" in boot) is (speaks is OcppVersion.V16)
    assert station.charge_point.boot_status == "Accepted"
    await station.stop()


async def test_what_was_queued_goes_out_after_the_introduction_and_once(tmp_path, version):
    station = await StationUnderTest(tmp_path, version).start()
    await station.charge()
    began = [event["seqNo"] for event in station.events]
    await station.disconnect()
    await station.unplug()
    assert station.charge_point.queued_messages >= 1
    await station.stop()

    again = StationUnderTest(tmp_path, version, seed=2)
    await run(again)
    assert again.csms.actions == ["BootNotification"]
    assert again.charge_point.queued_messages >= 1
    again.charge_point.start()
    await again.settle()
    await again.clock.advance(60)
    assert again.charge_point.queued_messages == 0
    if version is OcppVersion.V16:
        assert again.csms.counts["StopTransaction"] == 1
    else:
        numbers = began + [event["seqNo"] for event in again.events]
        assert numbers == list(range(len(numbers)))
        assert [event["eventType"] for event in again.events].count("Ended") == 1
    await again.stop()
