import pytest

from hal.errors import MeterError
from hal.evse import FEEDBACK_S
from hal.iec61851 import STOP_REACTION_S


def test_energy_flows_once_it_is_allowed_and_the_ev_asks_for_it(rig):
    rig.show("B")
    rig.evse.allow_energy(16)
    assert rig.pilot.offered == 16
    assert not rig.contactor.conducts
    rig.show("C")
    rig.pass_time()
    assert rig.contactor.conducts
    assert rig.heard.all == [("plugged", 1, 1), ("ev", 1, True, True)]


def test_an_ev_that_asks_before_it_is_allowed_gets_energy_when_it_is(rig):
    rig.show("C")
    assert not rig.contactor.conducts
    rig.evse.allow_energy(6)
    assert rig.contactor.conducts


def test_less_than_six_amperes_is_a_pause(rig):
    rig.charge()
    rig.evse.allow_energy(5.9)
    assert rig.pilot.offered is None
    rig.show("B")
    assert not rig.contactor.conducts


def test_after_a_stop_the_ev_may_let_go_by_itself_for_three_seconds(rig):
    rig.charge()
    rig.evse.stop_energy()
    rig.pass_time(STOP_REACTION_S - 0.1)
    assert rig.contactor.conducts
    rig.pass_time(0.1)
    assert not rig.contactor.conducts


def test_a_ventilated_place_serves_state_d(new_rig):
    rig = new_rig(ventilated=True)
    rig.show("D")
    rig.evse.allow_energy(16)
    assert rig.contactor.conducts


def test_a_place_without_ventilation_does_not_serve_state_d(rig):
    rig.show("D")
    rig.evse.allow_energy(16)
    assert not rig.contactor.conducts


# -- faults block ---------------------------------------------------------------------------------------------------


def test_a_blocking_fault_opens_the_contactor_under_load(rig):
    rig.charge()
    rig.evse.block("GroundFailure")
    assert not rig.contactor.conducts
    assert rig.pilot.offered is None
    assert rig.evse.blocked_by == {"GroundFailure"}


def test_nothing_is_offered_while_a_fault_is_active(rig):
    rig.charge()
    rig.evse.block("GroundFailure")
    rig.evse.allow_energy(16)
    rig.show("B")
    rig.show("C")
    rig.pass_time(60)
    assert not rig.contactor.conducts
    assert rig.pilot.offered is None
    assert rig.evse.offered_a == 0


def test_every_one_of_several_faults_blocks(rig):
    rig.show("C")
    rig.evse.block("GroundFailure")
    rig.evse.block("EmergencyStop")
    rig.evse.unblock("GroundFailure")
    rig.evse.allow_energy(16)
    assert not rig.contactor.conducts
    rig.evse.unblock("EmergencyStop")
    rig.evse.allow_energy(16)
    assert rig.contactor.conducts


def test_energy_has_to_be_allowed_anew_after_a_fault(rig):
    rig.charge()
    rig.evse.block("GroundFailure")
    rig.evse.allow_energy(16)
    rig.evse.unblock("GroundFailure")
    rig.pass_time(60)
    assert not rig.contactor.conducts
    rig.evse.allow_energy(16)
    assert rig.contactor.conducts


def test_unplugging_does_not_clear_a_fault_that_others_have_found(rig):
    rig.charge()
    rig.evse.block("GroundFailure")
    rig.show("A")
    rig.show("C")
    rig.evse.allow_energy(16)
    assert not rig.contactor.conducts


# -- contactor ------------------------------------------------------------------------------------------------------


def test_a_contactor_that_does_not_close_is_a_fault_and_not_tried_again(rig):
    rig.contactor.fails_to = {"close"}
    rig.show("C")
    rig.evse.allow_energy(16)
    rig.contactor.fails_to = set()
    rig.evse.allow_energy(16)
    rig.show("B")
    rig.show("C")
    rig.pass_time(60)
    assert not rig.contactor.conducts
    assert rig.pilot.offered is None
    assert rig.heard.faults == [("PowerSwitchFailure", True)]


def test_the_next_unplug_clears_a_contactor_that_works_again(rig):
    rig.contactor.fails_to = {"close"}
    rig.show("C")
    rig.evse.allow_energy(16)
    rig.contactor.fails_to = set()
    rig.show("A")
    rig.pass_time(1)
    assert rig.heard.faults == [("PowerSwitchFailure", True), ("PowerSwitchFailure", False)]
    rig.charge()


def test_unblocking_clears_a_contactor_that_works_again(rig):
    rig.contactor.fails_to = {"close"}
    rig.show("C")
    rig.evse.allow_energy(16)
    rig.contactor.fails_to = set()
    rig.pass_time(1)
    rig.evse.unblock("PowerSwitchFailure")
    rig.evse.allow_energy(16)
    assert rig.contactor.conducts


@pytest.mark.parametrize(
    "command",
    [
        lambda evse: evse.cut(),
        lambda evse: evse.block("EmergencyStop"),
        lambda evse: evse.set_available(False),
        lambda evse: evse.stop_energy(),
        lambda evse: evse.shut_down(),
    ],
)
def test_no_command_raises_when_the_contactor_does_not_open(rig, command):
    rig.charge()
    rig.contactor.fails_to = {"open"}
    command(rig.evse)
    rig.pass_time(60)
    assert rig.pilot.offered is None
    assert not rig.evse.energy_flows


def test_a_contactor_that_does_not_open_is_reported_once(rig):
    rig.charge()
    rig.contactor.fails_to = {"open"}
    rig.show("B")
    rig.pass_time(60)
    rig.evse.cut()
    rig.pass_time(60)
    assert rig.heard.faults == [("PowerSwitchFailure", True)]
    assert rig.pilot.offered is None


def test_a_contactor_that_fails_both_ways_does_not_reach_the_caller(rig):
    rig.contactor.fails_to = {"close", "open", "tell"}
    rig.show("C")
    rig.evse.allow_energy(16)
    rig.pass_time(60)
    rig.show("A")
    rig.pass_time(60)
    assert rig.heard.faults == [("PowerSwitchFailure", True)]
    assert rig.clock.next_timer is None


def test_a_welded_contactor_is_a_fault_that_stays(rig):
    rig.charge()
    rig.contactor.welded = True
    rig.evse.stop_energy()
    rig.show("B")
    rig.pass_time(FEEDBACK_S)
    assert rig.heard.of("fault") == [
        ("fault", 1, 0, "PowerSwitchFailure", True, "welded: still closed after opening"),
    ]
    rig.evse.allow_energy(16)
    assert rig.pilot.offered is None
    rig.show("A")
    rig.pass_time(60)
    rig.show("B")
    rig.evse.allow_energy(16)
    assert rig.pilot.offered is None
    assert rig.heard.faults == [("PowerSwitchFailure", True)]


def test_clearing_a_contactor_that_is_still_welded_reports_it_again(rig):
    rig.charge()
    rig.contactor.welded = True
    rig.show("B")
    rig.pass_time(1)
    rig.evse.unblock("PowerSwitchFailure")
    rig.pass_time(1)
    assert rig.heard.faults == [("PowerSwitchFailure", True)] * 2
    rig.contactor.welded = False
    rig.evse.unblock("PowerSwitchFailure")
    rig.pass_time(1)
    assert rig.heard.faults[-1] == ("PowerSwitchFailure", False)
    rig.evse.allow_energy(16)
    rig.show("C")
    assert rig.contactor.conducts


def test_a_contactor_that_is_closed_before_it_was_told_to_is_not_used(rig):
    rig.contactor.conducts = rig.contactor.welded = True
    rig.show("C")
    rig.evse.allow_energy(16)
    rig.pass_time(1)
    assert rig.pilot.offered is None
    assert not rig.evse.energy_flows
    assert rig.heard.faults == [("PowerSwitchFailure", True)]


def test_a_contactor_that_silently_does_not_close_is_a_fault(rig):
    rig.contactor.close = lambda: None
    rig.show("C")
    rig.evse.allow_energy(16)
    rig.pass_time(1)
    assert rig.heard.of("fault") == [("fault", 1, 0, "PowerSwitchFailure", True, "did not close")]
    assert not rig.evse.energy_flows


def test_a_slow_feedback_contact_is_no_fault(rig):
    told = [False]
    for name, closed in (("open", False), ("close", True)):
        setattr(rig.contactor, name, lambda closed=closed: told.append(closed))
    move = lambda: setattr(rig.contactor, "conducts", told[-1])  # noqa: E731
    rig.show("B")
    rig.evse.allow_energy(16)
    for state, wait in (("C", 0.1), ("B", 0.05), ("C", 0.1), ("A", 0.1)):
        rig.show(state)
        rig.pass_time(wait)
        move()
        rig.pass_time(0.05)
    assert told[-4:] == [True, False, True, False]
    rig.pass_time(1)
    assert rig.heard.faults == []


def test_a_pilot_driver_that_fails_opens_the_contactor_and_keeps_it_open(rig):
    rig.charge()
    rig.pilot.breaks = True
    rig.evse.allow_energy(10)
    assert not rig.contactor.conducts
    rig.pilot.breaks = False
    rig.evse.allow_energy(10)
    rig.pass_time(1)
    assert not rig.contactor.conducts
    assert rig.heard.faults == [("InternalError", True)]
    rig.show("A")
    rig.charge()


# -- connection -----------------------------------------------------------------------------------------------------


def test_the_offer_does_not_survive_an_unplug(rig):
    rig.charge()
    rig.show("A")
    assert rig.pilot.offered is None
    rig.show("B")
    rig.show("C")
    rig.pass_time(1)
    assert rig.evse.offered_a == 0
    assert not rig.contactor.conducts


def test_energy_allowed_too_late_does_not_wait_for_the_next_ev(rig):
    rig.charge()
    rig.show("A")
    rig.evse.allow_energy(16)
    rig.show("C")
    assert not rig.contactor.conducts


@pytest.mark.parametrize("state", ["E", "F"])
def test_a_faulty_line_opens_and_does_not_unplug(rig, state):
    rig.charge()
    rig.show(state)
    rig.pass_time(1)
    assert not rig.contactor.conducts
    assert rig.pilot.offered is None
    assert rig.evse.plugged
    assert rig.heard.of("unplugged") == []
    assert rig.heard.faults == [("EVCommunicationError", True)]


def test_a_line_that_is_sound_again_clears_the_fault_and_energy_is_allowed_anew(rig):
    rig.charge()
    rig.show("E")
    rig.show("C")
    rig.pass_time(1)
    assert not rig.contactor.conducts
    assert rig.heard.faults == [("EVCommunicationError", True), ("EVCommunicationError", False)]
    rig.evse.allow_energy(16)
    assert rig.contactor.conducts
    assert rig.heard.of("plugged") == [("plugged", 1, 1)]


def test_an_unplug_from_a_faulty_line_is_one_and_clears_the_fault(rig):
    rig.show("B", connector_id=2)
    rig.show("E", connector_id=2)
    rig.show("A", connector_id=2)
    rig.pass_time(1)
    assert rig.heard.all == [
        ("plugged", 1, 2),
        ("fault", 1, 2, "EVCommunicationError", True, "control pilot in state E"),
        ("unplugged", 1, 2),
        ("fault", 1, 2, "EVCommunicationError", False, ""),
    ]


# -- availability ---------------------------------------------------------------------------------------------------


def test_out_of_service_the_line_shows_f_and_nothing_is_plugged(rig):
    rig.evse.set_available(False)
    rig.pass_time(1)
    assert rig.pilot.failed
    assert rig.evse.pilot_state == "F"
    assert rig.heard.all == []
    rig.evse.set_available(True)
    assert not rig.pilot.failed


def test_the_line_shows_f_once_the_ev_that_was_there_has_gone(rig):
    rig.charge()
    rig.evse.set_available(False)
    assert not rig.pilot.failed
    assert rig.pilot.offered is None
    rig.show("A")
    assert rig.pilot.failed
    rig.pass_time(1)
    assert rig.heard.faults == []


def test_back_in_service_an_ev_that_stayed_goes_on(rig):
    rig.show("B")
    rig.evse.set_available(False)
    rig.evse.allow_energy(16)
    assert rig.pilot.offered is None
    rig.evse.set_available(True)
    assert rig.pilot.offered == 16


# -- timers ---------------------------------------------------------------------------------------------------------


def test_a_cut_leaves_no_deadline_behind(rig):
    rig.charge()
    rig.evse.stop_energy()
    rig.evse.cut()
    rig.pass_time(FEEDBACK_S)
    assert rig.clock.next_timer is None


def test_after_the_end_nothing_is_reported_and_no_timer_runs(rig):
    rig.charge()
    heard = list(rig.heard.all)
    rig.evse.shut_down()
    assert rig.clock.next_timer is None
    rig.show("A")
    rig.pass_time(60)
    assert rig.heard.all == heard


# -- meter ----------------------------------------------------------------------------------------------------------


def test_a_meter_that_fails_is_reported_once_and_taken_back_when_it_answers(rig):
    good = rig.evse.read_meter()
    rig.meter.error = MeterError("no answer")
    assert [rig.evse.read_meter() for _ in range(5)] == [good] * 5
    rig.meter.error = None
    for _ in range(5):
        rig.evse.read_meter()
    rig.pass_time()
    assert rig.heard.faults == [("PowerMeterFailure", True), ("PowerMeterFailure", False)]


def test_a_meter_driver_that_raises_anything_is_a_meter_that_fails(rig):
    rig.meter.error = OSError("bus gone")
    rig.evse.read_meter()
    rig.pass_time()
    assert rig.heard.of("fault") == [("fault", 1, 0, "PowerMeterFailure", True, "bus gone")]


def test_what_the_parts_on_the_way_carry_bounds_the_offer(rig):
    rig.most_a = 20.0
    rig.charge(32.0)
    assert rig.pilot.offered == 20.0
    for most, offered in ((0.0, None), (63.0, 32.0)):
        rig.most_a = most
        rig.evse.carries_changed()
        assert rig.pilot.offered == offered
    assert rig.heard.faults == []


def test_a_contactor_in_its_pause_is_closed_when_that_is_over(rig):
    rig.charge()
    rig.show("B")
    rig.contactor.busy_s = 2.0
    rig.show("C")
    assert not rig.evse.energy_flows
    rig.pass_time(1.9)
    assert not rig.contactor.conducts
    rig.contactor.busy_s = 0.0
    rig.pass_time(0.2)
    assert rig.contactor.conducts
    assert rig.evse.energy_flows
    assert rig.heard.faults == []


@pytest.mark.parametrize("change", ["show B", "show A", "stop", "cut", "block"])
def test_when_the_pause_is_over_it_stays_open_if_nobody_wants_energy_any_more(rig, change):
    rig.charge()
    rig.show("B")
    rig.contactor.busy_s = 2.0
    rig.show("C")
    if change == "stop":
        rig.evse.stop_energy()
    elif change == "cut":
        rig.evse.cut()
    elif change == "block":
        rig.evse.block("GroundFailure")
    else:
        rig.show(change[-1])
    rig.contactor.busy_s = 0.0
    rig.pass_time(10.0)
    assert not rig.contactor.conducts


def test_a_pause_that_lasts_longer_than_it_said_is_waited_for_again(rig):
    rig.charge()
    rig.show("B")
    rig.contactor.busy_s = 1.0
    rig.show("C")
    rig.pass_time(1.0)
    rig.pass_time(1.0)
    rig.contactor.busy_s = 0.0
    rig.pass_time(1.0)
    assert rig.contactor.conducts


def test_who_finds_a_fault_is_told_whether_it_is_news(rig):
    assert rig.evse.block("GroundFailure")
    assert not rig.evse.block("GroundFailure")
    assert rig.evse.unblock("GroundFailure")


def test_a_weld_that_was_reported_here_is_not_reported_by_who_finds_it_as_well(rig):
    rig.charge()
    rig.contactor.welded = True
    rig.show("B")
    rig.pass_time(1.0)
    assert not rig.evse.block("PowerSwitchFailure")
    rig.contactor.welded = False
    rig.contactor.open()
    assert not rig.evse.unblock("PowerSwitchFailure")
    rig.pass_time(1.0)
    assert rig.heard.faults == [("PowerSwitchFailure", True), ("PowerSwitchFailure", False)]


# -- one phase or three -----------------------------------------------------------------------------------------------


@pytest.fixture
def switching(new_rig):
    return new_rig(switches_phases=True)


def test_phases_are_switched_while_the_ev_is_paused(switching):
    switching.charge()
    switching.evse.allow_energy(16, 1)
    assert switching.pilot.offered is None
    assert switching.phases.phases == 3
    switching.show("B")
    assert switching.phases.phases == 1
    switching.pass_time(4.9)
    assert switching.pilot.offered is None
    switching.pass_time(0.2)
    assert switching.pilot.offered == 16
    switching.show("C")
    assert switching.contactor.conducts


def test_an_ev_that_does_not_let_go_is_cut_off_before_phases_are_switched(switching):
    switching.charge()
    switching.evse.allow_energy(16, 1)
    switching.pass_time(3.1)
    assert not switching.contactor.conducts
    assert switching.phases.phases == 1
    switching.pass_time(5.1)
    assert switching.contactor.conducts
    assert switching.heard.faults == []


def test_before_anything_flows_phases_are_switched_at_once(switching):
    switching.show("B")
    switching.evse.allow_energy(16, 1)
    assert switching.phases.phases == 1
    switching.pass_time(5.1)
    assert switching.pilot.offered == 16


def test_the_same_number_of_phases_pauses_nobody(switching):
    switching.charge()
    switching.evse.allow_energy(10, 3)
    assert switching.pilot.offered == 10
    switching.evse.allow_energy(8, 2)
    assert switching.pilot.offered == 8


def test_energy_that_was_stopped_meanwhile_is_not_offered_after_the_pause(switching):
    switching.charge()
    switching.evse.allow_energy(16, 1)
    switching.show("B")
    switching.evse.stop_energy()
    switching.pass_time(10)
    assert switching.pilot.offered is None


def test_where_phases_cannot_be_switched_their_number_does_not_matter(rig):
    rig.charge()
    rig.evse.allow_energy(10, 1)
    assert rig.pilot.offered == 10


def test_a_contactor_that_somebody_else_opened_is_closed_again_while_energy_is_wanted(rig):
    rig.charge()
    rig.contactor.open()
    rig.contactor.busy_s = 0.1
    rig.evse.was_opened()
    assert not rig.evse.energy_flows
    rig.contactor.busy_s = 0.0
    rig.pass_time(0.2)
    assert rig.contactor.conducts
    assert rig.heard.of("ev")[-2:] == [("ev", 1, True, False), ("ev", 1, True, True)]


def test_a_contactor_that_somebody_else_opened_for_a_fault_stays_open(rig):
    rig.charge()
    rig.contactor.open()
    rig.contactor.busy_s = 0.1
    rig.evse.was_opened()
    rig.evse.block("GroundFailure")
    rig.contactor.busy_s = 0.0
    rig.pass_time(5)
    assert not rig.contactor.conducts
    assert rig.heard.faults == []
