"""SML telegrams: found in a stream, checked, read; whatever comes, nothing but the parser's own error."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sml_meter import content, encoded, entry, telegram

from hal.sml import ESCAPE, MAX_TELEGRAM, SmlError, Telegrams, Value, crc16, crc16_x25, values

ENERGY = entry("1.8.0", 123_456_789)
SMALL = content(ENERGY, entry("16.7.0", -250, unit=27, scaler=0))


def found(data: bytes, step: int = 0) -> list[bytes]:
    telegrams = Telegrams()
    pieces = [data[start : start + step] for start in range(0, len(data), step)] if step else [data]
    return [each for piece in pieces for each in telegrams.feed(piece)]


def test_the_checksums_are_those_of_the_catalogue():
    assert crc16_x25(b"123456789") == 0x906E
    assert crc16(b"123456789", 0) == 0x2189  # kermit


def test_a_telegram_is_read_whatever_pieces_it_comes_in():
    for step in (0, 1, 7, 64):
        assert found(b"\x1b\x1b noise" + telegram(SMALL) + telegram(SMALL), step) == [SMALL, SMALL]


def test_the_values_have_their_codes_scalers_and_units():
    assert values(SMALL) == [
        Value(bytes([1, 0, 1, 8, 0, 255]), 123_456_789, -1, 30),
        Value(bytes([1, 0, 16, 7, 0, 255]), -250, 0, 27),
    ]
    assert [each.code for each in values(SMALL)] == ["1.8.0", "16.7.0"]


def test_texts_and_times_among_the_values_are_left_out():
    told = values(content(entry("96.1.0", b"serial", unit=None, scaler=None), ENERGY, entry("96.5.5", True)))
    assert [each.code for each in told] == ["1.8.0"]


def test_a_text_longer_than_fifteen_bytes_and_a_long_list_are_read():
    entries = [entry("96.1.0", b"x" * 40, unit=None), *(entry(f"1.8.{index}", index) for index in range(40))]
    assert len(values(content(*entries))) == 40


def test_an_escape_in_the_content_is_no_end():
    inner = content(entry("96.1.0", ESCAPE + b"\x1a\x1b" + ESCAPE * 2, unit=None), ENERGY)
    assert found(telegram(inner), 5) == [inner]


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_content_comes_out_as_it_went_in(inner, step):
    inner += b"\x00"  # as every message ends
    assert found(telegram(inner), step) == [inner]


@given(st.integers(0, len(telegram(SMALL)) - 1), st.integers(1, 255))
def test_a_telegram_with_a_wrong_byte_is_not_used_and_the_next_one_is(place, flip):
    damaged = bytearray(telegram(SMALL))
    damaged[place] ^= flip
    assert found(bytes(damaged) + telegram(SMALL)) in ([SMALL], [])
    assert found(bytes(damaged) + telegram(SMALL) * 2)[-1:] == [SMALL]


def test_a_telegram_that_was_cut_off_does_not_take_the_next_one_with_it():
    telegrams = Telegrams()
    assert list(telegrams.feed(telegram(SMALL)[:40] + telegram(SMALL))) == [SMALL]
    assert telegrams.damaged == 1


def test_the_other_checksum_is_taken_where_it_is_asked_for():
    right = telegram(SMALL)
    kermit = right[:-2] + crc16(right[:-2], 0).to_bytes(2, "big")
    assert list(Telegrams("kermit").feed(kermit)) == [SMALL]
    assert list(Telegrams().feed(kermit)) == []


@given(st.lists(st.one_of(st.binary(max_size=600), st.just(telegram(SMALL)), st.just(ESCAPE)), max_size=30))
def test_noise_raises_nothing_and_is_not_kept(pieces):
    telegrams = Telegrams()
    for piece in pieces:
        for inner in telegrams.feed(piece):
            with contextlib.suppress(SmlError):
                values(inner)
        assert len(telegrams._buffer) <= MAX_TELEGRAM


def test_a_begin_without_an_end_is_given_up_when_it_is_too_long():
    telegrams = Telegrams()
    assert list(telegrams.feed(telegram(SMALL)[:40] + bytes(MAX_TELEGRAM))) == []
    assert list(telegrams.feed(telegram(SMALL))) == [SMALL]
    assert telegrams.damaged == 1


@given(st.binary(max_size=300))
def test_any_bytes_are_values_or_the_parser_s_own_error(data):
    with contextlib.suppress(SmlError):
        values(data)


NODES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.binary(max_size=20), st.integers(-(2**63), 2**63 - 1)),
    lambda each: st.lists(each, max_size=8),
    max_leaves=30,
)


@given(st.lists(NODES, min_size=6, max_size=6), st.lists(NODES, max_size=7))
def test_messages_of_any_shape_are_values_or_the_parser_s_own_error(message, entries):
    shaped = [None, 0, 0, [0x0701, [None, None, None, None, entries, None, None]], 0, None]
    for each in (message, shaped):
        with contextlib.suppress(SmlError):
            values(encoded(each))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\x71" * 30, "nested too deep"),
        (b"\x76\x05", "length makes no sense"),
        (b"\x76", "ends in the middle"),
        (b"\x8f\x8f\x8f\x8f\x8f", "length makes no sense"),
        (b"\x32\x00", "no type 3"),
        (b"\x5a" + bytes(9), "no type 5 of 9 bytes"),
        (b"\x62\x01", "no message"),
        (content([b"short", None, None, None, None, 1, None]), "another shape"),
        (content(entry("1.8.0", 1, scaler=100)), "make no sense"),
    ],
)
def test_what_cannot_be_read_is_said(data, complaint):
    with pytest.raises(SmlError, match=complaint):
        values(data)
