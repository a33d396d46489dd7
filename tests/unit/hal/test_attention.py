import pytest

from hal.attention import LOOK_S, Attention
from ocpp.clock import ManualClock


class Rig:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.told = []
        self.attention = Attention(lambda *what: self.told.append(what), self.clock)
        self.wrong = {"left": "", "right": ""}
        for name in self.wrong:
            self.attention.watch(1, "ReaderFailure", name, lambda now, name=name: self.wrong[name])

    def look(self) -> None:
        self.clock.tick(2 * LOOK_S)


@pytest.fixture
def rig():
    rig = Rig()
    rig.attention.start()
    return rig


def test_the_first_that_fails_is_told_once_and_the_end_when_all_work(rig):
    rig.look()
    assert rig.told == []
    rig.wrong["left"] = "unplugged"
    rig.look()
    rig.wrong["right"] = "silent"
    rig.look()
    assert rig.told == [(1, "ReaderFailure", "left: unplugged", True)]
    rig.wrong["left"] = ""
    rig.look()
    assert len(rig.told) == 1
    rig.wrong["right"] = ""
    rig.look()
    assert rig.told[1:] == [(1, "ReaderFailure", "", False)]


def test_evses_and_kinds_are_told_apart(rig):
    rig.attention.watch(0, "ReaderFailure", "station", lambda now: "gone")
    rig.attention.watch(1, "OtherError", "lamp", lambda now: "gone")
    rig.look()
    assert [each[:2] for each in rig.told] == [(0, "ReaderFailure"), (1, "OtherError")]


def test_what_cannot_be_looked_at_is_wrong(rig):
    rig.attention.watch(2, "ReaderFailure", "odd", lambda now: 1 / 0)
    rig.look()
    assert rig.told == [(2, "ReaderFailure", "odd: division by zero", True)]


def test_after_the_end_nothing_is_told(rig):
    rig.attention.stop()
    rig.wrong["left"] = "unplugged"
    rig.look()
    assert rig.told == []
