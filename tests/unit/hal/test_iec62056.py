"""Telegrams of IEC 62056-21: found, checked, read; whatever comes, nothing but the parser's own error."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.d0_meter import framed

from hal.iec62056 import MAX_TELEGRAM, D0Error, Readouts, acknowledge, identification, values

DATA = (
    b"F.F(00000000)\r\n0.9.1(143209)\r\n1-0:1.8.0*255(0012345.678*kWh)\r\n2.8.0(00000.5*kWh)\r\n1.7.0(011.250*kW)\r\n"
)
PUSHED = b"/ESY5Q3DA1004 V3.04\r\n\r\n1-0:1.8.0*255(0000034.5671*kWh)\r\n1-0:31.7.0*255(003.25*A)\r\n!\r\n"


def found(data: bytes, step: int = 0) -> list[bytes]:
    readouts = Readouts()
    pieces = [data[start : start + step] for start in range(0, len(data), step)] if step else [data]
    return [each for piece in pieces for each in readouts.feed(piece)]


def test_an_identification_names_maker_speed_and_meter():
    named = identification(b"/EMH5MT174\r\n")
    assert (named.maker, named.speed, named.name, named.baud) == ("EMH", "5", "MT174", 9600)
    assert identification(b"/ABCDx").baud is None


@pytest.mark.parametrize("line", [b"", b"EMH5MT174", b"/E\x005", b"/EMH5" + b"x" * 100])
def test_anything_else_is_no_identification(line):
    with pytest.raises(D0Error, match="no identification"):
        identification(line)


def test_an_acknowledgement_selects_the_readout_at_a_speed():
    assert acknowledge("5") == b"\x06050\r\n"


def test_a_readout_is_found_whatever_pieces_it_comes_in():
    for step in (0, 1, 7):
        assert found(b"noise" + framed(DATA) + framed(DATA), step) == [DATA + b"!\r\n"] * 2


def test_the_identification_may_stand_before_it():
    assert found(b"/EMH5MT174\r\n" + framed(DATA)) == [DATA + b"!\r\n"]


def test_a_pushed_telegram_has_no_checksum():
    for step in (0, 1, 7):
        assert len(found(PUSHED * 2, step)) == 2


def test_values_come_in_the_units_of_their_measurands():
    assert values(DATA)[-3:] == [
        ("1.8.0", Decimal("12345678.000"), "Wh"),
        ("2.8.0", Decimal("500.0"), "Wh"),
        ("1.7.0", Decimal("11250.000"), "W"),
    ]
    assert values(PUSHED)[0] == ("1.8.0", Decimal("34567.1000"), "Wh")


def test_what_has_another_unit_or_is_no_number_is_left_out():
    lines = b"1.8.0(12*m3)\r\n1.8.0(abc*kWh)\r\n1.8.0(1e9*kWh)\r\n1.7(5*kW)\r\n32.7.0(230.1*V)(12)\r\n"
    assert values(lines) == [("1.7.0", Decimal(5000), "W"), ("32.7.0", Decimal("230.1"), "V")]


def test_a_telegram_without_a_number_tells_nothing():
    with pytest.raises(D0Error, match="tells nothing"):
        values(b"/EMH5\r\n!\r\n")


@given(st.integers(1, len(framed(DATA)) - 1), st.integers(0, 6))
def test_a_readout_with_a_wrong_bit_is_not_used(place, bit):
    damaged = bytearray(framed(DATA))
    damaged[place] ^= 1 << bit
    assert DATA + b"!\r\n" not in found(bytes(damaged))
    assert found(bytes(damaged) + framed(DATA) * 2)[-1:] == [DATA + b"!\r\n"]


def test_a_telegram_that_was_cut_off_is_counted_and_the_next_one_read():
    readouts = Readouts()
    assert len(list(readouts.feed(PUSHED[:60] + b"\r\n" + PUSHED))) == 1
    assert readouts.damaged == 1


MARKS = st.sampled_from([b"/", b"!", b"\x02", b"\x03", b"\r\n", PUSHED])


@given(st.lists(st.one_of(st.binary(max_size=900), MARKS), max_size=40))
def test_noise_raises_nothing_and_is_not_kept(pieces):
    readouts = Readouts()
    for piece in pieces:
        for content in readouts.feed(piece):
            with contextlib.suppress(D0Error):
                values(content)
        assert len(readouts._buffer) <= MAX_TELEGRAM


def test_a_begin_without_an_end_is_given_up_when_it_is_too_long():
    readouts = Readouts()
    assert list(readouts.feed(b"/EMH" + b"x" * (2 * MAX_TELEGRAM))) == []
    assert len(list(readouts.feed(b"\r\n" + PUSHED))) == 1
    assert readouts.damaged >= 1


@given(st.one_of(st.binary(max_size=300), st.text("0123456789.()*-:kWh/!\r\n", max_size=300).map(str.encode)))
def test_any_bytes_are_values_or_the_parser_s_own_error(data):
    with contextlib.suppress(D0Error):
        values(data)
    with contextlib.suppress(D0Error):
        identification(data)
