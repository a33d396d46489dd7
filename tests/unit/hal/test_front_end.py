"""The frames of a front end, from the page that describes them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.front_end import (
    COMMAND,
    MAX_PAYLOAD,
    OVERHEAD,
    STATE,
    Command,
    Decoder,
    Frame,
    Info,
    Order,
    Shows,
    State,
    _crc,
    encode,
)

FRAMES = st.builds(
    Frame, sequence=st.integers(0, 255), type=st.integers(0, 255), payload=st.binary(max_size=MAX_PAYLOAD)
)


def test_the_crc_is_the_one_the_page_names():
    assert _crc(b"123456789") == 0x29B1


def test_the_example_of_the_page():
    frame = Frame(7, COMMAND, Command(2667, Order.CLOSE).pack())
    assert encode(frame).hex(" ") == "7e 03 07 02 0a 6b 01 4a 7c"


def test_a_payload_has_an_end():
    with pytest.raises(ValueError, match="64 bytes"):
        encode(Frame(0, STATE, bytes(65)))


@given(st.lists(FRAMES, max_size=8), st.randoms(use_true_random=False))
def test_frames_arrive_whole_however_the_bytes_are_cut(frames, chance: random.Random):
    stream, decoder, found = b"".join(map(encode, frames)), Decoder(), []
    while stream:
        cut = chance.randint(1, len(stream))
        found += decoder.feed(stream[:cut])
        stream = stream[cut:]
    assert found == frames
    assert decoder.damaged == 0


@given(FRAMES, st.integers(0, 2**31), st.integers(0, 7))
def test_a_flipped_bit_is_no_frame(frame, place, bit):
    damaged = bytearray(encode(frame))
    damaged[place % len(damaged)] ^= 1 << bit
    assert frame not in Decoder().feed(bytes(damaged) + bytes(MAX_PAYLOAD + OVERHEAD))


@given(st.binary(max_size=400), FRAMES)
def test_after_garbage_the_next_frames_are_found(garbage, frame):
    decoder = Decoder()
    decoder.feed(garbage)
    found = []
    for _ in range(3 + (MAX_PAYLOAD + OVERHEAD) // OVERHEAD):
        found += decoder.feed(encode(frame))
    assert frame in found


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_garbage_neither_raises_nor_piles_up(pieces):
    decoder = Decoder()
    for each in pieces:
        for frame in decoder.feed(each):
            State.unpack(frame.payload)
        assert len(decoder._buffer) < MAX_PAYLOAD + OVERHEAD


@given(st.integers(0, 10_000), st.integers(0, 15))
def test_commands_come_back_as_they_were(duty, orders):
    command = Command(duty, Order(orders))
    assert Command.unpack(command.pack()) == command


@given(
    st.sampled_from("ABCDEF"),
    st.integers(0, 10_000),
    st.integers(0, 0x7F),
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(-0x8000, 0x7FFF),
    st.integers(-1500, 1500),
    st.integers(-1500, 1500),
)
def test_states_come_back_as_they_were(pilot, duty, shows, obeyed, cable, temperature, high, low):
    state = State(pilot, duty, Shows(shows), obeyed, cable, temperature, high, low)
    assert State.unpack(state.pack()) == state


def test_information_comes_back_as_it_was():
    assert Info.unpack(Info(1, 500, "bench 0.3").pack()) == Info(1, 500, "bench 0.3")


@given(st.binary(max_size=20))
def test_any_payload_is_a_message_or_none(payload):
    for kind in (Command, State, Info):
        kind.unpack(payload)


@pytest.mark.parametrize("payload", [b"", b"\x00" * 13, b"G" + bytes(12), b"A\xff\xff" + bytes(10)])
def test_what_makes_no_sense_is_no_state(payload):
    assert State.unpack(payload) is None
