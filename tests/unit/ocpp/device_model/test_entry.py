from decimal import Decimal

import pytest

from ocpp.device_model import DeviceModel
from ocpp.device_model.definition import DataType, Definition
from ocpp.errors import DeviceModelError


@pytest.fixture
def small():
    model = DeviceModel()
    model.define("A/Integer", Definition(data_type=DataType.INTEGER, default="5", low=0, high=10))
    model.define("A/Boolean", Definition(data_type=DataType.BOOLEAN, default="true"))
    model.define("A/Decimal", Definition(data_type=DataType.DECIMAL, default="1.50"))
    model.define("A/Text", Definition(default="x"))
    model.define("A/Members", Definition(data_type=DataType.MEMBER_LIST, default="A,B", values=("A", "B", "C")))
    return model


def test_handles_read_values_in_their_type(small):
    assert small.integer("A/Integer").value == 5
    assert small.boolean("A/Boolean").value is True
    assert small.decimal("A/Decimal").value == Decimal("1.50")
    assert small.text("A/Text").value == "x"
    assert small.members("A/Members").value == ("A", "B")


def test_handles_write_values_as_ocpp_does(small):
    small.integer("A/Integer").set(7)
    small.boolean("A/Boolean").set(False)
    small.decimal("A/Decimal").set(Decimal("2.250"))
    small.members("A/Members").set(("C", "A"))
    assert small.value("A/Integer") == "7"
    assert small.value("A/Boolean") == "false"
    assert small.value("A/Decimal") == "2.250"
    assert small.value("A/Members") == "C,A"


@pytest.mark.parametrize(
    ("kind", "empty"), [("integer", 0), ("boolean", False), ("decimal", Decimal(0)), ("text", ""), ("members", ())]
)
def test_what_was_never_set_has_the_zero_of_its_type(kind, empty):
    model = DeviceModel()
    model.define("A/V", Definition())
    assert getattr(model, kind)("A/V").value == empty


def test_a_handle_is_live(small):
    one, other = small.integer("A/Integer"), small.integer("A/Integer")
    one.set(9)
    assert other.value == 9


def test_listeners_hear_of_changes_in_the_type_of_their_handle_and_of_nothing_else(small):
    heard: list[int] = []
    handle = small.integer("A/Integer")
    handle.on_change(heard.append)
    handle.set(6)
    handle.set(6)
    small.set_inside(small.entry("A/Integer"), "7")
    assert heard == [6, 7]


def test_a_listener_finds_the_new_value_in_every_handle(small):
    first = small.integer("A/Integer")
    seen: list[tuple[int, int]] = []
    second = small.integer("A/Integer")
    first.on_change(lambda value: seen.append((first.value, second.value)))
    first.set(8)
    assert seen == [(8, 8)]


def test_a_value_that_does_not_fit_is_refused_and_nothing_changes(small):
    heard: list[int] = []
    handle = small.integer("A/Integer")
    handle.on_change(heard.append)
    with pytest.raises(DeviceModelError, match="above 10; allowed is an integer at least 0 and at most 10"):
        handle.set(11)
    assert (handle.value, small.value("A/Integer"), heard) == (5, "5", [])


def test_a_handle_on_nothing_is_refused_by_name(small):
    with pytest.raises(DeviceModelError, match="there is no variable A/Absent"):
        small.integer("A/Absent")


def test_a_handle_shows_what_it_is(small):
    assert repr(small.integer("A/Integer")) == "<A/Integer = 5>"


def test_a_measured_value_is_asked_for_when_it_is_read():
    model = DeviceModel()
    readings = iter(["1", "2"])
    entry = model.define("A/V", Definition(), getter=lambda: next(readings))
    assert (entry.value(), entry.value()) == ("1", "2")
