import logging

import pytest
from support.chips.ssd1306 import Ssd1306

from hal.bench import Bench
from hal.boards import board
from hal.drivers import make
from ocpp.clock import ManualClock

LETTERS = [
    "#####...#",
    "..#....##",
    "..#.....#",
    "..#.....#",
    "..#.....#",
    "..#.....#",
    "..#....###",
]
"""T and 1, six dots from one to the next."""


class Rig:
    def __init__(self, kernel, **options) -> None:
        self.clock = ManualClock()
        self.chip = Ssd1306(2 if options.get("controller") == "sh1106" else 0)
        kernel.i2c.parts[0x3C] = self.chip
        self.bench = Bench(board("linux"), self.clock, lambda work: work())
        self.display = make(self.bench, "display", "ssd1306", options)

    def turns(self, count: int = 12, seconds: float = 0.05) -> None:
        for _ in range(count):
            self.clock.tick(seconds)
            self.display.step()

    def corner(self, x: int, y: int, scale: int = 1) -> list[str]:
        """The dots of the letters at a place; every dot of a large one is four."""
        rows = self.chip.dots[y : y + 7 * scale : scale]
        return [row[x : x + 10 * scale : scale].rstrip(".") for row in rows]


@pytest.fixture
def new_rig(kernel):
    made = []

    def make_rig(**options):
        made.append(Rig(kernel, **options))
        return made[-1]

    yield make_rig
    for rig in made:
        rig.bench.close()


@pytest.mark.parametrize("options", [{}, {"controller": "sh1106"}, {"height": 32}])
def test_a_text_is_shown_dot_by_dot(new_rig, options):
    rig = new_rig(**options)
    rig.display.show(("T1\n\n  T1",))
    rig.turns()
    assert len(rig.chip.dots) == options.get("height", 64)
    assert rig.corner(0, 0) == LETTERS
    assert rig.corner(0, 16) == LETTERS
    assert sum(row.count("#") for row in rig.chip.dots) == 2 * sum(row.count("#") for row in LETTERS)


def test_large_letters_are_twice_as_large(new_rig):
    rig = new_rig(scale=2)
    rig.display.show(("T1\nT1",))
    rig.turns()
    assert rig.corner(0, 0, 2) == rig.corner(1, 1, 2) == LETTERS
    assert rig.corner(0, 16, 2) == LETTERS
    assert rig.display.values()["shows"] == "T1 | T1 |  | "


def test_nobody_sees_the_noise_of_its_memory(new_rig):
    rig = new_rig()
    rig.turns(5)
    assert rig.chip.dots == []
    rig.turns()
    assert set("".join(rig.chip.dots)) == {"."}


def test_it_can_be_mounted_upside_down(new_rig):
    rig = new_rig(rotated=True)
    rig.turns()
    assert rig.chip.flips == {0xA0, 0xC0}


def test_characters_that_the_font_does_not_have_are_replaced(new_rig):
    rig = new_rig()
    rig.display.show(("5 € Çà 充",))
    assert rig.display.values()["shows"].startswith("5 € Cà ?")
    rig.turns()
    assert rig.chip.dots


def test_a_display_that_fails_is_told_once_and_right_again_when_it_answers(new_rig, caplog):
    rig = new_rig()
    rig.display.show(("T1",))
    rig.turns()
    with caplog.at_level(logging.INFO):
        rig.chip.absent = True
        rig.display.show(("T",))
        rig.turns(100)
        assert "0x3c does not answer" in rig.display.values()["state"]
        rig.chip.absent = False
        rig.chip.reset()
        rig.display.show(("T1",))
        rig.turns(100)
    assert rig.corner(0, 0) == LETTERS
    assert [each.levelname for each in caplog.records] == ["ERROR", "INFO"]


def test_a_display_that_lost_its_settings_is_right_again_within_a_minute(new_rig):
    rig = new_rig()
    rig.display.show(("T1",))
    rig.turns()
    rig.chip.reset()
    rig.turns(130, 0.5)
    assert rig.corner(0, 0) == LETTERS
