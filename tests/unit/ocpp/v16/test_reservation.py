import pytest
from support.station import CARD

from ocpp.charge_point import Fault

OTHER = "DEADBEEF"


async def ask(station, action: str, payload: dict):
    return (await station.csms.call(station.clock, action, payload))[2]


async def reserve(station, number: int = 1, connector: int = 1, card: str = CARD, **more) -> str:
    payload = {"reservationId": number, "connectorId": connector, "idTag": card, "expiryDate": "2026-01-01T01:00:00Z"}
    return (await ask(station, "ReserveNow", payload | more))["status"]


def status(station, connector: int = 1) -> str:
    return [each["status"] for each in station.csms.of("StatusNotification") if each["connectorId"] == connector][-1]


@pytest.mark.req("1.6-5.13")
async def test_a_reserved_connector_is_refused_to_others_and_free_for_its_driver(station):
    assert await reserve(station, 7) == "Accepted"
    assert status(station) == "Reserved"
    await station.plug()
    await station.present(OTHER)
    assert not station.hardware.allowed
    await station.present()
    await station.draw()
    assert station.csms.of("StartTransaction")[0]["reservationId"] == 7


@pytest.mark.req("1.6-5.13")
async def test_a_parent_id_opens_it_too(station):
    await reserve(station, parentIdTag="FAMILY")
    station.csms.script("Authorize", {"idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}})
    await station.plug()
    await station.present(OTHER)
    assert station.hardware.allowed


@pytest.mark.req("1.6-5.4")
async def test_it_can_be_cancelled(station):
    await reserve(station)
    assert (await ask(station, "CancelReservation", {"reservationId": 2}))["status"] == "Rejected"
    assert (await ask(station, "CancelReservation", {"reservationId": 1}))["status"] == "Accepted"
    assert status(station) == "Available"


@pytest.mark.req("1.6-5.13")
async def test_it_expires(station):
    await reserve(station, expiryDate="2026-01-01T00:10:00Z")
    await station.clock.advance(601)
    assert status(station) == "Available"
    assert (await ask(station, "CancelReservation", {"reservationId": 1}))["status"] == "Rejected"


@pytest.mark.req("1.6-5.13")
async def test_the_reasons_for_a_refusal(station):
    await reserve(station)
    assert await reserve(station, 2) == "Occupied"
    await ask(station, "CancelReservation", {"reservationId": 1})
    station.charge_point.fault_raised(1, 1, Fault("GroundFailure"))
    await station.settle()
    assert await reserve(station) == "Faulted"
    station.charge_point.fault_cleared(1, 1, Fault("GroundFailure"))
    await ask(station, "ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    assert await reserve(station) == "Unavailable"
    assert await reserve(station, connector=9) == "Rejected"


@pytest.mark.req("1.6-5.13", "1.6-9.3")
async def test_connector_0_keeps_any_one_free(make_station):
    station = await make_station(evses=2)
    assert {key.name: key.value for key in station.keys}["ReserveConnectorZeroSupported"] == "true"
    assert await reserve(station, connector=0) == "Accepted"
    await station.plug(1)
    await station.present(OTHER, evse_ids=(1,))
    assert set(station.hardware.allowed) == {1}
    assert status(station, 2) == "Reserved"


async def test_a_station_without_the_profile(make_station):
    station = await make_station(variables={"ReservationCtrlr/Available": "false"})
    answer = await station.csms.call(station.clock, "CancelReservation", {"reservationId": 1})
    assert answer[2] == "NotSupported"
    assert "Reservation" not in {key.name: key.value for key in station.keys}["SupportedFeatureProfiles"]


# -- remote start -------------------------------------------------------------------------------------------------


async def start_by_csms(station, card: str = OTHER, **more) -> str:
    return (await ask(station, "RemoteStartTransaction", {"idTag": card, "connectorId": 1, **more}))["status"]


def family(parent: str | None = "FAMILY", status: str = "Accepted"):
    return {"idTagInfo": {"status": status, **({"parentIdTag": parent} if parent else {})}}


@pytest.mark.req("1.6-5.13")
@pytest.mark.parametrize("more", [{}, {"connectorId": 0}], ids=["a connector", "any connector"])
async def test_a_remote_start_for_the_reserved_parent_asks_and_begins(make_station, more):
    variables = {"AuthCtrlr/AuthorizeRemoteStart": "false", "ReservationCtrlr/NonEvseSpecific": "true"}
    station = await make_station(variables=variables)
    assert await reserve(station, 7, parentIdTag="FAMILY", **more) == "Accepted"
    station.csms.script("Authorize", family())
    assert await start_by_csms(station) == "Accepted"
    await station.settle()
    assert [each["idTag"] for each in station.csms.of("Authorize")] == [OTHER]
    await station.plug()
    await station.draw()
    start = station.csms.of("StartTransaction")[0]
    assert (start["idTag"], start["reservationId"]) == (OTHER, 7)


@pytest.mark.req("1.6-5.13")
@pytest.mark.parametrize("answer", [family("STRANGERS"), family(None), family(status="Blocked"), None])
async def test_a_remote_start_for_another_parent_begins_nothing(make_station, answer):
    station = await make_station(variables={"AuthCtrlr/AuthorizeRemoteStart": "false"})
    await reserve(station, parentIdTag="FAMILY")
    station.csms.script("Authorize", answer)
    await start_by_csms(station)
    await station.clock.advance(31)
    await station.plug()
    assert station.csms.of("StartTransaction") == []
    assert not station.hardware.allowed


@pytest.mark.req("1.6-5.13")
@pytest.mark.parametrize(("parent", "status"), [("FAMILY", "Accepted"), ("STRANGERS", "Rejected")])
async def test_a_parent_that_the_local_list_knows_is_not_asked_for(make_station, parent, status):
    station = await make_station(
        variables={"AuthCtrlr/AuthorizeRemoteStart": "false", "LocalAuthListCtrlr/Enabled": "true"}
    )
    entry = {"idTag": OTHER, "idTagInfo": {"status": "Accepted", "parentIdTag": parent}}
    update = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [entry]}
    assert (await ask(station, "SendLocalList", update))["status"] == "Accepted"
    await reserve(station, parentIdTag="FAMILY")
    assert await start_by_csms(station) == status
    await station.settle()
    assert station.csms.of("Authorize") == []


@pytest.mark.req("1.6-5.13")
async def test_a_reservation_without_a_parent_is_nobody_elses(station):
    await reserve(station)
    assert await start_by_csms(station) == "Rejected"
    assert station.csms.of("Authorize") == []


@pytest.mark.req("1.6-5.13")
async def test_a_cable_in_a_reserved_connector_makes_no_other_one_reserved(make_station):
    station = await make_station(evses=2)
    await reserve(station, 1, connector=1)
    await station.plug(1)
    assert status(station, 2) == "Available"
    assert await reserve(station, 2, connector=2) == "Accepted"
