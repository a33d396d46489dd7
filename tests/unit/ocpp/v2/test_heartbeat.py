"""Heartbeats (G02)."""

import pytest


@pytest.fixture
async def station(make_station):
    """Accepted, with an interval of 100 s, and the beats of the start behind it."""
    station = await make_station(start=False)
    answer = {"status": "Accepted", "currentTime": "2030-01-01T00:00:00Z", "interval": 100}
    station.csms.script("BootNotification", answer)
    station.csms.now = lambda: station.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    await station.start()
    return station


@pytest.mark.req("G02.FR.01", "G02.FR.02")
async def test_a_heartbeat_follows_every_interval(station):
    await station.clock.advance(350)
    assert station.csms.counts["Heartbeat"] == 3


@pytest.mark.req("G02.FR.05")
async def test_another_message_puts_it_off(station):
    await station.clock.advance(60)
    await station.plug()
    await station.clock.advance(60)
    assert station.csms.counts["Heartbeat"] == 0
    await station.clock.advance(50)
    assert station.csms.counts["Heartbeat"] == 1


@pytest.mark.req("G02.FR.06")
async def test_its_answer_sets_the_clock(station):
    station.csms.now = lambda: "2031-06-01T00:00:00Z"
    await station.clock.advance(101)
    assert station.clock.now().year == 2031


@pytest.mark.req("G02.FR.07")
async def test_there_is_one_a_day_however_much_else_is_sent(station):
    for _ in range(0, 90000, 90):
        await station.csms.call(station.clock, "GetLocalListVersion", {})
        await station.clock.advance(90)
    assert station.csms.counts["Heartbeat"] == 1
