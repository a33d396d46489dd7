import logging

import pytest
from support.chips.hd44780 import Hd44780
from support.waiting import until

from hal.bench import Bench
from hal.boards import board
from hal.drivers import make
from hal.errors import DriverError
from ocpp.clock import ManualClock, SystemClock


class Rig:
    def __init__(self, kernel, **options) -> None:
        self.clock = ManualClock()
        self.chip = Hd44780(options.get("size", "20x4"))
        kernel.i2c.parts[options.get("address", 0x27)] = self.chip
        self.bench = Bench(board("linux"), self.clock, lambda work: work())
        self.display = make(self.bench, "display", "hd44780-i2c", options)

    def turns(self, count: int = 10, seconds: float = 0.05) -> None:
        for _ in range(count):
            self.clock.tick(seconds)
            self.display.step()

    @property
    def seen(self) -> list[str]:
        return [row.rstrip() for row in self.chip.rows]


@pytest.fixture
def new_rig(kernel):
    made = []

    def make_rig(**options):
        made.append(Rig(kernel, **options))
        return made[-1]

    yield make_rig
    for rig in made:
        rig.bench.close()


@pytest.fixture
def rig(new_rig):
    return new_rig()


def test_a_text_is_shown_in_lines_with_light(rig):
    rig.display.show(("Please present your card\n7,4 kW",))
    rig.turns()
    assert rig.seen == ["Please present your", "card", "7,4 kW", ""]
    assert rig.chip.backlight


@pytest.mark.parametrize("size", ["16x2", "16x4", "20x4"])
def test_every_size_has_its_rows_in_their_places(new_rig, size):
    rig = new_rig(size=size)
    rows = int(size[-1])
    rig.display.show(("\n".join(f"row {number}" for number in range(rows)),))
    rig.turns()
    assert rig.seen == [f"row {number}" for number in range(rows)]


def test_texts_are_shown_in_turn(rig):
    rig.display.show(("one", "two"))
    seen = []
    for _ in range(3):
        rig.turns(10)
        seen.append(rig.seen[0])
        rig.clock.tick(3.5)
    assert seen == ["one", "two", "one"]


def test_new_texts_come_at_once_and_none_is_blank(rig):
    rig.display.show(("one",))
    rig.turns()
    rig.display.show(("two",))
    rig.turns()
    assert rig.seen[0] == "two"
    rig.display.show(())
    rig.turns()
    assert rig.seen == [""] * 4


def test_characters_that_the_rom_does_not_have_are_replaced(rig):
    rig.display.show(("Käse ÖL 5 € ~ 21 °C 充",))
    rig.turns()
    assert rig.seen[:2] == ["Käse OL 5 EUR ? 21", "°C ?"]


def test_only_rows_that_change_are_written_and_one_a_turn(rig):
    rig.display.show(("one\ntwo\nthree",))
    rig.turns()
    rig.chip.transfers.clear()
    rig.turns()
    assert rig.chip.transfers == []
    rig.display.show(("one\n2\nthree",))
    rig.turns()
    assert rig.chip.transfers == [4 * 21]


def test_without_backlight_it_is_dark(new_rig):
    rig = new_rig(backlight=False)
    rig.display.show(("one",))
    rig.turns()
    assert rig.seen[0] == "one"
    assert not rig.chip.backlight


def test_a_display_that_is_not_there_is_told_once_and_used_when_it_comes(rig, caplog):
    rig.chip.absent = True
    with caplog.at_level(logging.INFO):
        rig.display.show(("one",))
        rig.turns(200)
        assert "0x27 does not answer" in rig.display.values()["state"]
        rig.chip.absent = False
        rig.turns(100)
    assert rig.seen[0] == "one"
    assert rig.display.values() == {"state": "works", "shows": "one |  |  | "}
    assert [each.levelname for each in caplog.records] == ["ERROR", "INFO"]


@pytest.mark.parametrize("fault", ["reset", "disturb"])
def test_a_display_that_lost_its_settings_or_its_step_is_right_again_within_a_minute(rig, fault):
    rig.display.show(("one",))
    rig.turns()
    getattr(rig.chip, fault)()
    rig.turns(5, 1.0)
    rig.display.show(("two",))
    rig.turns(130, 0.5)
    assert rig.seen == ["two", "", "", ""]


def test_it_works_in_the_thread_of_its_bus(kernel):
    chip = Hd44780()
    kernel.i2c.parts[0x27] = chip
    bench = Bench(board("linux"), SystemClock(), lambda work: work())
    display = make(bench, "display", "hd44780-i2c", {})
    display.start()
    bench.start()
    display.show(("Ready",))
    until(lambda: chip.rows[0].rstrip() == "Ready")
    bench.close()


def test_a_size_that_there_is_not_is_an_error(rig):
    with pytest.raises(DriverError, match="size"):
        make(rig.bench, "other", "hd44780-i2c", {"size": "40x9"})
