"""A cable that was plugged in, and for which nobody identified in time, is not charged on somebody else's account."""

import pytest
from support.station import CARD

from ocpp.versions import OcppVersion

V16 = OcppVersion.V16
VERSIONS = pytest.mark.parametrize("version", [V16, OcppVersion.V201, OcppVersion.V21], ids=str)
OTHER = "DEADBEEF"
TIME_OUT = {"TxCtrlr/EVConnectionTimeOut": 30}


def started(station):
    return station.csms.of("StartTransaction") if station.version is V16 else station.events


def last_status(station, connector=1):
    return [each for each in station.csms.of("StatusNotification") if each["connectorId"] == connector][-1]


@VERSIONS
@pytest.mark.req("1.6-4.9", "C08.FR.02")
@pytest.mark.parametrize("evses", [1, 2])
async def test_whoever_comes_later_does_not_pay_for_it(make_station, version, evses):
    station = await make_station(version, evses=evses, variables=TIME_OUT)
    await station.plug()
    await station.clock.advance(31)
    await station.present(OTHER)
    assert started(station) == []
    assert station.hardware.allowed == {}
    if version is V16:
        assert last_status(station)["status"] == "Finishing"
        assert last_status(station)["errorCode"] == "NoError"
        assert "info" not in last_status(station)


@VERSIONS
async def test_the_other_driver_charges_at_the_other_evse(make_station, version):
    station = await make_station(version, evses=2, variables=TIME_OUT)
    await station.plug(1)
    await station.clock.advance(31)
    await station.present(OTHER)
    await station.plug(2)
    assert list(station.hardware.allowed) == [2]


@VERSIONS
async def test_within_the_time_whoever_has_plugged_in_charges(make_station, version):
    station = await make_station(version, variables=TIME_OUT)
    await station.plug()
    await station.clock.advance(29)
    await station.present()
    assert station.hardware.allowed
    await station.draw()
    await station.clock.advance(3600)
    assert station.hardware.allowed, "the time does not go on"


@VERSIONS
async def test_plugging_in_again_begins_anew(make_station, version):
    station = await make_station(version, variables=TIME_OUT)
    await station.plug()
    await station.clock.advance(31)
    await station.unplug()
    assert list(last_status(station).values()).count("Available") == 1
    await station.plug()
    await station.clock.advance(20)
    await station.present()
    assert station.hardware.allowed


@VERSIONS
async def test_who_has_charged_with_the_cable_may_do_so_again(make_station, version):
    station = await make_station(version, variables=TIME_OUT)
    await station.charge()
    await station.present()
    await station.draw(flowing=False)
    await station.clock.advance(3600)
    await station.present(OTHER)
    assert station.hardware.allowed == {}
    await station.present()
    assert station.hardware.allowed


@VERSIONS
async def test_without_a_time_out_a_cable_waits_for_ever(make_station, version):
    station = await make_station(version, variables={"TxCtrlr/EVConnectionTimeOut": 0})
    await station.plug()
    await station.clock.advance(3600)
    await station.present()
    assert station.hardware.allowed


@VERSIONS
async def test_a_remote_start_that_names_the_evse_is_no_mistake(make_station, version):
    station = await make_station(version, evses=2, variables=TIME_OUT)
    await station.plug(2)
    await station.clock.advance(31)
    if version is V16:
        action, wish = "RemoteStartTransaction", {"idTag": CARD, "connectorId": 2}
    else:
        token = {"idToken": CARD, "type": "Central"}
        action, wish = "RequestStartTransaction", {"idToken": token, "evseId": 2, "remoteStartId": 1}
    assert (await station.csms.call(station.clock, action, wish))[2]["status"] == "Accepted"
    await station.settle()
    assert list(station.hardware.allowed) == [2]


@VERSIONS
async def test_after_a_restart_the_time_begins_anew(make_station, version):
    first = await make_station(version, variables=TIME_OUT)
    await first.plug()
    await first.clock.advance(31)
    await first.stop()
    second = await make_station(version, variables=TIME_OUT, seed=2)
    await second.plug()
    await second.clock.advance(29)
    await second.present()
    assert second.hardware.allowed
