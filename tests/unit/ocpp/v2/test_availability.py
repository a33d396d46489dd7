import pytest


async def change(station, status: str, **evse):
    payload = {"operationalStatus": status, **({"evse": evse} if evse else {})}
    return (await station.csms.call(station.clock, "ChangeAvailability", payload))[2]["status"]


@pytest.mark.req("G01.FR.03", "G01.FR.04", "E02.FR.05")
async def test_a_connector_is_occupied_while_a_cable_is_in(station):
    await station.plug()
    await station.unplug()
    assert station.statuses() == ["Available", "Occupied", "Available"]


@pytest.mark.req("G03.FR.01", "G03.FR.02", "G03.FR.03", "G03.FR.04", "G03.FR.07", "G01.FR.07")
async def test_an_evse_goes_out_of_service_and_back(station):
    assert await change(station, "Inoperative", id=1) == "Accepted"
    assert await change(station, "Inoperative", id=1) == "Accepted"
    assert station.hardware.available[1, 1] is False
    assert await change(station, "Operative", id=1) == "Accepted"
    assert station.hardware.available[1, 1] is True
    assert station.statuses() == ["Available", "Unavailable", "Unavailable", "Available"]


@pytest.mark.req("G03.FR.05", "G01.FR.05")
@pytest.mark.parametrize("point", ["Authorized", "EVConnected", "ParkingBayOccupancy"])
async def test_while_somebody_charges_the_change_is_scheduled(make_station, point):
    station = await make_station(variables={"TxCtrlr/TxStartPoint": point, "TxCtrlr/TxStopPoint": point})
    await station.charge()
    assert await change(station, "Inoperative", id=1) == "Scheduled"
    assert station.hardware.allowed
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    assert station.statuses() == ["Available", "Occupied", "Unavailable"]


@pytest.mark.req("G03.FR.05", "G03.FR.08")
async def test_a_change_that_waits_for_a_transaction_waits_over_a_restart(make_station):
    variables = {
        "TxCtrlr/TxStartPoint": "EVConnected",
        "TxCtrlr/TxStopPoint": "EVConnected",
        "TxCtrlr/ResumptionTimeout": 600,
    }
    first = await make_station(variables=variables)
    await first.charge()
    assert await change(first, "Inoperative", id=1) == "Scheduled"
    await first.stop()
    second = await make_station(seed=2)
    await second.plug()
    await second.draw()
    await second.clock.advance(11)
    assert second.hardware.allowed, "the driver goes on charging"
    await second.present()
    await second.draw(flowing=False)
    await second.unplug()
    assert second.story[-1] == ("Ended", "EVCommunicationLost")
    assert second.statuses() == ["Unavailable", "Occupied", "Unavailable"], "never free for anybody else"
    assert second.hardware.available[1, 1] is False


@pytest.mark.req("G04.FR.01", "G04.FR.05", "G04.FR.07", "G04.FR.08")
async def test_the_whole_station_goes_out_of_service(make_station):
    station = await make_station(evses=2)
    before = len(station.statuses())
    assert await change(station, "Inoperative") == "Accepted"
    assert station.statuses()[before:] == ["Unavailable", "Unavailable"]
    await station.charge()
    assert station.hardware.allowed == {}
    assert station.events == []


@pytest.mark.req("G03.FR.08", "G04.FR.09", "B01.FR.07", "B11.FR.02", "G01.FR.02")
async def test_out_of_service_survives_a_restart(make_station):
    station = await make_station()
    await change(station, "Inoperative", id=1, connectorId=1)
    await station.stop()
    again = await make_station(seed=2)
    assert again.statuses() == ["Unavailable"]
    assert again.hardware.available[1, 1] is False


async def test_an_unknown_evse_is_rejected(station):
    assert await change(station, "Inoperative", id=9) == "Rejected"


async def test_the_device_model_shows_the_state(station):
    await station.plug()
    assert station.model.value("Connector@1.1/AvailabilityState") == "Occupied"
    assert station.model.value("EVSE@1/AvailabilityState") == "Occupied"
