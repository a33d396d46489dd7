import pytest

from ocpp.versions import OcppVersion


def told(station) -> list[str]:
    return [event["type"] for event in station.csms.of("SecurityEventNotification")]


@pytest.mark.req("A04.FR.01")
async def test_the_start_is_told_after_the_status_reports(station):
    assert told(station) == ["StartupOfTheDevice"]
    assert station.csms.actions.index("SecurityEventNotification") > station.csms.actions.index("StatusNotification")


@pytest.mark.req("A04.FR.02")
async def test_events_of_an_absence_reach_the_csms_in_order_afterwards(station):
    await station.disconnect()
    log = station.charge_point.strategy.context.security
    log.record("TamperDetectionActivated", "lid")
    log.record("MemoryExhaustion")
    assert told(station) == ["StartupOfTheDevice"]
    await station.reconnect()
    assert told(station) == ["StartupOfTheDevice", "TamperDetectionActivated", "MemoryExhaustion"]
    assert station.csms.of("SecurityEventNotification")[1]["techInfo"] == "lid"


@pytest.mark.req("A04.FR.02")
async def test_an_event_survives_the_power_cut_that_follows_it(make_station):
    first = await make_station()
    await first.disconnect()
    first.charge_point.strategy.context.security.record("TamperDetectionActivated")
    await first.stop()
    second = await make_station()
    assert told(second) == ["TamperDetectionActivated", "StartupOfTheDevice"]


@pytest.mark.req("A04.FR.04")
async def test_an_uncritical_event_is_kept_in_the_log_and_not_told(station):
    station.charge_point.strategy.context.security.record("InvalidMessages", "garbage")
    await station.settle()
    assert told(station) == ["StartupOfTheDevice"]
    rows = station.database.query("SELECT type, info FROM security_events ORDER BY position")
    assert [tuple(row) for row in rows] == [("StartupOfTheDevice", ""), ("InvalidMessages", "garbage")]


async def test_an_event_while_connected_is_told_at_once(station):
    station.charge_point.tamper_detected("lid")
    await station.settle()
    assert told(station)[-1] == "TamperDetectionActivated"
    assert station.csms.of("SecurityEventNotification")[-1]["techInfo"] == "lid"


@pytest.mark.parametrize("version", [OcppVersion.V16, OcppVersion.V201], ids=str)
async def test_a_csms_that_does_not_know_security_events_is_not_asked_twice(make_station, version):
    station = await make_station(version, start=False)
    station.csms.script("SecurityEventNotification", "NotImplemented", "NotImplemented")
    await station.start()
    assert station.csms.counts["SecurityEventNotification"] == 1
    await station.disconnect()
    await station.reconnect()
    assert station.csms.counts["SecurityEventNotification"] == 1


async def test_a_clock_set_by_the_csms_is_reported_when_it_jumps(station):
    later = station.clock.now().replace(year=2027).isoformat().replace("+00:00", "Z")
    station.csms.now = lambda: later
    await station.clock.advance(400)
    assert "SettingSystemTime" in told(station)
