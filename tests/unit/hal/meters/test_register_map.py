"""Register maps: what stands where, in how few requests, and which maps are refused."""

import math
import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.errors import DriverError, MeterError
from hal.interfaces import Quantity
from hal.meters import register_map
from hal.meters.register_map import Entry, RegisterMap, decimal_of

ENERGY = Entry(measurand="Energy.Active.Import.Register", address=0, type="uint32", scale=Decimal(10))


def made(*entries: Entry, **options) -> RegisterMap:
    return RegisterMap(title="t", document="d", entries=[ENERGY, *entries], **options)


def read(meter: RegisterMap, *registers: int) -> list[Quantity]:
    (block,) = meter.blocks()
    return list(meter.quantities(block, registers))


def voltage(address: int, kind: str = "uint16", phase: str = "L1-N", **options) -> Entry:
    return Entry(measurand="Voltage", address=address, type=kind, phase=phase, **options)


@pytest.mark.parametrize("name", register_map.names())
def test_every_map_that_comes_along_is_sound_and_names_its_document(name):
    meter = register_map.by_name(name)
    assert meter.title
    assert meter.document
    for block in meter.blocks():
        assert block.count <= meter.limit


def test_there_is_a_map_for_every_meter_that_the_issue_asks_for():
    assert {
        "abb-b21",
        "abb-b23",
        "bauer-bsm-ws36a",
        "carlo-gavazzi-em340",
        "eastron-sdm120",
        "eastron-sdm630",
        "eastron-sdm72d",
        "orno-we516",
    } <= set(register_map.names())


def test_a_register_is_scaled_into_the_unit_of_its_measurand_without_rounding():
    assert read(made(), 0x0001, 0x0002) == [Quantity(ENERGY.measurand, Decimal(655380), "Wh")]


def test_words_may_stand_with_the_low_one_first():
    assert read(made(word_order="low first"), 0x0002, 0x0001)[0].value == Decimal(655380)


def test_neighbours_come_in_one_request_and_gaps_are_read_over_only_where_the_meter_allows_it():
    near, far = voltage(2), voltage(5, phase="L2-N")
    assert [(each.address, each.count) for each in made(near, far).blocks()] == [(0, 3), (5, 1)]
    assert [(each.address, each.count) for each in made(near, far, gap=2).blocks()] == [(0, 6)]
    assert [(each.address, each.count) for each in made(near, far, gap=2, limit=4).blocks()] == [(0, 3), (5, 1)]


def test_input_and_holding_registers_are_not_read_together():
    blocks = made(voltage(2, function=4)).blocks()
    assert [(each.function, each.address) for each in blocks] == [(3, 0), (4, 2)]


@given(st.lists(st.integers(2, 400), unique=True, max_size=40), st.integers(2, 60), st.integers(0, 20))
def test_however_they_lie_every_entry_is_read_once_within_the_limit(addresses, limit, gap):
    kinds = ["Frequency", "Temperature", "Power.Factor", "Voltage", "Current.Import"]
    phases = [None, "L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N"]
    entries = [
        Entry(measurand=kinds[index % 5], phase=phases[index // 5], address=address, type="uint16")
        for index, address in enumerate(addresses)
    ]
    blocks = made(*entries, limit=limit, gap=gap).blocks()
    assert sorted(each.address for block in blocks for each in block.entries) == sorted([0, *addresses])
    for block in blocks:
        assert block.count <= limit
        for each in block.entries:
            assert block.address <= each.address
            assert each.address + each.length <= block.address + block.count


def test_a_signed_power_is_told_as_import_or_as_export():
    power = Entry(measurand="Power.Active.Import", address=2, type="int16", signed_direction=True)
    told = {each.measurand: each.value for each in read(made(power), 0, 0, 0xFFFF)[1:]}
    assert told == {"Power.Active.Import": 0, "Power.Active.Export": 1}
    told = {each.measurand: each.value for each in read(made(power), 0, 0, 7)[1:]}
    assert told == {"Power.Active.Import": 7, "Power.Active.Export": 0}


def test_a_value_at_the_end_of_its_range_is_absent_where_the_map_says_so():
    with_absent = made(voltage(2), voltage(3, "int16", "L2-N"), absent="highest")
    assert [each.measurand for each in read(with_absent, 0, 0, 0xFFFF, 0x7FFF)] == [ENERGY.measurand]
    assert read(made(voltage(2)), 0, 0, 0xFFFF)[1].value == 0xFFFF


def test_sunspec_marks_what_it_does_not_measure_with_the_lowest_value():
    meter = made(voltage(2, "int16"), absent="lowest")
    assert [each.measurand for each in read(meter, 0, 0, 0x8000)] == [ENERGY.measurand]
    assert read(meter, 0, 0, 0x8001 & 0x7FFF)[1].value == 1


def test_a_value_may_have_its_exponent_in_another_register_that_is_read_with_it():
    meter = made(voltage(3, "int16", exponent_address=6), voltage(4, "int16", "L2-N", exponent_address=6), gap=1)
    assert [(each.address, each.count) for each in meter.blocks()] == [(0, 7)]
    assert [each.value for each in read(meter, 0, 0, 0, 2305, 2312, 0, 0xFFFF)[1:]] == [
        Decimal("230.5"),
        Decimal("231.2"),
    ]
    assert made(voltage(3, exponent_address=2), limit=3).blocks()[1].address == 2


def test_an_exponent_that_makes_no_sense_is_an_error():
    with pytest.raises(MeterError, match="exponent of Voltage at 3 is -32768"):
        read(made(voltage(2, exponent_address=3)), 0, 0, 1, 0x8000)


def test_a_float_that_is_no_number_is_an_error_that_names_it():
    words = struct.unpack(">2H", struct.pack(">f", math.nan))
    with pytest.raises(MeterError, match="Voltage at 2 is nan"):
        read(made(voltage(2, "float32")), 0, 0, *words)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_of_32_bits_keeps_its_value_in_few_digits(value):
    found = decimal_of(value)
    assert struct.pack(">f", float(found)) == struct.pack(">f", value) or value == 0
    assert len(found.as_tuple().digits) <= 9


def test_a_tenth_is_a_tenth():
    assert decimal_of(struct.unpack(">f", struct.pack(">f", 0.1))[0]) == Decimal("0.1")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("", "missing required field"),
        ('title = "t"\ndocument = "d"\nentries = []', "length >= 1"),
        ("title = ", "Invalid value"),
        ("{energy}\nspeed = 3", "unknown field"),
        ('{head}\n[[entries]]\nmeasurand = "Voltage"\naddress = 0\ntype = "int16"', "is missing"),
        ('{energy}\n[[entries]]\nmeasurand = "Voltag"\naddress = 0\ntype = "int16"', "no measurand 'Voltag'"),
        ('{energy}\n[[entries]]\nmeasurand = "Voltage"\nphase = "L4"\naddress = 0\ntype = "int16"', "no phase 'L4'"),
        ('{energy}\n[[entries]]\nmeasurand = "Voltage"\naddress = 0\ntype = "int12"', "Invalid enum value 'int12'"),
        ('{energy}\n[[entries]]\nmeasurand = "Voltage"\naddress = 70000\ntype = "int16"', "<= 65535"),
        ('{energy}\n[[entries]]\nmeasurand = "Voltage"\naddress = 65535\ntype = "int32"', "does not fit"),
        (
            '{energy}\n[[entries]]\nmeasurand = "Voltage"\naddress = 1\ntype = "int16"\nsigned_direction = true',
            "no direction",
        ),
        ("{energy}\nscale = nan", "scale of .* must be"),
        ("{energy}\nscale = 1e999", "scale of .* must be"),
        ("{energy}\nscale = 0", "scale of .* must be"),
        ("{energy}\n{entry}", "told twice"),
    ],
)
def test_a_map_that_is_wrong_is_refused_with_what_is_wrong(change, complaint):
    head = 'title = "t"\ndocument = "d"'
    entry = '[[entries]]\nmeasurand = "Energy.Active.Import.Register"\naddress = 9\ntype = "uint32"'
    text = change.format(head=head, entry=entry, energy=f"{head}\n{entry}")
    with pytest.raises(DriverError, match=f"the map mine is wrong: .*{complaint}"):
        register_map.parse(text, "mine")


def test_a_map_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(DriverError, match=r"'sdm9000'.*eastron-sdm630"):
        register_map.by_name("sdm9000")


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(DriverError, match="cannot be read"):
        register_map.from_file(str(tmp_path / "none.toml"))
