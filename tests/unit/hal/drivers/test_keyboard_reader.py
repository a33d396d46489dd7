import pytest

from hal.drivers.keyboard_reader import Typing

DIGITS = {**{str(n): n + 1 for n in range(1, 10)}, "0": 11, "A": 30, "B": 48, "C": 46, "D": 32, "E": 18, "F": 33}
ENTER, SHIFT, SPACE = 28, 42, 57


def typed(typing, text, *, start=0.0, every=0.01):
    for number, character in enumerate(text):
        assert typing.key(DIGITS[character], start + every * number) is None
    return typing.key(ENTER, start + every * len(text))


@pytest.mark.parametrize("text", ["1234567890", "ABCDEF"])
def test_keys_up_to_enter_are_a_line(text):
    assert typed(Typing(0.5), text) == text


def test_the_number_block_counts_as_well():
    typing = Typing(0.5)
    for code in (82, 79, 80, 81, 75, 76, 77, 71, 72, 73):
        typing.key(code, 0.0)
    assert typing.key(96, 0.0) == "0123456789"


def test_shift_is_no_character_and_any_other_key_is_unreadable():
    typing = Typing(0.5)
    typing.key(SHIFT, 0.0)
    typing.key(DIGITS["A"], 0.0)
    typing.key(SPACE, 0.0)
    assert typing.key(ENTER, 0.0) == "A?"


def test_what_was_typed_before_a_pause_is_forgotten():
    typing = Typing(0.5)
    typing.key(DIGITS["1"], 0.0)
    assert typed(typing, "23", start=0.6) == "23"
    assert typed(typing, "", start=0.7) is None


def test_a_key_that_is_held_down_for_ever_is_bounded():
    typing = Typing(0.5)
    for number in range(1000):
        typing.key(DIGITS["1"], 0.001 * number)
    assert len(typing.key(ENTER, 1.0)) < 70
