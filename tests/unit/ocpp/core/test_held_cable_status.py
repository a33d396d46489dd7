"""A cable that is locked in its socket occupies the connector, whoever has pulled it out of an EV."""

import asyncio

import pytest

from ocpp.charge_point import ChargePoint
from ocpp.versions import OcppVersion

V16, V201 = OcppVersion.V16, OcppVersion.V201
VERSIONS = pytest.mark.parametrize("version", [V16, V201, OcppVersion.V21], ids=str)

KEPT = {"OCPPCommCtrlr/UnlockOnEVSideDisconnect": "false"}
GOES_ON = {**KEPT, "TxCtrlr/StopTxOnEVSideDisconnect": "false"}


def shown(station) -> tuple[str, str]:
    """The connector's status, and what the device model says."""
    point: ChargePoint = station.charge_point
    evse = point.evses[1]
    return point.connector_status(evse, evse.connectors[0]), station.model.value("Connector@1.1/AvailabilityState")


def last(station) -> dict:
    return [each for each in station.csms.of("StatusNotification") if each["connectorId"]][-1]


def status(payload) -> str:
    return payload.get("status") or payload["connectorStatus"]


@VERSIONS
@pytest.mark.req("E09.FR.03", "E10.FR.01")
async def test_a_cable_kept_for_its_owner_is_no_free_connector(make_station, version):
    station = await make_station(version, variables=KEPT)
    await station.charge()
    await station.unplug()
    assert station.hardware.locked
    taken = "Finishing" if version is V16 else "Occupied"
    assert status(last(station)) == taken
    assert shown(station)[0] == taken
    if version is V16:
        assert last(station)["info"] == "EV side disconnected"
    else:
        assert shown(station)[1] == "Occupied"
    await station.present()
    assert not station.hardware.locked
    assert status(last(station)) == "Available"
    assert "info" not in last(station)


@VERSIONS
@pytest.mark.req("E10.FR.01")
async def test_a_transaction_that_goes_on_without_its_ev_occupies_the_connector(make_station, version):
    station = await make_station(version, variables={**GOES_ON, "TxCtrlr/TxStopPoint": "Authorized"})
    await station.charge()
    await station.unplug()
    assert status(last(station)) == ("SuspendedEV" if version is V16 else "Occupied")
    if version is V16:
        assert last(station)["info"] == "EV side disconnected"
    await station.present()
    assert not station.hardware.locked
    assert status(last(station)) == "Available"


@VERSIONS
@pytest.mark.req("E09.FR.02")
async def test_a_cable_that_is_let_go_is_told_free_when_it_is(make_station, version):
    station = await make_station(version, variables={"OCPPCommCtrlr/UnlockOnEVSideDisconnect": "true"})
    await station.charge()
    opens = asyncio.Event()
    unlock = station.hardware.unlock

    async def slow(*where):
        await opens.wait()
        return await unlock(*where)

    station.hardware.unlock = slow
    await station.unplug()
    assert status(last(station)) == ("Finishing" if version is V16 else "Occupied")
    opens.set()
    await station.settle()
    assert status(last(station)) == "Available"


@VERSIONS
async def test_a_fixed_cable_is_free_as_soon_as_the_ev_has_gone(make_station, version):
    station = await make_station(version)
    station.hardware.locks = False
    await station.charge()
    before = len(station.csms.of("StatusNotification"))
    await station.unplug()
    assert [status(each) for each in station.csms.of("StatusNotification")[before:]] == ["Available"]


@VERSIONS
async def test_a_bolt_that_moves_while_the_ev_leaves_does_not_stay_in(make_station, version):
    station = await make_station(version)
    moves = asyncio.Event()
    lock = station.hardware.lock

    async def slow(*where):
        await moves.wait()
        return await lock(*where)

    station.hardware.lock = slow
    await station.plug()
    await station.present()
    await station.unplug()
    moves.set()
    await station.settle()
    assert not station.hardware.locked
    assert status(last(station)) == "Available"


@VERSIONS
async def test_nobody_else_is_let_in_while_a_cable_waits_for_its_owner(make_station, version):
    station = await make_station(version, variables=KEPT)
    await station.charge()
    await station.unplug()
    await station.present("DEADBEEF")
    assert station.hardware.locked
    assert station.charge_point.evses[1].session is None
    await station.present()
    assert not station.hardware.locked


async def test_the_connector_of_the_transaction_is_the_one_that_is_suspended(make_station):
    station = await make_station(V16, connectors=2, variables={**GOES_ON})
    await station.plug(1, 2)
    await station.present()
    await station.draw()
    await station.unplug(1, 2)
    point = station.charge_point
    first, second = point.evses[1].connectors
    assert point.connector_status(point.evses[1], first) == "Available"
    assert point.connector_status(point.evses[1], second) == "SuspendedEV"


@pytest.mark.req("H01.FR.11")
async def test_a_socket_with_a_locked_cable_cannot_be_reserved(make_station):
    station = await make_station(variables=KEPT)
    await station.charge()
    await station.unplug()
    wish = {
        "id": 1,
        "evseId": 1,
        "idToken": {"idToken": "DEADBEEF", "type": "ISO14443"},
        "expiryDateTime": "2027-01-01T00:00:00Z",
    }
    answer = await station.csms.call(station.clock, "ReserveNow", wish)
    assert answer[2]["status"] == "Occupied"


# -- what the socket's own contact says ---------------------------------------------------------------------------


async def pull_at_the_ev(station):
    station.charge_point.plug_seen(1, 1, True)
    await station.charge()
    await station.unplug()
    assert not station.hardware.locked


@VERSIONS
@pytest.mark.req("E09.FR.02")
async def test_a_cable_that_is_let_go_occupies_the_socket_until_it_is_pulled(make_station, version):
    station = await make_station(version)
    await pull_at_the_ev(station)
    assert status(last(station)) == ("Finishing" if version is V16 else "Occupied")
    station.charge_point.plug_seen(1, 1, False)
    await station.settle()
    assert status(last(station)) == "Available"


@VERSIONS
async def test_a_cable_that_was_left_serves_the_next_driver(make_station, version):
    station = await make_station(version)
    await pull_at_the_ev(station)
    await station.plug()
    await station.present("DEADBEEF")
    assert station.hardware.allowed


@VERSIONS
async def test_a_plug_without_an_ev_is_the_begin_of_a_visit(make_station, version):
    station = await make_station(version)
    station.charge_point.plug_seen(1, 1, True)
    await station.settle()
    assert status(last(station)) == ("Preparing" if version is V16 else "Occupied")
    station.charge_point.plug_seen(1, 1, False)
    await station.settle()
    assert status(last(station)) == "Available"


# -- over a restart -----------------------------------------------------------------------------------------------


@VERSIONS
@pytest.mark.req("E09.FR.03")
async def test_a_kept_cable_is_kept_over_a_restart(make_station, version):
    first = await make_station(version, variables=KEPT)
    await first.charge()
    await first.unplug()
    await first.stop()
    second = await make_station(version, variables=KEPT, seed=2, start=False)
    second.hardware.locked.add((1, 1))
    await second.start()
    assert status(last(second)) == ("Finishing" if version is V16 else "Occupied")
    await second.present("DEADBEEF")
    assert second.hardware.locked
    await second.present()
    assert not second.hardware.locked
    assert status(last(second)) == "Available"
    await second.stop()
    third = await make_station(version, variables=KEPT, seed=3)
    assert status(last(third)) == "Available"


@VERSIONS
@pytest.mark.parametrize("plugged", [(), ((1, 1),)], ids=["cable out", "cable in"])
async def test_a_bolt_that_holds_for_nobody_after_a_restart_is_opened(make_station, version, plugged):
    first = await make_station(version)
    await first.charge()
    await first.stop()
    second = await make_station(version, seed=2, start=False)
    second.hardware.locked.add((1, 1))
    second.charge_point.start(plugged)
    await second.settle()
    assert not second.hardware.locked
