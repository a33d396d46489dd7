"""The safety loop, one round at a time."""

import pytest

from hal.errors import ContactorBusy, ContactorError
from hal.safety import LOOP_DEADLINE_S, SafetyLoop


class Contactor:
    def __init__(self) -> None:
        self.closed = False
        self.fails = False

    def close(self) -> None:
        self.closed = True
        if self.fails:
            raise ContactorError("the coil is driven, and yet it fails")

    def open(self) -> None:
        if self.fails:
            raise ContactorError("the pin does not answer")
        self.closed = False


class Rig:
    def __init__(self) -> None:
        self.now = 0.0
        self.wrong = ""
        self.told: list[tuple[int, str, str, bool]] = []
        self.contactor = Contactor()
        self.loop = SafetyLoop(lambda *what: self.told.append(what), clock=lambda: self.now)
        self.guarded = self.loop.guard(1, self.contactor)
        self.loop.watch(1, "leakage", lambda now: self.wrong, "GroundFailure")

    def look(self) -> None:
        self.loop.beat()
        self.loop.look()


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_what_is_wrong_opens_at_the_next_look_and_is_told_once(rig):
    rig.guarded.close()
    assert rig.contactor.closed
    rig.wrong = "6 mA"
    rig.look()
    rig.look()
    assert not rig.contactor.closed
    assert rig.told == [(1, "GroundFailure", "6 mA", True)]
    rig.wrong = ""
    rig.look()
    assert rig.told[1:] == [(1, "GroundFailure", "", False)]


def test_while_something_is_wrong_it_stays_open(rig):
    rig.wrong = "6 mA"
    with pytest.raises(ContactorBusy, match="6 mA"):
        rig.guarded.close()
    assert not rig.contactor.closed


def test_what_cannot_be_looked_at_keeps_it_open(rig):
    rig.loop.watch(1, "broken", lambda now: 1 / 0)
    with pytest.raises(ContactorBusy, match="division"):
        rig.guarded.close()
    assert not rig.contactor.closed


def test_whoever_drives_it_learns_that_it_was_opened(rig):
    opened = []
    rig.loop.opened = opened.append
    rig.guarded.close()
    rig.look()
    assert opened == []
    rig.wrong = "6 mA"
    rig.look()
    rig.look()
    assert opened == [1]


def test_a_stuck_event_loop_opens(rig):
    rig.guarded.close()
    rig.now += LOOP_DEADLINE_S + 0.01
    rig.loop.look()
    assert not rig.contactor.closed
    assert rig.told[0][:2] == (1, "InternalError")


def test_a_check_that_raises_counts_as_wrong(rig):
    rig.guarded.close()
    rig.loop.watch(1, "broken", lambda now: 1 / 0)
    rig.look()
    assert not rig.contactor.closed


@pytest.mark.parametrize("command", ["open", "close"])
def test_a_command_that_fails_is_followed_up_until_the_contactor_is_open(rig, command):
    if command == "open":
        rig.guarded.close()
    rig.contactor.fails = True
    with pytest.raises(ContactorError):
        getattr(rig.guarded, command)()
    assert rig.contactor.closed
    rig.wrong = "6 mA"
    rig.look()
    assert rig.contactor.closed, "the pin still fails"
    rig.contactor.fails = False
    rig.look()
    assert not rig.contactor.closed


def test_the_watchdog_is_fed_only_while_the_event_loop_lives(rig):
    fed: list[float] = []
    rig.loop.feed = lambda: fed.append(rig.now)
    for _ in range(3):
        rig.now += 1.0
        rig.look()
    assert len(fed) == 3
    rig.now += LOOP_DEADLINE_S + 1.0
    rig.loop.look()
    assert len(fed) == 3


def test_a_contactor_in_its_pause_was_not_closed(rig):
    opened = []

    def busy() -> None:
        raise ContactorBusy("its pause is not over", 1.0)

    rig.contactor.close = busy
    rig.contactor.open = lambda: opened.append(rig.now)
    with pytest.raises(ContactorBusy):
        rig.guarded.close()
    rig.wrong = "6 mA"
    rig.look()
    assert opened == [], "there is nothing to open"


def test_closing_waits_for_what_holds_it_and_what_is_closed_stays_closed(rig):
    held = "a test"
    rig.loop.hold(1, lambda now: held)
    with pytest.raises(ContactorBusy, match="a test"):
        rig.guarded.close()
    assert not rig.contactor.closed
    held = ""
    rig.guarded.close()
    assert rig.loop.closed(1)
    held = "another test"
    rig.look()
    assert rig.contactor.closed
    rig.guarded.open()
    assert not rig.loop.closed(1)
