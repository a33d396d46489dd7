"""`pilotwire hal` on an emulated wall box."""

import asyncio

import pytest
from support.wall_box import STATION, WallBox

from hal.boards import board
from hal.checkup import Checkup, Guide
from ocpp.clock import SystemClock
from ocpp.errors import ConfigurationError
from ocpp.station.configuration import load
from ocpp.station.hardware_tool import print_list, try_parts, watch_parts

UID = bytes.fromhex("04A2B3C4D5E6F7")


@pytest.fixture
def box(kernel, tmp_path):
    made = WallBox(kernel, tmp_path)
    yield made
    made.close()


@pytest.fixture
def configuration(box, tmp_path):
    path = tmp_path / "station.toml"
    path.write_text(STATION + box.parts)
    return load(path)


@pytest.fixture
def examine(box, configuration, monkeypatch):
    """Examine a part by its name, with somebody there who does what he is asked to."""
    monkeypatch.setattr("hal.checkup.PEOPLE_S", 3.0)

    async def run(name: str, *, helpful: bool = True, close_contactors: bool = False):
        def say(text: str) -> None:
            if not helpful:
                return
            if "hold a card" in text:
                box.reader.cards = [UID]
            elif "plug in" in text:
                box.line.state = "B"
            elif "emergency" in text:
                box.kernel.gpio.press(22, 1)
                asyncio.get_running_loop().call_later(0.6, box.kernel.gpio.press, 22, 0)

        guide = Guide(say, close_contactors=close_contactors)
        checkup = Checkup(board("linux"), SystemClock(), guide)
        return await checkup.examine(next(each for each in configuration.parts if each.name == name))

    return run


@pytest.mark.parametrize("name", ["CP", "K1", "M1", "S1", "reader"])
async def test_a_part_that_works_is_fine(box, examine, name):
    result = await examine(name)
    assert result.wrong == []
    assert result.measured


async def test_a_contactor_is_closed_only_where_that_is_asked_for(box, examine):
    result = await examine("K1")
    assert "--close-contactors" in result.skipped[0]
    assert 17 in box.kernel.gpio.set_at
    assert result.measured["operations"] == "0"
    result = await examine("K1", close_contactors=True)
    assert result.wrong == []
    assert result.measured["operations"] == "1"
    assert not box.coil


async def test_a_feedback_that_is_not_connected_is_found(box, examine):
    box.kernel.gpio.driven = lambda: None
    result = await examine("K1", close_contactors=True)
    assert any("does not follow" in each for each in result.wrong)
    assert not box.coil


async def test_a_contactor_that_is_welded_is_not_closed(box, examine):
    box.welded = True
    box.kernel.gpio.levels[27] = 1
    result = await examine("K1", close_contactors=True)
    assert "welded" in result.wrong[0]
    assert result.measured["operations"] == "0"


async def test_an_adc_that_does_not_answer_is_found(box, examine):
    del box.kernel.i2c.parts[0x48]
    result = await examine("CP")
    assert any("not sampled" in each or "does not answer" in each for each in result.wrong)


async def test_a_meter_that_does_not_answer_is_found(box, examine):
    box.serial.to_driver = lambda data: b""
    assert any("does not answer" in each for each in (await examine("M1")).wrong)


@pytest.mark.parametrize(
    ("name", "complaint"), [("reader", "no card"), ("S1", "did not change"), ("CP", "nobody plugged in")]
)
async def test_what_people_do_not_do_is_said(examine, name, complaint):
    assert any(complaint in each for each in (await examine(name, helpful=False)).wrong)


async def test_the_command_says_what_it_measured_and_what_is_wrong(box, configuration, capsys):
    """Without a terminal nobody is asked for anything."""
    assert await try_parts(configuration, [], close_contactors=False) == 0
    out = capsys.readouterr().out
    assert "1/5 CP (pilot)" in out
    assert "5 of 5 parts are fine" in out
    assert "not tried: reading a card" in out
    box.reader.absent = True
    assert await try_parts(configuration, ["reader"], close_contactors=False) == 1
    assert "WRONG" in capsys.readouterr().out
    with pytest.raises(ConfigurationError, match="no part 'K9'; known are CP, K1"):
        await try_parts(configuration, ["K9"], close_contactors=False)


async def test_values_are_watched(box, configuration, capsys):
    shown: list[str] = []
    assert await watch_parts(configuration, ["CP", "M1"], rounds=3, out=shown.append) == 0
    assert len(shown) == 3
    assert "state A" in shown[-1]
    assert "Energy" in shown[-1]


def test_parts_are_listed(configuration, capsys):
    assert print_list(configuration) == 0
    out = capsys.readouterr().out
    assert "any Linux board" in out
    assert "model = eastron-sdm630" in out
    assert print_list(None) == 0
    assert "raspberry-pi-5" in capsys.readouterr().out
