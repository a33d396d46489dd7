"""The simulated station: what may happen to it, what survives, and what is refused."""

import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hal.iec61851 import PilotState
from hal.simulated import SimulatedConnector, SimulatedEvse, SimulatedStation, SimulationOptions
from hal.simulated.faults import DANGEROUS_FAULTS, FAULT_KINDS
from ocpp.clock import ManualClock


def test_a_cable_goes_in_and_out(site):
    site.station.plug(1, 1)
    site.pass_time()
    assert site.heard.of("plugged") == [("plugged", 1, 1)]
    assert site.station.snapshot(1)["pilot"] == "B"
    site.station.unplug(1, 1)
    site.pass_time()
    assert site.heard.of("unplugged") == [("unplugged", 1, 1)]


def test_unplugging_what_is_not_plugged_changes_nothing(site):
    site.station.unplug(1, 1)
    site.pass_time()
    assert site.heard.all == []


def test_a_second_cable_at_the_same_evse_is_refused(new_site):
    site = new_site(SimulatedEvse((SimulatedConnector(), SimulatedConnector())))
    site.station.plug(1, 2)
    with pytest.raises(ValueError, match="in use at connector 2"):
        site.station.plug(1, 1)


def test_the_register_counts_what_flows(site):
    site.charge({"soc": 10, "max_current_a": 16, "phases": 3})
    before = site.energy()
    site.pass_time(3600)
    assert site.energy() - before == pytest.approx(16 * 3 * 230, rel=0.01)


def test_a_frozen_meter_stands_still(site):
    site.charge()
    site.station.set_meter(1, {"frozen": True})
    before = site.energy()
    site.pass_time(600)
    assert site.energy() == before


def test_a_forced_power_counts_whatever_flows(site):
    site.station.set_meter(1, {"power_w": 3600, "energy_wh": 1000})
    site.pass_time(10)
    assert site.energy() == pytest.approx(1010)


def test_reading_often_or_seldom_gives_the_same_energy(new_site, tmp_path_factory):
    energies = []
    for pause in (1, 7, 600):
        station_clock = ManualClock()
        station = SimulatedStation(
            (SimulatedEvse(),),
            clock=station_clock,
            listener=new_site().heard,
            state_dir=tmp_path_factory.mktemp("site"),
        )
        station.start()
        station.plug(1, 1, {"soc": 78, "battery_wh": 2000})
        station.evse(1).allow_energy(20)
        for _ in range(0, 4200, pause):
            station_clock.tick(pause)
            station.evse(1).read_meter()
        energies.append(float(station.snapshot(1)["energy_wh"]))
        station.stop()
    assert max(energies) - min(energies) <= 0.2


def test_signed_values_are_said_as_they_were_set(site):
    site.station.set_meter(1, {"signed": {"start": "S", "end": None}})
    reading = site.station.evse(1).read_meter()
    assert reading.signed_start is not None
    assert (reading.signed_start.data, reading.signed_end) == ("S", None)
    site.station.set_meter(1, {"signed": None})
    assert site.station.evse(1).read_meter().signed_start is None


def test_a_main_meter_adds_up_what_flows_through_all_evses(new_site):
    site = new_site(SimulatedEvse(), SimulatedEvse(), main_meter=True)
    site.station.set_meter(1, {"energy_wh": 1000.5, "power_w": 3000})
    site.station.set_meter(2, {"energy_wh": 200, "power_w": 500})
    read = site.station.read_main_meter()
    said = {(each.measurand, each.phase): each.value for each in read.quantities}
    assert float(said["Energy.Active.Import.Register", None]) == 1200.5
    assert float(said["Power.Active.Import", None]) == 3500
    assert {each.location for each in read.quantities} == {"Inlet"}


def test_without_a_main_meter_nothing_is_added_up(site):
    assert site.station.read_main_meter() is None


def test_the_register_survives_a_power_cut_and_never_runs_back(site):
    site.charge()
    site.pass_time(1000)
    told = site.energy()
    site.power_cut()
    assert site.energy() >= told - 8.0  # what 22 kW count within the second since the last note
    assert site.station.plugged == []


def test_a_register_read_before_the_start_has_not_fallen(site):
    site.charge()
    site.pass_time(1000)
    told = site.energy()
    early = SimulatedStation((SimulatedEvse(),), clock=ManualClock(), listener=site.heard, state_dir=site.path)
    assert float(early.snapshot(1)["energy_wh"]) == told


def test_what_was_told_is_there_after_a_kill(site):
    site.charge()
    for _ in range(20):
        site.pass_time(0.37)
        told = site.energy()
    site.power_cut()
    assert site.energy() == told


def test_a_main_meter_does_not_fall_because_a_meter_behind_it_fails(new_site):
    site = new_site(SimulatedEvse(), SimulatedEvse(), main_meter=True)
    site.station.set_meter(1, {"energy_wh": 1000})
    site.station.set_meter(2, {"energy_wh": 200})
    site.power_cut()
    site.station._parts[1].meter.broken = True
    read = site.station.read_main_meter()
    assert "Energy.Active.Import.Register" not in {each.measurand for each in read.quantities}


def test_everything_is_there_again_after_a_power_cut_where_that_is_wanted(new_site):
    site = new_site(SimulatedEvse(bay_sensor=True), keep_on_restart=True)
    site.station.parking_bay(1, True)
    site.charge({"soc": 40, "battery_wh": 50000})
    site.station.fault(1, 1, "HighTemperature", active=True, info="80 C")
    site.station.set_meter(1, {"frozen": True})
    site.power_cut()
    assert site.station.plugged == [(1, 1)]
    assert site.station.snapshot(1)["soc"] == pytest.approx(40, abs=1)
    assert site.heard.faults == [("HighTemperature", True)]
    assert site.heard.of("bay") == [("bay", 1, True)]
    assert not site.station.evse(1).energy_flows


@pytest.mark.parametrize(
    "content", ["", "[", "[]", '{"1": 5}', '{"1": {"plugged": 9, "ev": {}}}', '{"1": {"faults": [[1]]}}']
)
def test_a_damaged_state_file_does_not_keep_the_station_from_starting(new_site, content):
    site = new_site(keep_on_restart=True)
    (site.path / "simulation.json").write_text(content)
    site.power_cut()
    assert site.station.snapshot(1)["pilot"] == "A"


def test_the_state_file_is_replaced_in_one_piece(new_site):
    site = new_site(keep_on_restart=True)
    site.station.plug(1, 1)
    (site.path / "simulation.tmp").write_text("half")
    site.power_cut()
    assert site.station.plugged == [(1, 1)]
    assert json.loads((site.path / "simulation.json").read_text())["1"]["plugged"] == 1


def test_a_state_that_the_disk_refused_is_written_when_it_takes_it(new_site):
    site = new_site(keep_on_restart=True)
    in_the_way = site.path / "simulation.tmp"
    in_the_way.mkdir()
    site.station.plug(1, 1)
    site.pass_time(60)
    assert json.loads((site.path / "simulation.json").read_text())["1"].get("plugged") is None
    in_the_way.rmdir()
    site.pass_time(10)
    site.power_cut()
    assert site.station.plugged == [(1, 1)]


def test_no_timer_runs_while_nothing_changes(new_site):
    site = new_site(keep_on_restart=True)
    site.pass_time(60)
    assert site.clock.next_timer is None
    site.charge()
    assert site.energy() > 0
    site.pass_time(60)
    assert site.clock.next_timer <= 1
    site.station.unplug(1, 1)
    site.pass_time(60)
    assert site.clock.next_timer is None
    site.station.stop()
    assert site.clock.next_timer is None


@pytest.mark.parametrize("kind", sorted(DANGEROUS_FAULTS))
def test_a_dangerous_fault_opens_the_contactor_at_once(site, kind):
    site.charge()
    site.station.fault(1, 0, kind, active=True)
    assert not site.station.evse(1).energy_flows
    site.station.fault(1, 0, kind, active=False)
    site.pass_time(10)
    assert not site.station.evse(1).energy_flows
    site.station.evse(1).allow_energy(16)
    site.pass_time(10)
    assert site.station.evse(1).energy_flows


def test_a_fault_of_the_station_is_one_of_every_evse(new_site):
    site = new_site(SimulatedEvse(), SimulatedEvse())
    site.charge(evse=1)
    site.charge(evse=2)
    site.station.fault(0, 0, "EmergencyStop", active=True)
    assert not site.station.evse(1).energy_flows
    assert not site.station.evse(2).energy_flows


def test_a_welded_contactor_is_found_and_reported(site):
    site.charge()
    site.station.fault(1, 1, "ContactorWelded", active=True)
    site.station.evse(1).stop_energy()
    site.pass_time(10)
    assert ("PowerSwitchFailure", True) in site.heard.faults


async def test_a_broken_lock_neither_locks_nor_unlocks(site):
    evse = site.station.evse(1)
    assert await evse.lock(1)
    site.station.fault(1, 1, "ConnectorLockFailure", active=True)
    assert not await evse.unlock(1)
    site.station.fault(1, 1, "ConnectorLockFailure", active=False)
    assert await evse.unlock(1)


def test_a_token_is_presented_once_to_those_it_serves(site):
    site.station.present("04A2", "ISO14443", (1,))
    site.pass_time()
    assert site.heard.of("token") == [("token", "04A2", "ISO14443", (1,))]


@pytest.mark.parametrize(
    ("call", "arguments", "error", "told"),
    [
        ("plug", (2, 1), LookupError, "no EVSE 2"),
        ("plug", (1, 2), LookupError, "no connector 2"),
        ("unplug", (1, 0), LookupError, "no connector 0"),
        ("plug", (1, 1, {"soc": 200}), ValueError, "soc"),
        ("change_ev", (1, {"state": "C"}), ValueError, "no EV is plugged in"),
        ("parking_bay", (1, True), ValueError, "no bay sensor"),
        ("present", ("",), ValueError, "1 to 255"),
        ("present", (5,), ValueError, "1 to 255"),
        ("present", ("x", "ISO14443", (7,)), LookupError, "no EVSE 7"),
        ("set_meter", (1, {"energy_wh": float("nan")}), ValueError, "energy_wh"),
        ("set_meter", (1, {"power_w": -1}), ValueError, "power_w"),
        ("set_meter", (1, {"frozen": 1}), ValueError, "frozen"),
        ("set_meter", (1, {"signed": "x"}), ValueError, "signed"),
        ("set_meter", (1, {"signed": {"start": 5}}), ValueError, "signed.start"),
        ("set_meter", (1, {"energy_wh": 5, "power_w": "x"}), ValueError, "power_w"),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(site, call, arguments, error, told):
    before = site.station.snapshot(1)
    with pytest.raises(error, match=told):
        getattr(site.station, call)(*arguments)
    site.pass_time()
    assert site.station.snapshot(1) == before
    assert site.heard.all == []


@pytest.mark.parametrize("values", [{"state": "A"}, {"fault": "flat tyre"}, {"wheels": 3}])
def test_what_an_ev_cannot_become_is_told(site, values):
    site.station.plug(1, 1)
    with pytest.raises(ValueError, match="EV"):
        site.station.change_ev(1, values)


class Life(RuleBasedStateMachine):
    """Anything may happen in any order; the contactor and the register keep their promises."""

    @initialize()
    def start(self):
        import tempfile
        from pathlib import Path

        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.station = SimulatedStation(
            (SimulatedEvse(),),
            clock=self.clock,
            listener=self,
            state_dir=Path(self.folder.name),
            options=SimulationOptions(),
        )
        self.station.start()
        self.allowed = False
        self.faults: set[str] = set()
        self.plugged_now = False
        self.flows = False
        self.last_energy = 0.0

    def teardown(self):
        if hasattr(self, "folder"):
            self.station.stop()
            self.folder.cleanup()

    # the listener
    def plugged(self, evse_id, connector_id):
        assert not self.plugged_now
        self.plugged_now = True

    def unplugged(self, evse_id, connector_id):
        assert self.plugged_now
        self.plugged_now = self.flows = False

    def ev_state(self, evse_id, *, requests_energy, energy_flows):
        self.flows = energy_flows

    def fault(self, evse_id, connector_id, kind, *, active, info, vendor_code):
        assert len(info) <= 50

    def token(self, value, token_type, evse_ids): ...

    def bay(self, evse_id, occupied): ...

    def tamper(self, evse_id, active, info): ...

    @rule(soc=st.integers(0, 100), current=st.sampled_from([6, 16, 32]))
    def plug(self, soc, current):
        self.station.plug(1, 1, {"soc": soc, "max_current_a": current, "battery_wh": 500})

    @rule()
    def unplug(self):
        self.station.unplug(1, 1)
        self.allowed = False

    @rule(limit=st.sampled_from([0.0, 6.0, 16.0, 32.0]))
    def allow(self, limit):
        self.station.evse(1).allow_energy(limit)
        self.allowed = limit >= 6

    @rule()
    def stop(self):
        self.station.evse(1).stop_energy()
        self.clock.tick(3.0)
        self.allowed = False
        assert not self.station.evse(1).energy_flows

    @precondition(lambda self: self.plugged_now)
    @rule(state=st.sampled_from(["B", "C", "D", "E", "F", None]))
    def ev(self, state):
        if self.station.plugged:
            self.station.change_ev(1, {"state": state})

    @rule(kind=st.sampled_from(sorted(DANGEROUS_FAULTS | {"HighTemperature", "ContactorStuck"})), active=st.booleans())
    def raise_fault(self, kind, active):
        self.station.fault(1, 0, kind, active=active)
        (self.faults.add if active else self.faults.discard)(kind)

    @rule(seconds=st.sampled_from([0.0, 0.3, 1.0, 10.0, 300.0]))
    def wait(self, seconds):
        self.clock.tick(seconds)

    @invariant()
    def the_contactor_is_closed_only_when_it_may_be(self):
        if not hasattr(self, "station"):
            return
        evse = self.station.evse(1)
        if evse.energy_flows:
            assert evse.pilot_state is PilotState.C
            assert not self.faults & DANGEROUS_FAULTS
            assert not evse.blocked_by

    @invariant()
    def the_register_never_runs_back(self):
        if not hasattr(self, "station"):
            return
        energy = float(self.station.snapshot(1)["energy_wh"])
        assert energy >= self.last_energy
        self.last_energy = energy

    @invariant()
    def reports_agree_with_what_is(self):
        if not hasattr(self, "station"):
            return
        self.clock.tick(0.0)
        assert self.plugged_now is self.station.evse(1).plugged
        assert self.flows is self.station.evse(1).energy_flows


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


def test_every_fault_that_can_be_simulated_comes_and_goes(site):
    for kind in sorted(FAULT_KINDS):
        site.station.fault(1, 1, kind, active=True)
        site.station.fault(1, 1, kind, active=False)
        site.pass_time(1)
    site.charge()
