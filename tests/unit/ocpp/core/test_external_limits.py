"""Limits of other systems than the CSMS, in every version."""

import pytest
from support.station import StationUnderTest

from ocpp.charge_point import ExternalLimit, Period, Schedule
from ocpp.versions import OcppVersion

MESSAGES = ("NotifyChargingLimit", "ClearedChargingLimit")


@pytest.fixture(params=list(OcppVersion), ids=str)
def version(request):
    return request.param


@pytest.fixture
async def make_station(tmp_path, version):
    made: list[StationUnderTest] = []

    async def make(**options) -> StationUnderTest:
        made.append(StationUnderTest(tmp_path, version, **options))
        return await made[-1].start()

    yield make
    for station in made:
        await station.stop()


@pytest.fixture
async def station(make_station):
    return await make_station()


def limit(amperes: float, source: str = "EMS", **more) -> ExternalLimit:
    return ExternalLimit(source, Schedule("A", (Period(0, amperes),)), **more)


def allowed(station, evse: int = 1) -> float:
    return station.hardware.allowed[evse].current_a


def told(station) -> list[str]:
    return [action for action in station.csms.actions if action in MESSAGES]


@pytest.mark.req("K11.FR.01", "K13.FR.01")
async def test_it_holds_in_every_version_and_is_told_where_there_is_a_message(station, version):
    await station.charge()
    station.charge_point.external_limit_set(limit(10))
    await station.settle()
    assert allowed(station) == 10
    assert station.charge_point.external_limit_released("EMS")
    await station.settle()
    assert allowed(station) == 32
    assert told(station) == ([] if version is OcppVersion.V16 else list(MESSAGES))
    assert not station.charge_point.external_limit_released("EMS")


async def test_of_several_sources_the_least_counts(station):
    await station.charge()
    for amperes, source in ((12, "SO"), (10, "EMS"), (20, "Other")):
        station.charge_point.external_limit_set(limit(amperes, source))
    assert allowed(station) == 10
    station.charge_point.external_limit_released("EMS")
    assert allowed(station) == 12


async def test_one_evse_may_be_limited_alone(make_station):
    station = await make_station(evses=2)
    station.charge_point.external_limit_set(limit(10, evse_id=2))
    await station.charge(1)
    await station.plug(2)
    await station.present("OTHERCARD", evse_ids=(2,))
    assert (allowed(station, 1), allowed(station, 2)) == (32, 10)


async def test_a_schedule_begins_when_it_is_imposed_and_ends_by_itself(station):
    await station.clock.advance(1000)
    await station.charge()
    schedule = Schedule("A", (Period(0, 10), Period(60, 16)), duration=120)
    station.charge_point.external_limit_set(ExternalLimit("SO", schedule))
    seen = [allowed(station)]
    for _ in range(2):
        await station.clock.advance(60)
        seen.append(allowed(station))
    assert seen == [10, 16, 32]


async def test_it_survives_a_power_cut(make_station, version):
    first = await make_station()
    first.charge_point.external_limit_set(limit(9))
    await first.settle()
    await first.stop()
    second = await make_station(clock=first.clock)
    assert [each.source for each in second.charge_point.external_limits] == ["EMS"]
    await second.charge()
    assert allowed(second) == 9
    assert told(second) == []


@pytest.mark.req("K13.FR.02")
async def test_a_limit_whose_answer_was_lost_is_taken_back_all_the_same(station, version):
    station.csms.script("NotifyChargingLimit", None)
    station.charge_point.external_limit_set(limit(10))
    await station.settle()
    await station.disconnect()
    station.charge_point.external_limit_released("EMS")
    await station.reconnect()
    assert told(station) == ([] if version is OcppVersion.V16 else list(MESSAGES))


async def test_a_refusal_of_the_csms_is_no_reason_to_tell_it_again(station, version):
    station.csms.script("NotifyChargingLimit", "InternalError")
    station.charge_point.external_limit_set(limit(9))
    await station.settle()
    await station.disconnect()
    await station.reconnect()
    assert told(station) == ([] if version is OcppVersion.V16 else ["NotifyChargingLimit"])


async def test_what_holds_is_suspended_while_external_control_is_off(station):
    await station.charge()
    station.charge_point.external_limit_set(limit(9))
    switch = "SmartChargingCtrlr/ExternalControlSignalsEnabled"
    station.model.set_inside(station.model.entry(switch), "false")
    assert allowed(station) == 32
    with pytest.raises(ValueError, match="switched off"):
        station.charge_point.external_limit_set(limit(8))
    station.model.set_inside(station.model.entry(switch), "true")
    assert allowed(station) == 9


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        (limit(10, "CSO"), ValueError),
        (limit(10, evse_id=9), LookupError),
        (limit(-1), ValueError),
        (ExternalLimit("EMS", Schedule("kW", (Period(0, 1),))), ValueError),
        (ExternalLimit("EMS", Schedule("A", ())), ValueError),
        (ExternalLimit("EMS", Schedule("A", (Period(5, 1),))), ValueError),
        (ExternalLimit("EMS", Schedule("A", (Period(0, 1), Period(0, 2)))), ValueError),
    ],
)
async def test_what_makes_no_sense_is_refused(station, wish, error):
    with pytest.raises(error):
        station.charge_point.external_limit_set(wish)
    assert station.charge_point.external_limits == []


async def test_what_is_imposed_while_limits_are_applied_holds_when_its_time_comes(station):
    smart, later = station.charge_point.strategy.charging.smart, Schedule("A", (Period(0, 20), Period(60, 8)))
    wishes = [ExternalLimit("SO", later)]
    smart.rate_changed = lambda evse: station.charge_point.external_limit_set(wishes.pop()) if wishes else None
    station.charge_point.external_limit_set(limit(10))
    assert (station.charge_point.evses[1].limit.current_a, wishes) == (10, [])
    await station.clock.advance(61)
    assert station.charge_point.evses[1].limit.current_a == 8
