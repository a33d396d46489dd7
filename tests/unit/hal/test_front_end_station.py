"""A wired station whose pilot, contactor and protection are kept by a front end on a serial port."""

import asyncio
import logging
import time

import pytest
from support.front_end import FrontEnd

from hal.boards import board
from hal.iec61851 import PilotState
from hal.interfaces import PartDescription
from hal.parts import Role
from hal.wired import WiredStation
from ocpp.clock import SystemClock

HEAT = {"limit_c": 80, "derating": [[50, 16], [70, 8]]}
ALL = {"proximity": True, "residual_current": True, "mains": True, "temperature": HEAT}


class Rig:
    def __init__(self, path, heard, options, **front_end) -> None:
        self.mcu = FrontEnd(path, **front_end)
        self.heard = heard
        self.station = WiredStation(
            1,
            (PartDescription("FE", "serial-front-end", 1, options={"port": str(path), "pause_s": 0, **options}),),
            board=board("linux"),
            clock=SystemClock(),
            to_loop=asyncio.get_running_loop().call_soon_threadsafe,
            listener=heard,
        )
        self.station.start()

    @property
    def part(self):
        return self.station.parts[0][1]

    async def until(self, condition, seconds=10.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            await asyncio.sleep(0.002)

    async def plug(self) -> None:
        self.mcu.pilot = PilotState.B
        await self.until(lambda: self.station.evse(1).plugged)
        self.mcu.pilot = PilotState.C

    async def charge(self, limit_a=16.0) -> None:
        """As people do it: energy is allowed anew when a fault (an overloaded machine's late frame) has gone, and an EV is
        plugged in anew when the contactor was too late for a feedback.
        """
        await self.plug()
        end = time.monotonic() + 20
        while not self.mcu.driven:
            assert time.monotonic() < end, "it does not charge"
            if "PowerSwitchFailure" in self.station.evse(1).blocked_by:
                self.mcu.pilot = PilotState.A
                await self.until(lambda: not self.station.evse(1).plugged)
                await self.plug()
            self.station.evse(1).allow_energy(limit_a)
            await asyncio.sleep(0.1)

    async def offers(self, duty, allowed) -> None:
        """That duty cycle is shown when so much is allowed; allowed anew as for `charge`."""
        end = time.monotonic() + 20
        while self.mcu.duty != duty:
            assert time.monotonic() < end, f"it does not offer that, but {self.mcu.duty}"
            self.station.evse(1).allow_energy(allowed)
            await asyncio.sleep(0.05)

    async def fault(self, kind, active=True) -> None:
        await self.until(lambda: [each for each in self.heard.faults if each[0] == kind][-1:] == [(kind, active)])

    def stop(self) -> None:
        self.station.stop()
        self.mcu.stop()


@pytest.fixture
async def new_rig(tmp_path, heard):
    made = []

    def new_rig(options=None, **front_end):
        made.append(Rig(tmp_path / "tty", heard, options or {}, **front_end))
        return made[0]

    yield new_rig
    for each in made:
        each.stop()


@pytest.fixture
async def rig(new_rig):
    return new_rig()


async def test_an_ev_charges_and_its_offer_is_what_was_allowed(rig):
    await rig.charge(16)
    await rig.offers(2666, 16)
    await rig.offers(5333, 32)
    rig.mcu.pilot = PilotState.B
    await rig.until(lambda: not rig.mcu.driven)
    await rig.until(lambda: not rig.station.evse(1).energy_flows)
    rig.mcu.pilot = PilotState.A
    await rig.until(lambda: not rig.station.evse(1).plugged)
    assert ("PowerSwitchFailure", True) not in rig.heard.faults


async def test_out_of_service_is_state_f(rig):
    rig.station.set_available(1, 1, False)
    await rig.until(lambda: rig.mcu.orders & 0x02)
    await rig.until(lambda: rig.station.evse(1).pilot_state is PilotState.F)
    rig.station.set_available(1, 1, True)
    await rig.until(lambda: rig.station.evse(1).pilot_state is PilotState.A)


async def test_a_silent_front_end_is_a_fault_until_it_is_heard_again(rig):
    await rig.charge()
    rig.mcu.mute = True
    await rig.until(lambda: not rig.mcu.driven)
    await rig.fault("EVCommunicationError")
    rig.mcu.mute = False
    await rig.fault("EVCommunicationError", False)
    await rig.charge()
    assert ("PowerSwitchFailure", True) not in rig.heard.faults


async def test_a_front_end_that_does_not_obey_is_a_fault_and_opens_by_itself(rig):
    await rig.charge()
    rig.mcu.deaf = True
    rig.station.evse(1).allow_energy(10)
    await rig.fault("EVCommunicationError")
    await rig.until(lambda: not rig.mcu.driven)
    assert rig.mcu.alone
    rig.mcu.deaf = False
    await rig.fault("EVCommunicationError", False)
    await rig.charge()


async def test_when_the_adapter_is_pulled_out_both_sides_open_and_go_on_when_it_is_back(rig, caplog):
    await rig.charge()
    caplog.clear()
    rig.mcu.unplug()
    await rig.until(lambda: not rig.mcu.driven)
    await rig.fault("EVCommunicationError")
    await asyncio.sleep(0.05)
    lines = [each for each in caplog.records if each.name == "hal.drivers.front_end"]
    assert len(lines) == 1
    rig.mcu.plug()
    await rig.fault("EVCommunicationError", False)
    await rig.charge()


async def test_damaged_frames_are_left_out(rig):
    await rig.charge()
    rig.mcu.damage = 2
    await rig.until(lambda: rig.part._decoder.damaged >= 2)
    assert rig.mcu.damage == 0
    await rig.charge()


async def test_noise_on_the_line_does_no_more_than_that(rig):
    await rig.until(lambda: rig.part.state is not None)
    rig.mcu.say(b"\x7e\x40" + bytes(range(256)) * 2)
    rig.mcu.pilot = PilotState.B
    await rig.until(lambda: rig.station.evse(1).plugged)


async def test_a_front_end_that_restarts_does_not_close_by_an_old_wish(rig):
    await rig.charge()
    rig.mcu.reboot()
    heard = rig.mcu.commands
    await rig.until(lambda: rig.mcu.commands > heard + 3)
    assert not rig.mcu.driven
    await rig.charge()


async def test_a_welded_contactor_is_a_fault_while_it_lasts(rig):
    await rig.until(lambda: rig.part.state is not None)
    rig.mcu.welded = True
    await rig.until(lambda: "PowerSwitchFailure" in rig.station.evse(1)._blocks)
    await rig.fault("PowerSwitchFailure")
    rig.mcu.welded = False
    await rig.fault("PowerSwitchFailure", False)


async def test_when_the_station_ends_it_is_open_and_at_12_v(new_rig):
    rig = new_rig()
    await rig.charge()
    rig.station.stop()
    await rig.until(lambda: not rig.mcu.driven and rig.mcu.duty == 10_000)


async def test_a_safety_loop_that_hangs_is_silence_for_the_front_end(rig):
    await rig.charge()
    rig.station.safety._stopping.set()
    await rig.until(lambda: rig.mcu.alone)
    assert not rig.mcu.driven


@pytest.mark.parametrize(("front_end", "what"), [({"protocol": 2}, "protocol 2"), ({"silence_ms": 5000}, "5000 ms")])
async def test_a_front_end_that_cannot_be_relied_upon_is_not_used(new_rig, front_end, what):
    rig = new_rig(**front_end)
    await rig.fault("EVCommunicationError")
    assert what in rig.part.problem


# -- what else it may have --------------------------------------------------------------------------------------------


@pytest.fixture
async def full(new_rig):
    rig = new_rig(ALL)
    rig.mcu.cable, rig.mcu.temperature = 32, 250
    return rig


async def test_with_everything_it_has_an_ev_charges(full):
    await full.charge(32)
    assert not {("GroundFailure", True), ("HighTemperature", True), ("UnderVoltage", True)} & set(full.heard.faults)


async def test_a_plug_in_the_socket_is_told_and_told_when_it_is_pulled(full):
    await full.until(lambda: full.heard.of("socket"))
    assert full.heard.of("socket")[-1] == ("socket", 1, 1, True)
    full.mcu.cable = 0
    await full.until(lambda: full.heard.of("socket")[-1] == ("socket", 1, 1, False))


async def test_cable_and_heat_bound_the_offer(full):
    full.mcu.cable = 20
    await full.charge(32)
    await full.offers(3333, 32)
    full.mcu.temperature = 600
    await full.offers(2000, 32)
    full.mcu.temperature = 900
    await full.fault("HighTemperature")
    await full.until(lambda: not full.mcu.driven)


async def test_leakage_opens_at_once_and_is_a_fault(full):
    await full.charge()
    full.mcu.leaks = True
    await full.until(lambda: not full.mcu.driven)
    await full.fault("GroundFailure")


async def test_a_monitor_that_fails_its_test_is_a_fault(new_rig):
    rig = new_rig(ALL)
    rig.mcu.monitor_dead = True
    rig.mcu.cable, rig.mcu.temperature = 32, 250
    await rig.fault("GroundFailure")


async def test_without_mains_nothing_is_offered(full):
    await full.charge()
    full.mcu.mains_off = True
    await full.fault("UnderVoltage")
    full.mcu.mains_off = False
    await full.fault("UnderVoltage", False)


async def test_a_temperature_that_is_not_measured_is_not_believed_for_long(new_rig, caplog):
    rig = new_rig({"temperature": {"stale_s": 2}})
    await rig.fault("HighTemperature")
    rig.mcu.temperature = 250
    await rig.fault("HighTemperature", False)
    assert (
        len([each for each in caplog.records if each.levelno == logging.ERROR and "no temperature:" in each.message])
        == 1
    )


async def test_one_phase_is_used_when_that_is_allowed(new_rig):
    rig = new_rig({"switches_phases": True})
    rig.mcu.pilot = PilotState.B
    await rig.until(lambda: rig.station.evse(1).plugged)
    rig.station.evse(1).allow_energy(16, 1)
    await rig.until(lambda: rig.mcu.orders & 0x04)
    assert rig.part.also[Role.CONTACTOR][0].phases == 1
