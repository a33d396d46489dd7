"""Data transfer between vendors who know each other (block P)."""

import pytest

from ocpp.errors import NotConnected

VENDOR = "com.example.station"


@pytest.mark.req("P01.FR.04", "P01.FR.07", "P02.FR.04", "P02.FR.05", "P02.FR.08")
@pytest.mark.parametrize("data", [None, "text", {"deep": [1, 2]}, "x" * 20000])
async def test_data_of_any_length_goes_to_the_csms_and_its_answer_comes_back(station, data):
    station.csms.script("DataTransfer", {"status": "Rejected", "data": {"because": "of the agreement"}})
    answer = await station.charge_point.transfer_data(VENDOR, "Mood", data)
    assert answer == ("Rejected", {"because": "of the agreement"})
    (sent,) = station.csms.of("DataTransfer")
    assert (sent["vendorId"], sent["messageId"], sent.get("data")) == (VENDOR, "Mood", data)


@pytest.mark.req("P01.FR.07", "P02.FR.01", "P02.FR.08")
async def test_the_handler_of_a_vendor_decides_about_status_and_data(station):
    async def handler(message_id, data):
        return ("Accepted", data) if message_id == "Echo" else ("UnknownMessageId", None)

    station.charge_point.on_data_transfer(VENDOR, handler)
    for message_id, status in (("Echo", "Accepted"), ("Other", "UnknownMessageId")):
        wish = {"vendorId": VENDOR, "messageId": message_id, "data": [1]}
        answer = (await station.csms.call(station.clock, "DataTransfer", wish))[2]
        assert answer["status"] == status


async def test_without_a_connection_nothing_is_sent(station):
    await station.disconnect()
    with pytest.raises(NotConnected):
        await station.charge_point.transfer_data(VENDOR)


@pytest.mark.req("P01.FR.01", "P02.FR.02")
async def test_a_whole_session_of_a_2x_station_needs_no_data_transfer(station):
    await station.charge()
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    assert station.csms.counts["DataTransfer"] == 0
