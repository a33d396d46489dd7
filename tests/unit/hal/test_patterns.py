from itertools import pairwise

import pytest

from hal.errors import DriverError
from hal.patterns import LIGHTS, SOUNDS, Player, light, sound
from ocpp.clock import ManualClock

RGB = ("red", "green", "blue")


class Stage:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.start = self.clock.monotonic()
        self.shown: list[tuple[float, float]] = []
        self.player = Player(self.clock, self._show)

    def _show(self, brightness: float) -> None:
        self.shown.append((round(self.clock.monotonic() - self.start, 3), round(brightness, 2)))


@pytest.fixture
def stage():
    return Stage()


def test_what_blinks_goes_on_and_off_until_something_else_is_played(stage):
    stage.player.play(LIGHTS["blink"])
    stage.clock.tick(1.2)
    assert stage.shown == [(0.0, 1.0), (0.5, 0.0), (1.0, 1.0)]
    stage.player.play(LIGHTS["steady"])
    stage.clock.tick(100.0)
    assert stage.shown[3:] == [(1.2, 1.0)]


def test_a_sound_ends(stage):
    stage.player.play(SOUNDS["beep-beep"])
    stage.clock.tick(100.0)
    assert stage.shown == [(0.0, 1.0), (0.1, 0.0), (0.2, 1.0), (0.3, 0.0)]


def test_breath_rises_and_falls_smoothly(stage):
    stage.player.play(LIGHTS["breathe"])
    stage.clock.tick(2.99)
    levels = [level for _, level in stage.shown]
    assert levels[0] == 0.0
    assert max(levels) == 1.0
    assert max(abs(a - b) for a, b in pairwise(levels)) < 0.15


def test_what_is_stopped_is_left_as_it_is(stage):
    stage.player.play(LIGHTS["blink"])
    stage.player.stop()
    stage.clock.tick(10.0)
    assert stage.shown == [(0.0, 1.0)]


@pytest.mark.parametrize(
    ("text", "leds", "lit", "effect"),
    [
        ("green", RGB, {"green"}, "steady"),
        ("yellow blink", RGB, {"red", "green"}, "blink"),
        ("yellow blink", ("red", "yellow"), {"yellow"}, "blink"),
        ("off", (), set(), "steady"),
    ],
)
def test_a_light_is_named_by_colour_and_effect(text, leds, lit, effect):
    found = light(text, leds)
    assert (found.leds, found.effect) == (lit, LIGHTS[effect])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("pink", "no colour 'pink'"),
        ("green wobble", "can be steady, blink"),
        ("yellow", "not there: green"),
        ("", "colour"),
    ],
)
def test_what_cannot_be_shown_is_an_error_that_says_why(text, word):
    with pytest.raises(DriverError, match=word):
        light(text, ("red",))


def test_an_unknown_sound_is_an_error():
    with pytest.raises(DriverError, match="known are silent, beep"):
        sound("moo")
