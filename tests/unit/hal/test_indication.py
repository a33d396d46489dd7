from types import SimpleNamespace

import pytest

from hal.indication import Indication, Indications
from ocpp.clock import ManualClock


@pytest.fixture
def evse():
    return SimpleNamespace(blocked_by=frozenset(), energy_flows=False, plugged=False, offered_a=0.0, available=True)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, "Available"),
        ({"available": False}, "Unavailable"),
        ({"plugged": True}, "Finished"),
        ({"plugged": True, "offered_a": 16.0}, "Suspended"),
        ({"plugged": True, "offered_a": 16.0, "energy_flows": True}, "Charging"),
        ({"blocked_by": frozenset({"GroundFailure"})}, "Faulted"),
    ],
)
def test_without_a_word_it_shows_what_the_evse_does(evse, facts, state):
    vars(evse).update(facts)
    assert Indication(evse).shown(0.0) == state


def test_a_momentary_state_is_shown_for_its_time(evse):
    indication = Indication(evse)
    indication.tell("Refused", 10.0)
    assert indication.shown(12.9) == "Refused"
    assert indication.shown(13.1) == "Available"


def test_to_plug_in_is_asked_for_until_a_cable_is_in(evse):
    indication = Indication(evse)
    indication.tell("PlugIn", 10.0)
    assert indication.shown(11.0) == "PlugIn"
    evse.plugged = True
    assert indication.shown(12.0) == "Finished"


def test_a_lasting_state_is_shown_until_another_is_told(evse):
    indication = Indication(evse)
    indication.tell("Suspended", 10.0)
    indication.tell("Refused", 20.0)
    assert indication.shown(21.0) == "Refused"
    assert indication.shown(500.0) == "Suspended"


def test_a_fault_is_shown_whatever_was_told(evse):
    indication = Indication(evse)
    indication.tell("Charging", 10.0)
    evse.blocked_by = frozenset({"EmergencyStop"})
    assert indication.shown(11.0) == "Faulted"


class Lamp:
    def __init__(self) -> None:
        self.shown: list[str] = []
        self.broken = False

    def indicate(self, state: str) -> None:
        if self.broken:
            raise OSError("no light")
        self.shown.append(state)


@pytest.fixture
def lamps():
    return [Lamp(), Lamp()]


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def indications(evse, lamps, clock):
    made = Indications({1: evse}, lambda number: lamps, clock)
    made.start()
    return made


def test_every_change_is_shown_once_by_every_indicator(evse, lamps, clock, indications):
    clock.tick(1.0)
    evse.plugged = True
    clock.tick(1.0)
    assert [lamp.shown for lamp in lamps] == [["Available", "Finished"]] * 2


def test_what_is_told_again_is_shown_again(lamps, clock, indications):
    indications.tell(1, "Refused")
    clock.tick(1.0)
    indications.tell(1, "Refused")
    clock.tick(10.0)
    assert lamps[0].shown == ["Available", "Refused", "Refused", "Available"]


def test_a_lamp_that_raises_does_not_keep_the_others_dark(lamps, clock, indications, caplog):
    lamps[0].broken = True
    indications.tell(1, "Refused")
    assert lamps[1].shown == ["Available", "Refused"]
    assert "no light" in caplog.text


def test_after_the_end_nothing_is_shown(evse, lamps, clock, indications):
    indications.stop()
    evse.plugged = True
    clock.tick(10.0)
    assert lamps[0].shown == ["Available"]
