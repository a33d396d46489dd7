import pytest
from support.station import StationUnderTest

from ocpp.versions import OcppVersion


@pytest.fixture(params=[OcppVersion.V201, OcppVersion.V21], ids=str)
async def station(request, tmp_path):
    station = await StationUnderTest(tmp_path, request.param).start()
    yield station
    await station.stop()


async def test_a_whole_session_from_plug_to_bill(station):
    await station.charge()
    station.meter("3500.5")
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    assert station.story == [
        ("Started", "Authorized"),
        ("Updated", "ChargingStateChanged"),
        ("Ended", "StopAuthorized"),
    ]
    assert [event["seqNo"] for event in station.events] == [0, 1, 2]
    ended = station.events[-1]
    assert ended["transactionInfo"]["stoppedReason"] == "Local"
    assert ended["meterValue"][0]["sampledValue"][0]["value"] == 3500.5
