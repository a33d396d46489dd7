"""The station files of docs/hal/wiring.md: drivers, options and pins are right."""

import re
from pathlib import Path

import pytest

from hal.boards import board
from ocpp.station.configuration import load

EXAMPLES = Path(__file__).parents[3] / "docs/examples"
PIN = re.compile(r"GPIO\d+|P[89]_\d+")


def pins(value) -> list[str]:
    if isinstance(value, dict):
        return [pin for each in value.values() for pin in pins(each)]
    if isinstance(value, list):
        return [pin for each in value for pin in pins(each)]
    return [value] if isinstance(value, str) and PIN.fullmatch(value) else []


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("station-*.toml")), ids=lambda path: path.stem)
def test_an_example_of_real_hardware_is_right(path):
    configuration = load(path)
    assert len(configuration.parts) >= 8
    used = [pin for part in configuration.parts for pin in pins(part.options)]
    assert len(used) == len(set(used)) >= 8
    assert set(used) <= set(board(configuration.hardware["board"]).pins)


def test_there_is_one_for_each_kind_of_board():
    boards = {load(path).hardware["board"] for path in EXAMPLES.glob("station-*.toml")}
    assert {name.partition("-")[0] for name in boards} == {"raspberry", "beaglebone"}
