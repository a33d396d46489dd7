"""Reservations (block H)."""

import pytest
from support.v201 import CARD, authorize, charging, id_token, knows, reserve, reserved, token_info, unavailable
from support.visit import Visit

OTHER = "04FFEEDDCCBBAA"
THIRD = "04C0FFEEC0FFEE"
GROUP = "FAMILY"


@pytest.fixture
def lone(setup):
    """A station with one EVSE."""
    return setup.start()


def told(csms, evse: int, status: str) -> None:
    csms.expect("StatusNotification", evseId=evse, connectorId=1, connectorStatus=status)


def charges(csms, station, card: str, *, evse: int = 1, reservation: int | None = 1, was: str | None = "Reserved"):
    """Authorized and EnergyTransferStarted; the reservation is used up, and the transaction names it."""
    driver = Visit(csms, station, evse=evse, card=card)
    driver.authorize()
    if was == "Reserved":
        told(csms, evse, "Available")
    driver.charge()
    assert [event.get("reservationId") for event in driver.events][:1] == [reservation]


# -- a specific EVSE --------------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_H_01_CS")
@pytest.mark.req("H01.FR.03", "H01.FR.15", "H01.FR.23", "H03.FR.01", "H03.FR.09", "H03.FR.10")
def test_tc_h_01_the_driver_of_a_reservation_charges(csms, station):
    reserved(csms)
    charges(csms, station, CARD)


@pytest.mark.tc("TC_H_02_CS")
@pytest.mark.req("H03.FR.01")
@pytest.mark.parametrize("start", ["PowerPathClosed", "EVConnected"])
def test_tc_h_02_a_somebody_else_does_not_charge(csms, setup, start):
    station = setup.start(variables={"TxCtrlr/TxStartPoint": start})
    reserved(csms)
    station.plug()
    if start == "EVConnected":
        csms.expect("TransactionEvent", eventType="Started", triggerReason="CablePluggedIn")
    authorize(csms, station, card=OTHER)
    csms.nothing("TransactionEvent", "StatusNotification")  # it stays Reserved (errata, G01.FR.09)


@pytest.mark.tc("TC_H_02_CS")
@pytest.mark.req("F01.FR.22")
def test_tc_h_02_b_nor_from_afar(csms, station):
    reserved(csms)
    station.plug()
    wish = {"remoteStartId": 1, "evseId": 1, "idToken": id_token(OTHER)}
    assert csms.call("RequestStartTransaction", wish)["status"] == "Rejected"


@pytest.mark.tc("TC_H_03_CS")
@pytest.mark.req("H01.FR.11")
@pytest.mark.usefixtures("station")
def test_tc_h_03_a_reserved_evse_is_occupied(csms):
    reserved(csms)
    assert reserve(csms, 1, OTHER, number=2) == "Occupied"


@pytest.mark.tc("TC_H_04_CS")
@pytest.mark.req("H01.FR.11")
def test_tc_h_04_an_evse_in_use_is_occupied(csms, station):
    charging(csms, station)
    assert reserve(csms, 1, OTHER) == "Occupied"


@pytest.mark.tc("TC_H_06_CS")
@pytest.mark.req("H01.FR.14")
@pytest.mark.usefixtures("station")
def test_tc_h_06_an_evse_out_of_service_is_unavailable(csms):
    unavailable(csms, 1)
    assert reserve(csms, 1, OTHER) == "Unavailable"


@pytest.mark.tc("TC_H_07_CS")
@pytest.mark.req("H04.FR.01", "H04.FR.02", "H04.FR.03")
def test_tc_h_07_a_reservation_ends_unused(csms, station):
    reserved(csms, number=5, seconds=1.5)
    told(csms, 1, "Available")
    csms.expect("ReservationStatusUpdate", reservationId=5, reservationUpdateStatus="Expired")
    charges(csms, station, OTHER, reservation=None, was=None)


@pytest.mark.tc("TC_H_19_CS")
@pytest.mark.req("H01.FR.15", "H03.FR.04", "H03.FR.08")
def test_tc_h_19_somebody_of_the_group_charges(csms, station):
    knows(csms, {OTHER: token_info(group=GROUP)})
    reserved(csms, groupIdToken={"idToken": GROUP, "type": "Central"})
    charges(csms, station, OTHER)


@pytest.mark.tc("TC_H_21_CS")
@pytest.mark.req("H01.FR.17")
def test_tc_h_21_out_of_service_the_reservation_is_removed(csms, station):
    reserved(csms)
    unavailable(csms, 1)
    csms.expect("ReservationStatusUpdate", reservationId=1, reservationUpdateStatus="Removed")
    back = {"operationalStatus": "Operative", "evse": {"id": 1}}
    assert csms.call("ChangeAvailability", back) == {"status": "Accepted"}
    told(csms, 1, "Available")
    charges(csms, station, OTHER, reservation=None, was=None)


@pytest.mark.tc("TC_H_22_CS")
@pytest.mark.req("H01.FR.01")
def test_tc_h_22_a_station_that_takes_no_reservations(csms, setup):
    setup.start(variables={"ReservationCtrlr/Enabled": False})
    assert reserve(csms) == "Rejected"


@pytest.mark.tc("TC_H_23_CS")
@pytest.mark.req("H01.FR.02")
def test_tc_h_23_a_reservation_is_replaced(csms, station):
    reserved(csms, 1, CARD, number=7)
    assert reserve(csms, 1, OTHER, number=7) == "Accepted"
    authorize(csms, station)
    csms.nothing("StatusNotification")
    charges(csms, station, OTHER, reservation=7)


# -- whichever EVSE is free -------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_H_08_CS")
@pytest.mark.req("H01.FR.04", "H01.FR.07", "H01.FR.15", "H03.FR.03")
def test_tc_h_08_an_unspecified_evse(csms, lone):
    assert reserve(csms, None) == "Accepted"
    told(csms, 1, "Reserved")
    charges(csms, lone, CARD)


@pytest.mark.tc("TC_H_08_CS")
@pytest.mark.req("H01.FR.04", "H01.FR.15", "H03.FR.03")
def test_tc_h_08_one_of_two(csms, station):
    assert reserve(csms, None) == "Accepted"
    csms.nothing("StatusNotification")
    charges(csms, station, CARD, evse=2, was=None)


@pytest.mark.tc("TC_H_09_CS")
@pytest.mark.req("H01.FR.11")
@pytest.mark.usefixtures("station")
def test_tc_h_09_every_evse_is_reserved(csms):
    reserved(csms, 1, OTHER, number=1)
    reserved(csms, 2, THIRD, number=2)
    assert reserve(csms, None, number=3) == "Occupied"


@pytest.mark.tc("TC_H_10_CS")
@pytest.mark.req("H01.FR.11")
def test_tc_h_10_every_evse_is_in_use(csms, station):
    charging(csms, station, 1, OTHER)
    charging(csms, station, 2, THIRD)
    assert reserve(csms, None) == "Occupied"


@pytest.mark.tc("TC_H_12_CS")
@pytest.mark.req("H01.FR.14")
@pytest.mark.usefixtures("station")
def test_tc_h_12_the_station_is_out_of_service(csms):
    unavailable(csms)
    assert reserve(csms, None) == "Unavailable"


@pytest.mark.tc("TC_H_13_CS")
@pytest.mark.req("H01.FR.19")
def test_tc_h_13_a_station_that_takes_no_unspecific_ones(csms, setup):
    setup.start(variables={"ReservationCtrlr/NonEvseSpecific": False})
    assert reserve(csms, None) == "Rejected"


@pytest.mark.tc("TC_H_14_CS")
@pytest.mark.req("H01.FR.18", "H01.FR.20")
@pytest.mark.usefixtures("station")
def test_tc_h_14_as_many_reservations_as_evses(csms):
    assert reserve(csms, None, OTHER, number=1) == "Accepted"
    assert reserve(csms, None, THIRD, number=2) == "Accepted"
    reserved_now = {"connectorId": 1, "connectorStatus": "Reserved"}
    csms.expect_all(*[("StatusNotification", {"evseId": evse, **reserved_now}) for evse in (1, 2)])


@pytest.mark.tc("TC_H_15_CS")
@pytest.mark.req("H01.FR.06", "H01.FR.09", "H01.FR.15", "H01.FR.24", "H03.FR.02")
def test_tc_h_15_a_connector_type(csms, lone):
    assert reserve(csms, None, connectorType="cType2") == "Accepted"
    told(csms, 1, "Reserved")
    charges(csms, lone, CARD)


@pytest.mark.tc("TC_H_16_CS")
@pytest.mark.req("H01.FR.11")
@pytest.mark.usefixtures("station")
def test_tc_h_16_every_connector_of_the_type_is_reserved(csms):
    reserved(csms, 1, OTHER, number=1)
    reserved(csms, 2, THIRD, number=2)
    assert reserve(csms, None, number=3, connectorType="cType2") == "Occupied"


@pytest.mark.tc("TC_H_24_CS")
@pytest.mark.req("H03.FR.06")
def test_tc_h_24_somebody_of_the_group_charges_anywhere(csms, lone):
    knows(csms, {OTHER: token_info(group=GROUP)})
    assert reserve(csms, None, groupIdToken={"idToken": GROUP, "type": "Central"}) == "Accepted"
    told(csms, 1, "Reserved")
    charges(csms, lone, OTHER)


# -- cancelling -------------------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_H_17_CS")
@pytest.mark.req("H02.FR.02", "H02.FR.04")
def test_tc_h_17_a_reservation_is_cancelled(csms, setup):
    setup.start(connector="[[evse.connector]]")
    reserved(csms)
    assert csms.call("CancelReservation", {"reservationId": 1}) == {"status": "Accepted"}
    free = {"evseId": 1, "connectorStatus": "Available"}
    csms.expect_all(*[("StatusNotification", {"connectorId": connector, **free}) for connector in (1, 2)])


@pytest.mark.tc("TC_H_18_CS")
@pytest.mark.req("H02.FR.01")
@pytest.mark.usefixtures("station")
def test_tc_h_18_what_was_not_reserved_cannot_be_cancelled(csms):
    assert csms.call("CancelReservation", {"reservationId": 1}) == {"status": "Rejected"}
