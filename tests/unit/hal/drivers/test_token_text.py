import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.drivers.token_text import MAX_CHARS, MAX_MESSAGE, MIN_CHARS, Messages, TextOptions, token
from hal.errors import ReaderError


@pytest.mark.parametrize(
    ("message", "options", "expected"),
    [
        ("deadbeef", {}, "DEADBEEF"),
        ("DE AD BE EF", {}, "DEADBEEF"),
        ("efbeadde", {"reverse": True}, "DEADBEEF"),
        ("04A1B2C3D4E5F6", {}, "04A1B2C3D4E5F6"),
        ("0F0184F07A" + "00", {"checksum": "xor"}, "0F0184F07A"),
        ("3735928559", {"format": "decimal"}, "DEADBEEF"),
        ("0000000001", {"format": "decimal", "reverse": True}, "01000000"),
        ("1303689068602870", {"format": "decimal", "uid_bytes": 7}, "04A1B2C3D4E5F6"),
        ("1BD5B7C", {"format": "wiegand26"}, "DEADBE"),
        ("01BD5B7C", {"format": "wiegand26"}, "DEADBE"),
        ("3BD5B7DDE", {"format": "wiegand34"}, "DEADBEEF"),
        ("User 42", {"format": "text"}, "User 42"),
    ],
)
def test_a_message_means_a_token(message, options, expected):
    assert token(message, TextOptions(**options)) == expected


@pytest.mark.parametrize(
    ("message", "options", "word"),
    [
        ("deadbee", {}, "hex digits"),
        ("not hex!", {}, "hex digits"),
        ("00", {}, "no token"),
        ("00" * 11, {}, "no token"),
        ("0F0184F07A01", {"checksum": "xor"}, "checksum"),
        ("00", {"checksum": "xor"}, "checksum"),
        ("4294967296", {"format": "decimal"}, "4 bytes"),
        ("12a4", {"format": "decimal"}, "decimal"),
        ("1BD5B7D", {"format": "wiegand26"}, "parity"),
        ("3BD5B7C", {"format": "wiegand26"}, "parity"),
        ("7BD5B7C", {"format": "wiegand26"}, "26 bits"),
        ("ab?d", {"format": "text"}, "no token"),
    ],
)
def test_what_cannot_be_right_is_no_token(message, options, word):
    with pytest.raises(ReaderError, match=word):
        token(message, TextOptions(**options))


@pytest.mark.parametrize("stream", [b"\x02DEADBEEF\x03", b"\r\nDEADBEEF\r\n", b"\x02DEADBEEF\r\n\x03", b"\nDEADBEEF\r"])
def test_messages_are_told_apart_by_whatever_stands_between_them(stream):
    messages = Messages()
    assert [each for byte in stream * 2 for each in messages.feed(bytes([byte]))] == ["DEADBEEF"] * 2


def test_a_message_with_a_beginning_that_may_be_missing_is_left_out():
    messages = Messages()
    assert messages.feed(b"BEEF\rCAFE\r") == ["CAFE"]


def test_after_silence_a_message_is_whole_and_what_had_begun_is_forgotten():
    messages = Messages()
    messages.silence()
    assert messages.feed(b"DEAD") == []
    messages.silence()
    assert messages.feed(b"BEEF\r") == ["BEEF"]


def test_endless_noise_is_bounded_and_no_message():
    messages = Messages()
    assert messages.feed(b"\r" + b"A" * 1000 + b"\r\xff\xfe12\r") == ["??12"]
    messages.feed(b"A" * 1000)
    assert len(messages._buffer) <= MAX_MESSAGE


FORMATS = st.sampled_from(["hex", "decimal", "wiegand26", "wiegand34", "text"])


@given(st.text(max_size=40) | st.text("0123456789abcdefABCDEF", max_size=40), FORMATS, st.sampled_from(["none", "xor"]))
def test_whatever_is_sent_is_a_token_of_allowed_length_or_a_reader_error(message, kind, checksum):
    try:
        found = token(message, TextOptions(format=kind, checksum=checksum))
    except ReaderError:
        return
    assert MIN_CHARS <= len(found) <= MAX_CHARS


@given(st.binary(min_size=3, max_size=3) | st.binary(min_size=4, max_size=4))
def test_a_wiegand_word_gives_back_its_bytes_and_one_wrong_bit_is_noticed(data):
    size = 8 * len(data)
    number, half = int.from_bytes(data, "big"), 4 * len(data)
    even = (number >> half).bit_count() % 2
    odd = 1 - (number & (1 << half) - 1).bit_count() % 2
    word = even << size + 1 | number << 1 | odd
    options = TextOptions(format=f"wiegand{size + 2}")
    assert token(f"{word:X}", options) == data.hex().upper()
    for bit in range(size + 2):
        with pytest.raises(ReaderError, match="parity"):
            token(f"{word ^ 1 << bit:X}", options)
