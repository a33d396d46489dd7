from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.drivers.pn532_frames import (
    ACK,
    ACKNOWLEDGED,
    GET_FIRMWARE_VERSION,
    MAX_BUFFER,
    SAM_CONFIGURATION,
    Answer,
    Frames,
    first_frame,
    frame,
    target_uid,
)
from hal.errors import ReaderError

VERSION = bytes.fromhex("0000ff06fad50332010607e800")


def test_a_command_is_framed_as_in_the_manual():
    assert frame(GET_FIRMWARE_VERSION) == bytes.fromhex("0000ff02fed4022a00")
    assert frame(SAM_CONFIGURATION, bytes([1, 0x14, 1])) == bytes.fromhex("0000ff05fbd41401140102" + "00")


def test_an_acknowledgement_and_an_answer_are_found_whatever_the_pieces():
    stream = b"\x55\x00" + ACK + VERSION
    for size in range(1, len(stream)):
        frames = Frames()
        found = [each for at in range(0, len(stream), size) for each in frames.feed(stream[at : at + size])]
        assert found == [ACKNOWLEDGED, Answer(GET_FIRMWARE_VERSION, bytes.fromhex("32010607"))]


@pytest.mark.parametrize("position", range(3, len(VERSION) - 1))
def test_a_frame_with_a_wrong_byte_is_not_taken_for_good(position):
    damaged = bytearray(VERSION)
    damaged[position] ^= 0x10
    with suppress(ReaderError):
        assert Frames().feed(bytes(damaged)) == []


def test_after_a_damaged_frame_the_next_one_is_read():
    frames = Frames()
    with pytest.raises(ReaderError, match="check byte"):
        frames.feed(VERSION[:-2] + b"\x00\x00")
    assert frames.feed(VERSION) == [Answer(GET_FIRMWARE_VERSION, bytes.fromhex("32010607"))]


def test_the_error_frame_of_the_chip_is_an_error():
    with pytest.raises(ReaderError, match="did not understand"):
        Frames().feed(bytes.fromhex("0000ff01ff7f8100"))


def test_noise_is_bounded_and_skipped():
    frames = Frames()
    assert frames.feed(b"\x55" * 10 * MAX_BUFFER) == []
    assert len(frames._buffer) == MAX_BUFFER
    assert frames.feed(ACK) == [ACKNOWLEDGED]


@pytest.mark.parametrize("whole", [ACK[:-1], VERSION[:-1]])
def test_what_follows_a_frame_in_a_read_of_fixed_length_is_left_out(whole):
    assert first_frame(whole + b"\x00" + b"\xff" * 20) == whole
    assert first_frame(whole[:4]) == whole[:4]


@pytest.mark.parametrize(
    ("data", "uid"),
    [
        ("00", None),
        ("", None),
        ("010100040804deadbeef", "deadbeef"),
        ("0101004400" + "0704a1b2c3d4e5f6" + "067577810280", "04a1b2c3d4e5f6"),
        ("0101004420" + "0a0102030405060708090a", "0102030405060708090a"),
    ],
)
def test_the_uid_of_a_target(data, uid):
    found = target_uid(bytes.fromhex(data))
    assert found == (bytes.fromhex(uid) if uid else None)


@pytest.mark.parametrize("data", ["01", "0101000408", "010100040800", "010100040804deadbe"])
def test_a_target_cut_short_is_an_error(data):
    with pytest.raises(ReaderError, match="whole UID"):
        target_uid(bytes.fromhex(data))


@given(st.lists(st.one_of(st.binary(max_size=20), st.sampled_from([ACK, VERSION, b"\x00\xff", b"\x00"])), max_size=12))
def test_whatever_comes_is_an_answer_or_a_reader_error(pieces):
    frames = Frames()
    for piece in pieces:
        with suppress(ReaderError):
            frames.feed(piece)
    frames.clear()
    assert frames.feed(VERSION) == [Answer(GET_FIRMWARE_VERSION, bytes.fromhex("32010607"))]


@given(st.binary(max_size=64), st.integers(1, 16))
def test_any_command_comes_back_whole_in_pieces_of_any_size(data, size):
    sent = bytearray(frame(SAM_CONFIGURATION, data))
    sent[5], sent[-2] = 0xD5, (sent[-2] - 1) & 0xFF  # the same frame from the chip to the host
    frames = Frames()
    found = [each for at in range(0, len(sent), size) for each in frames.feed(bytes(sent[at : at + size]))]
    assert found == [Answer(SAM_CONFIGURATION - 1, data)]
