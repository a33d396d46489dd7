"""The registry of drivers, those of third parties included."""

from importlib import metadata

import pytest

from hal import drivers
from hal.errors import DriverError
from hal.parts import Part, Role


class Lamp(Part):
    """What somebody else's distribution brings along."""

    role = Role.INDICATOR


class Point:
    """An entry point, without a distribution to install."""

    def __init__(self, name: str, loaded: object) -> None:
        self.name, self.value, self._loaded = name, f"theirs:{name}", loaded

    def load(self) -> object:
        return self._loaded


@pytest.fixture
def third_party(monkeypatch):
    points = [Point("their-lamp", Lamp), Point("their-mistake", dict)]

    def entry_points(*, group: str, name: str | None = None):
        assert group == "pilotwire.drivers"
        return [each for each in points if name in (None, each.name)]

    monkeypatch.setattr(metadata, "entry_points", entry_points)


def test_every_built_in_driver_can_be_loaded_and_has_a_role():
    for name in drivers.BUILT_IN:
        found = drivers.driver(name)
        assert issubclass(found, Part)
        assert isinstance(found.role, Role)
        assert (found.__doc__ or "").strip()


def test_an_unknown_driver_is_an_error_that_names_those_there_are():
    with pytest.raises(DriverError, match=r"no driver 'abacus'; known are .*gpio-contactor"):
        drivers.driver("abacus")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "missing required field `coil`"),
        ({"coil": 17}, "Expected `str`, got `int`"),
        ({"coil": "GPIO17", "pauses": 1}, "unknown field `pauses`"),
        ({"coil": "GPIO17", "pause_s": -1}, "`float` >= 0"),
    ],
)
def test_wrong_options_are_an_error_that_names_driver_and_option(options, complaint):
    with pytest.raises(DriverError, match=f"gpio-contactor: .*{complaint}"):
        drivers.options_of("gpio-contactor", options)


@pytest.mark.usefixtures("third_party")
def test_third_parties_add_drivers_by_entry_points():
    assert drivers.driver("their-lamp") is Lamp
    assert "their-lamp" in drivers.names()
    assert "pilot" in drivers.names()


@pytest.mark.usefixtures("third_party")
def test_what_a_third_party_brings_has_to_be_a_part():
    with pytest.raises(DriverError, match="theirs:their-mistake is no driver"):
        drivers.driver("their-mistake")
