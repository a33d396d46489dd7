import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.station import CARD

from ocpp.charge_point import Fault
from ocpp.versions import OcppVersion

OTHER = "DEADBEEF"
LATER = "2026-01-01T01:00:00Z"


async def ask(station, action: str, payload: dict):
    return (await station.csms.call(station.clock, action, payload))[2]


async def reserve(station, number: int = 1, evse: int | None = 1, card: str = CARD, until: str = LATER, **more) -> str:
    payload = {"id": number, "expiryDateTime": until, "idToken": {"idToken": card, "type": "ISO14443"}, **more}
    if evse is not None:
        payload["evseId"] = evse
    return (await ask(station, "ReserveNow", payload))["status"]


async def cancel(station, number: int = 1) -> str:
    return (await ask(station, "CancelReservation", {"reservationId": number}))["status"]


def updates(station) -> list[tuple[int, str]]:
    return [
        (each["reservationId"], each["reservationUpdateStatus"]) for each in station.csms.of("ReservationStatusUpdate")
    ]


def status(station, evse: int = 1) -> str:
    return [each["connectorStatus"] for each in station.csms.of("StatusNotification") if each["evseId"] == evse][-1]


@pytest.mark.req("H01.FR.03", "H01.FR.23")
async def test_a_reserved_evse_says_so_and_is_refused_to_others(station):
    assert await reserve(station) == "Accepted"
    assert status(station) == "Reserved"
    await station.plug()
    await station.present(OTHER)
    assert not station.hardware.allowed


@pytest.mark.req("G01.FR.06", "G01.FR.09", "G03.FR.09")
async def test_a_reserved_connector_stays_so_with_the_cable_of_a_stranger_and_is_occupied_by_its_driver(station):
    await reserve(station)
    await station.plug()
    await station.present(OTHER)
    assert status(station) == "Reserved"
    await station.present()
    assert status(station) == "Occupied"


@pytest.mark.req("H03.FR.01", "H03.FR.09", "H03.FR.10", "H01.FR.15", "E01.FR.13", "E03.FR.03")
async def test_its_driver_charges_and_the_transaction_names_the_reservation(station):
    await reserve(station, 7)
    await station.present()
    assert status(station) == "Available"
    await station.plug()
    await station.draw()
    assert station.hardware.allowed
    assert next(event.get("reservationId") for event in station.events) == 7
    assert await cancel(station, 7) == "Rejected"


@pytest.mark.req("H03.FR.04", "H03.FR.07", "H03.FR.08")
async def test_a_driver_of_the_same_group_charges(station):
    await reserve(station, groupIdToken={"idToken": "FAMILY", "type": "Central"})
    station.csms.script(
        "Authorize", {"idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": "FAMILY", "type": "Central"}}}
    )
    await station.plug()
    await station.present(OTHER)
    assert station.hardware.allowed


@pytest.mark.req("H02.FR.02", "H02.FR.03", "H02.FR.04")
async def test_a_cancelled_reservation_frees_the_evse(station):
    await reserve(station)
    assert await cancel(station) == "Accepted"
    assert status(station) == "Available"
    await station.plug()
    await station.present(OTHER)
    assert station.hardware.allowed


@pytest.mark.req("H02.FR.01")
async def test_what_was_not_reserved_cannot_be_cancelled(station):
    assert await cancel(station, 5) == "Rejected"


@pytest.mark.req("H01.FR.02")
async def test_the_same_id_replaces_the_reservation(make_station):
    station = await make_station(evses=2)
    await reserve(station, 1, evse=1)
    assert await reserve(station, 1, evse=2, card=OTHER) == "Accepted"
    assert (status(station, 1), status(station, 2)) == ("Available", "Reserved")


@pytest.mark.req("H01.FR.11")
async def test_an_evse_in_use_or_reserved_is_occupied(station):
    await reserve(station, 1)
    assert await reserve(station, 2) == "Occupied"
    await cancel(station)
    await station.plug()
    assert await reserve(station, 3) == "Occupied"


@pytest.mark.req("H01.FR.12")
async def test_a_faulted_evse_cannot_be_reserved(station):
    station.charge_point.fault_raised(1, 0, Fault("GroundFailure"))
    await station.settle()
    assert await reserve(station) == "Faulted"


@pytest.mark.req("H01.FR.14")
async def test_an_evse_out_of_service_cannot_be_reserved(station):
    await ask(station, "ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    assert await reserve(station) == "Unavailable"


@pytest.mark.req("H01.FR.01")
async def test_switched_off_every_reservation_is_rejected(make_station):
    station = await make_station(variables={"ReservationCtrlr/Enabled": "false"})
    assert await reserve(station) == "Rejected"


@pytest.mark.parametrize(
    "wish",
    [
        {"evse": 9},
        {"until": "2025-12-31T00:00:00Z"},
        {"connectorType": "cCCS2"},
        {"evse": None, "connectorType": "cCCS2"},
    ],
)
async def test_what_cannot_be_fulfilled_ever_is_rejected(station, wish):
    assert await reserve(station, **wish) == "Rejected"


@pytest.mark.req("H04.FR.01", "H04.FR.02", "H04.FR.03")
async def test_an_expired_reservation_is_told_and_frees_the_evse(station):
    await reserve(station, 3, until="2026-01-01T00:10:00Z")
    await station.clock.advance(599)
    assert updates(station) == []
    await station.clock.advance(2)
    assert updates(station) == [(3, "Expired")]
    assert status(station) == "Available"


async def test_an_expiry_offline_is_told_afterwards(station):
    await reserve(station, 3, until="2026-01-01T00:10:00Z")
    await station.disconnect()
    await station.clock.advance(700)
    await station.reconnect()
    assert updates(station) == [(3, "Expired")]


async def test_an_expiry_while_the_station_is_off_is_told_after_the_start(make_station):
    first = await make_station()
    await reserve(first, 3, until="2026-01-01T00:10:00Z")
    clock = first.clock
    await first.stop()
    await clock.advance(700)
    second = await make_station(clock=clock)
    assert updates(second) == [(3, "Expired")]
    assert status(second) == "Available"


async def test_a_reservation_survives_a_power_cut(make_station):
    first = await make_station()
    await reserve(first)
    await first.stop()
    second = await make_station()
    assert status(second) == "Reserved"
    await second.plug()
    await second.present(OTHER)
    assert not second.hardware.allowed


@pytest.mark.req("H01.FR.16")
async def test_a_fault_removes_the_reservation(station):
    await reserve(station, 4)
    station.charge_point.fault_raised(1, 0, Fault("GroundFailure"))
    await station.settle()
    assert updates(station) == [(4, "Removed")]
    assert status(station) == "Unavailable"  # the EVSE is faulted, the connector itself is sound (G03.FR.06)


@pytest.mark.req("H01.FR.17")
async def test_going_out_of_service_removes_the_reservation(station):
    await reserve(station, 4)
    await ask(station, "ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    await station.settle()
    assert updates(station) == [(4, "Removed")]


# -- without a named EVSE ---------------------------------------------------------------------------------------------


@pytest.mark.req("H01.FR.04", "H01.FR.07", "H01.FR.18", "H01.FR.20")
async def test_an_unspecific_reservation_keeps_one_evse_free(make_station):
    station = await make_station(evses=2)
    assert await reserve(station, evse=None) == "Accepted"
    assert (status(station, 1), status(station, 2)) == ("Available", "Available")
    await station.plug(1)
    await station.present(OTHER, evse_ids=(1,))
    assert set(station.hardware.allowed) == {1}
    assert status(station, 2) == "Reserved"
    await station.plug(2)
    await station.present("C0FFEE", evse_ids=(2,))
    assert set(station.hardware.allowed) == {1}


@pytest.mark.req("H03.FR.03", "E02.FR.03")
async def test_the_driver_of_an_unspecific_reservation_charges_anywhere(make_station):
    station = await make_station(evses=2)
    await reserve(station, 9, evse=None)
    await station.plug(2)
    await station.present(evse_ids=(2,))
    await station.draw(2)
    assert set(station.hardware.allowed) == {2}
    assert station.events[0]["reservationId"] == 9


@pytest.mark.req("H02.FR.05", "H02.FR.06")
async def test_a_cancelled_unspecific_reservation_frees_every_evse_that_is_not_reserved_by_name(make_station):
    station = await make_station(evses=3)
    await reserve(station, 1, evse=1)
    await reserve(station, 2, evse=None, card="AAAA")
    await reserve(station, 3, evse=None, card="BBBB")
    assert [status(station, evse) for evse in (1, 2, 3)] == ["Reserved"] * 3
    assert await cancel(station, 3) == "Accepted"
    assert [status(station, evse) for evse in (1, 2, 3)] == ["Reserved", "Available", "Available"]
    await cancel(station, 2)
    for evse in (1, 2, 3):
        await station.plug(evse)
        await station.present(f"{OTHER}{evse}", evse_ids=(evse,))
    assert set(station.hardware.allowed) == {2, 3}


@pytest.mark.req("H03.FR.05", "H03.FR.06", "H03.FR.08")
@pytest.mark.parametrize("wish", [{}, {"connectorType": "cType2"}], ids=["any", "of a type"])
async def test_somebody_of_the_group_charges_at_whichever_evse(make_station, wish):
    station = await make_station(evses=2)
    family = {"idToken": "FAMILY", "type": "Central"}
    await reserve(station, 9, evse=None, groupIdToken=family, **wish)
    await reserve(station, 8, evse=1, card="AAAA")
    assert status(station, 2) == "Reserved"
    station.csms.script("Authorize", {"idTokenInfo": {"status": "Accepted"}})
    station.csms.script("Authorize", {"idTokenInfo": {"status": "Accepted", "groupIdToken": family}})
    await station.plug(2)
    await station.present("STRANGER", evse_ids=(2,))
    assert not station.hardware.allowed
    await station.present(OTHER, evse_ids=(2,))
    assert set(station.hardware.allowed) == {2}
    assert station.events[0]["reservationId"] == 9


@pytest.mark.req("H03.FR.09", "H03.FR.10", "H01.FR.15")
@pytest.mark.parametrize("group", [False, True])
async def test_a_remote_start_uses_the_reservation(station, group):
    family = {"idToken": "FAMILY", "type": "Central"}
    await reserve(station, 7, groupIdToken=family)
    start = {"remoteStartId": 1, "evseId": 1, "idToken": {"idToken": OTHER if group else CARD, "type": "ISO14443"}}
    if group:
        start["groupIdToken"] = family
    assert (await ask(station, "RequestStartTransaction", start))["status"] == "Accepted"
    await station.settle()
    assert status(station) == "Available"
    await station.plug()
    assert station.events[0]["reservationId"] == 7


@pytest.mark.req("H01.FR.19")
async def test_unspecific_reservations_may_be_switched_off(make_station):
    station = await make_station(variables={"ReservationCtrlr/NonEvseSpecific": "false"})
    assert await reserve(station, evse=None) == "Rejected"


async def test_no_more_are_accepted_than_there_are_evses(make_station):
    station = await make_station(evses=2)
    assert [await reserve(station, n, evse=None) for n in (1, 2, 3)] == ["Accepted", "Accepted", "Occupied"]
    assert (status(station, 1), status(station, 2)) == ("Reserved", "Reserved")


@pytest.mark.req("H01.FR.06", "H01.FR.09", "H01.FR.24", "H03.FR.02")
async def test_a_connector_type_is_kept_free(make_station):
    station = await make_station(evses=2)
    assert await reserve(station, evse=None, connectorType="cType2") == "Accepted"
    assert await reserve(station, 2, evse=1, card=OTHER) == "Accepted"
    assert (status(station, 1), status(station, 2)) == ("Reserved", "Reserved")


@pytest.mark.req("F01.FR.21")
async def test_a_remote_start_on_an_evse_reserved_for_another_is_rejected(station):
    await reserve(station)
    start = {"remoteStartId": 1, "evseId": 1, "idToken": {"idToken": OTHER, "type": "Central"}}
    assert (await ask(station, "RequestStartTransaction", start))["status"] == "Rejected"
    start["idToken"] = {"idToken": CARD, "type": "ISO14443"}
    assert (await ask(station, "RequestStartTransaction", start))["status"] == "Accepted"


async def test_a_station_without_the_block_does_not_support_its_calls(make_station):
    station = await make_station(variables={"ReservationCtrlr/Available": "false"})
    answer = await station.csms.call(station.clock, "CancelReservation", {"reservationId": 1})
    assert answer[2] == "NotSupported"


# -- matching, against every assignment tried -------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["cType2", "cCCS2"]), min_size=1, max_size=4),
    st.lists(st.tuples(st.none() | st.integers(1, 4), st.none() | st.sampled_from(["cType2", "cCCS2"])), max_size=4),
)
def test_as_many_reservations_have_a_place_as_the_best_assignment_gives_one(types, wishes):
    from datetime import UTC, datetime
    from itertools import permutations

    from ocpp.charge_point import Connector, Evse, IdToken
    from ocpp.core.reservations import Reservation, _placed

    evses = [Evse(n, [Connector(n, 1, kind)]) for n, kind in enumerate(types, 1)]
    wanted = [
        Reservation(
            id=n, token=IdToken(str(n)), expiry=datetime(2030, 1, 1, tzinfo=UTC), evse_id=evse, connector_type=kind
        )
        for n, (evse, kind) in enumerate(wishes)
    ]
    best = max(
        sum(evse is not None and wish.suits(evse) for wish, evse in zip(wanted, chosen, strict=True))
        for chosen in permutations([*evses, *[None] * len(wanted)], len(wanted))
    )
    assert _placed(wanted, evses) == best


async def test_reservations_of_2_1_are_those_of_2_0_1(make_station):
    station = await make_station(OcppVersion.V21)
    assert await reserve(station) == "Accepted"


# -- one reservation does not spoil another EVSE ------------------------------------------------------------------


async def with_evse_1_reserved_and_taken(make_station, **variables):
    station = await make_station(evses=3, variables=variables)
    assert await reserve(station, 1, evse=1) == "Accepted"
    await station.plug(1)
    return station


@pytest.mark.req("H01.FR.23", "G01.FR.09")
async def test_a_cable_in_a_reserved_evse_makes_no_other_one_reserved(make_station):
    station = await with_evse_1_reserved_and_taken(make_station)
    assert [status(station, evse) for evse in (1, 2, 3)] == ["Reserved", "Available", "Available"]


@pytest.mark.req("H01.FR.23")
async def test_another_evse_can_be_reserved_then(make_station):
    station = await with_evse_1_reserved_and_taken(make_station)
    assert await reserve(station, 2, evse=2) == "Accepted"
    assert [status(station, evse) for evse in (1, 2, 3)] == ["Reserved", "Reserved", "Available"]


@pytest.mark.req("H01.FR.04", "H01.FR.07", "H01.FR.20")
async def test_reservations_of_any_evse_count_the_others_then(make_station):
    station = await with_evse_1_reserved_and_taken(make_station)
    assert await reserve(station, 2, evse=None) == "Accepted"
    assert [status(station, evse) for evse in (1, 2, 3)] == ["Reserved", "Available", "Available"]
    assert await reserve(station, 3, evse=None) == "Accepted"
    assert [status(station, evse) for evse in (1, 2, 3)] == ["Reserved"] * 3
    assert await reserve(station, 4, evse=None) == "Occupied"
    assert await reserve(station, 5, evse=2) == "Occupied"


async def test_strangers_charge_at_the_others_then(make_station):
    station = await with_evse_1_reserved_and_taken(make_station)
    await station.present(OTHER, evse_ids=(1,))
    assert not station.hardware.allowed
    await station.plug(2)
    await station.present(OTHER, evse_ids=(2,))
    assert set(station.hardware.allowed) == {2}


@pytest.mark.req("H01.FR.11", "H01.FR.07")
async def test_the_last_free_evse_of_a_reservation_of_any_is_not_given_away(make_station):
    station = await make_station(evses=2)
    assert await reserve(station, 1, evse=None) == "Accepted"
    await station.plug(1)
    await station.present(OTHER, evse_ids=(1,))
    assert set(station.hardware.allowed) == {1}
    assert status(station, 2) == "Reserved"
    assert await reserve(station, 2, evse=2) == "Occupied"
