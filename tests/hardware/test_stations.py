"""What every EVSE does, whatever it is made of: simulated, emulated or wired (see tests/support/stations.py)."""

import os

import pytest
from support import stations


@pytest.fixture(params=stations.KINDS)
async def station(request, tmp_path, monkeypatch):
    if request.param == "wired" and stations.WIRED not in os.environ:
        pytest.skip(f"{stations.WIRED} names no station file")
    monkeypatch.setattr("hal.wired.PILOT_DEADLINE_S", 0.5)  # how fast it is, is for test_safety_times.py
    kernel = request.getfixturevalue("kernel") if request.param == "emulated" else None
    made = stations.KINDS[request.param](tmp_path, kernel)
    yield made
    made.close()


async def test_a_plug_is_seen_and_its_absence_too(station):
    await station.plug()
    await station.until(lambda: ("plugged", 1, 1) in station.heard.all, "it is told")
    await station.unplug()
    await station.until(lambda: ("unplugged", 1, 1) in station.heard.all, "the EV is gone")
    assert not station.conducts


async def test_no_energy_without_an_offer(station):
    await station.plug()
    await station.wants_energy()
    await stations.settled()
    assert not station.conducts


async def test_energy_flows_while_it_is_allowed_and_wanted(station):
    await station.charge()
    await station.pauses()
    await station.until(lambda: not station.conducts, "the EV pauses")
    await station.wants_energy()
    await station.until(lambda: station.conducts, "the EV goes on, once the contactor's pause is over")


async def test_an_offer_that_is_withdrawn_ends_it(station):
    await station.charge()
    station.evse.stop_energy()
    await station.until(lambda: not station.conducts, "the contactor opens, three seconds later at the latest")


async def test_unplugging_opens(station):
    await station.charge()
    await station.unplug()
    await station.until(lambda: not station.conducts, "the contactor opens")
    await station.until(lambda: "unplugged" in station.heard.names(), "it is told")


async def test_a_faulty_line_opens_and_is_told(station):
    await station.charge()
    await station.shorts_the_line()
    await station.until(lambda: not station.conducts, "the contactor opens")
    await station.until(lambda: "fault" in station.heard.names(), "it is told")


async def test_a_fault_found_elsewhere_opens_and_nothing_is_offered_until_it_has_gone(station):
    await station.charge()
    station.evse.block("GroundFailure")
    assert not station.conducts
    station.evse.allow_energy(16.0)
    await stations.settled()
    assert not station.conducts
    station.evse.unblock("GroundFailure")
    station.evse.allow_energy(16.0)
    await station.until(lambda: station.conducts, "it goes on")


async def test_out_of_service_the_line_shows_f(station):
    station.evse.set_available(False)
    await station.until(lambda: station.evse.pilot_state == "F", "the line shows F")
    station.evse.set_available(True)
    await station.until(lambda: station.evse.pilot_state == "A", "and A again")


async def test_a_card_is_told_once(station):
    await station.present()
    await station.until(lambda: "token" in station.heard.names(), "the card is read")
    await stations.settled()
    assert station.heard.names().count("token") == 1


async def test_the_meter_gives_its_register(station):
    await station.until(lambda: station.station.snapshot(1)["energy_wh"] is not None, "the meter is read")
    assert station.station.snapshot(1)["energy_wh"] >= 0
