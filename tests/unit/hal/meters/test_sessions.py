"""What happens at an EVSE waits for the meter's signature, a while, in order."""

import pytest

from hal.meters.sessions import MAX_HELD, SIGN_S, SignedSessions
from ocpp.clock import ManualClock


class Signing:
    """A meter that signs when the test says so."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.done: list = []

    def begin_session(self, done):
        self.asked.append("begin")
        self.done.append(done)

    def end_energy(self, done):
        self.asked.append("end")
        self.done.append(done)

    def end_session(self):
        self.asked.append("unplugged")

    def sign(self) -> None:
        self.done.pop(0)()


class Heard:
    def __init__(self) -> None:
        self.all: list[str] = []

    def __getattr__(self, name):
        return lambda *args, **named: self.all.append(f"{name} {named['energy_flows']}" if name == "ev_state" else name)


class Rig:
    def __init__(self) -> None:
        self.clock, self.meter, self.heard = ManualClock(), Signing(), Heard()
        self.sessions = SignedSessions(self.heard, self.meter, self.clock)

    def flows(self, flows: bool) -> None:
        self.sessions.ev_state(1, requests_energy=flows, energy_flows=flows)


@pytest.fixture
def rig():
    return Rig()


def test_a_plug_is_told_when_the_begin_is_signed(rig):
    rig.sessions.plugged(1, 1)
    assert (rig.meter.asked, rig.heard.all) == (["begin"], [])
    rig.meter.sign()
    assert rig.heard.all == ["plugged"]


def test_what_comes_after_it_waits_too_and_keeps_its_order(rig):
    rig.sessions.plugged(1, 1)
    rig.flows(True)
    rig.flows(False)
    rig.sessions.unplugged(1, 1)
    rig.meter.sign()
    assert rig.heard.all == ["plugged", "ev_state True"]
    rig.meter.sign()
    assert rig.heard.all == ["plugged", "ev_state True", "ev_state False", "unplugged"]
    assert rig.meter.asked == ["begin", "unplugged", "end"]


def test_a_meter_that_does_not_sign_holds_nothing_up_for_long(rig):
    rig.sessions.plugged(1, 1)
    rig.clock.tick(SIGN_S + 0.1)
    assert rig.heard.all == ["plugged"]
    rig.meter.sign()
    assert rig.heard.all == ["plugged"]


def test_a_late_signature_does_not_count_for_the_next_one(rig):
    rig.sessions.plugged(1, 1)
    rig.clock.tick(SIGN_S + 0.1)
    rig.flows(True)
    rig.flows(False)
    rig.meter.sign()
    assert rig.heard.all == ["plugged", "ev_state True"]
    rig.meter.sign()
    assert rig.heard.all[-1] == "ev_state False"


def test_faults_tokens_and_the_bay_do_not_wait(rig):
    rig.sessions.plugged(1, 1)
    rig.sessions.fault(1, 1, "GroundFailure", active=True, info="", vendor_code="")
    rig.sessions.token("04A2", "ISO14443", (1,))
    rig.sessions.bay(1, True)
    assert rig.heard.all == ["fault", "token", "bay"]


def test_energy_that_never_flowed_is_not_signed(rig):
    rig.flows(False)
    assert (rig.meter.asked, rig.heard.all) == ([], ["ev_state False"])


def test_one_listener_that_raises_does_not_hold_up_what_comes_after(rig):
    rig.heard.plugged = lambda *_: 1 / 0
    rig.sessions.plugged(1, 1)
    rig.flows(True)
    with pytest.raises(ZeroDivisionError):
        rig.meter.sign()
    assert rig.heard.all == ["ev_state True"]


def test_a_cable_that_chatters_does_not_pile_up(rig, caplog):
    for _ in range(MAX_HELD):
        rig.sessions.plugged(1, 1)
    assert rig.heard.all == []
    rig.sessions.unplugged(1, 1)
    assert rig.heard.all == ["plugged"] * MAX_HELD + ["unplugged"]
    assert "more happens" in caplog.text
    rig.meter.sign()
    rig.flows(True)
    assert rig.heard.all[-1] == "ev_state True"
