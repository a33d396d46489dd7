from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp.device_model.definition import MAX_VALUE_LENGTH, DataType, Definition, members
from ocpp.device_model.entry import to_decimal, to_integer

INTEGER = Definition(data_type=DataType.INTEGER)
SMALL = Definition(data_type=DataType.INTEGER, low=0, high=10)
DECIMAL = Definition(data_type=DataType.DECIMAL)
BOOLEAN = Definition(data_type=DataType.BOOLEAN)
DATE_TIME = Definition(data_type=DataType.DATE_TIME)
OPTION = Definition(data_type=DataType.OPTION_LIST, values=("LRU", "FIFO"))
MEMBERS = Definition(data_type=DataType.MEMBER_LIST, values=("A", "B", "C"))


@pytest.mark.req("B05.FR.07")
@pytest.mark.parametrize(
    ("definition", "value"),
    [
        (INTEGER, "0"),
        (INTEGER, "-5"),
        (INTEGER, "300"),
        (DECIMAL, "1.50"),
        (DECIMAL, "-3"),
        (DECIMAL, "1E3"),
        (BOOLEAN, "true"),
        (BOOLEAN, "FALSE"),
        (DATE_TIME, "2026-01-01T00:00:00Z"),
        (DATE_TIME, "2026-01-01T00:00:00.125+02:00"),
        (OPTION, "LRU"),
        (MEMBERS, "A,B"),
        (MEMBERS, "B"),
        (MEMBERS, ""),
        (MEMBERS, "A, C"),
        (Definition(), "any text at all"),
    ],
)
def test_a_value_of_the_right_form_is_good(definition, value):
    assert definition.defect(value) == ""


@pytest.mark.req("B05.FR.07")
@pytest.mark.parametrize(
    ("definition", "value", "defect"),
    [
        (INTEGER, "", "not an integer"),
        (INTEGER, "-", "not an integer"),
        (INTEGER, "5.0", "not an integer"),
        (INTEGER, "1e3", "not an integer"),
        (INTEGER, " 5", "not an integer"),
        (INTEGER, "five", "not an integer"),
        (INTEGER, "\u0665", "not an integer"),
        (INTEGER, "1_000", "not an integer"),
        (DECIMAL, "", "not a number"),
        (DECIMAL, "1,5", "not a number"),
        (DECIMAL, "NaN", "not a number"),
        (DECIMAL, "-Infinity", "not a number"),
        (BOOLEAN, "yes", "neither true nor false"),
        (BOOLEAN, "1", "neither true nor false"),
        (BOOLEAN, "", "neither true nor false"),
        (DATE_TIME, "yesterday", "not a date-time"),
        (DATE_TIME, "2026-01-01T00:00:00", "without time zone"),
        (OPTION, "lifo", "lifo is not allowed"),
        (OPTION, "LRU,FIFO", "is not allowed"),
        (MEMBERS, "A,D", "D is not allowed"),
        (MEMBERS, "A;B", "A;B is not allowed"),
    ],
)
def test_a_value_of_another_form_is_told_what_is_wrong_with_it(definition, value, defect):
    assert defect in definition.defect(value)


@pytest.mark.req("B05.FR.08")
@pytest.mark.parametrize(("value", "defect"), [("-1", "below 0"), ("11", "above 10"), ("0", ""), ("10", "")])
def test_the_limits_of_a_number_belong_to_its_range(value, defect):
    assert SMALL.defect(value) == defect


@pytest.mark.parametrize(("value", "good"), [("123", False), ("1234", True), ("12345678", True), ("123456789", False)])
def test_the_limits_of_a_text_are_its_length(value, good):
    assert (Definition(low=4, high=8).defect(value) == "") is good


def test_the_length_of_a_list_is_limited():
    definition = Definition(data_type=DataType.MEMBER_LIST, high=5)
    assert definition.defect("A,B,C") == ""
    assert "longer than 5" in definition.defect("A,B,C,")


@pytest.mark.parametrize("data_type", list(DataType))
def test_no_value_is_longer_than_what_a_message_transports(data_type):
    assert "longer than" in Definition(data_type=data_type).defect("1" * (MAX_VALUE_LENGTH + 1))


def test_a_rule_of_its_own_is_asked_after_the_type():
    definition = Definition(data_type=DataType.INTEGER, check=lambda value: "odd" if int(value) % 2 else "")
    assert definition.defect("x") == "not an integer"
    assert definition.defect("3") == "odd"
    assert definition.defect("4") == ""


def test_members_of_a_list_are_cut_at_commas_without_blanks_and_empty_ones():
    assert members(" A ,B,, C,") == ("A", "B", "C")
    assert members("") == ()


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (SMALL, "an integer at least 0 and at most 10"),
        (INTEGER, "an integer"),
        (DECIMAL, "a number"),
        (BOOLEAN, "true or false"),
        (DATE_TIME, "an RFC 3339 date-time"),
        (OPTION, "one of LRU, FIFO"),
        (MEMBERS, "a comma separated list of A, B, C"),
        (Definition(high=20), "a text of at most 20 characters"),
        (Definition(), "a text"),
    ],
)
def test_what_is_allowed_is_told_in_words(definition, words):
    assert definition.allowed == words


NUMBERS = st.text("0123456789+-_.eE \u0663", max_size=12)


@pytest.mark.parametrize("value", ["-+5", "-+0"])
def test_two_signs_are_a_defect_and_no_failure(value):
    assert INTEGER.defect(value) == "not an integer"
    assert SMALL.defect(value) == "not an integer"


@pytest.mark.parametrize("value", [" 5", "5\n", "1_000", "\u0665"])
def test_what_only_python_takes_for_a_number_is_none(value):
    assert DECIMAL.defect(value) == "not a number"


@pytest.mark.parametrize(
    "value",
    [
        "2026-W01-1T00:00:00Z",
        "20260101T000000Z",
        "2026-01-01 00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00+05:99",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00Z\n",
    ],
)
def test_a_date_time_is_one_of_rfc_3339(value):
    assert DATE_TIME.defect(value) == "not a date-time"


@given(st.integers(-(10**30), 10**30))
def test_every_written_integer_is_one(value):
    assert INTEGER.defect(str(value)) == ""
    assert to_integer(str(value)) == value


@given(NUMBERS.filter(lambda value: not value.startswith("-+")))
def test_every_integer_that_passes_can_be_read(value):
    if INTEGER.defect(value) == "":
        assert isinstance(to_integer(value), int)


@given(NUMBERS)
def test_every_number_that_passes_can_be_read(value):
    if DECIMAL.defect(value) == "":
        assert isinstance(to_decimal(value), Decimal)


@given(data_type=st.sampled_from(list(DataType)), value=st.text(max_size=30))
def test_no_text_makes_a_definition_fail(data_type, value):
    if not value.startswith("-+"):
        assert isinstance(Definition(data_type=data_type, values=("A",), low=0, high=5).defect(value), str)
