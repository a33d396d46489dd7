import pytest

from hal.errors import ReaderError
from hal.iso14443 import MAX_PRESENT, Presence, level_bytes, uid_text


@pytest.mark.parametrize(
    ("uid", "text"),
    [
        ("deadbeef", "DEADBEEF"),
        ("04a1b2c3d4e5f6", "04A1B2C3D4E5F6"),
        ("0102030405060708090a", "0102030405060708090A"),
        ("8804a1b2c3d4e5f6", "04A1B2C3D4E5F6"),
        ("88010203880405060708090a", "0102030405060708090A"),
    ],
)
def test_a_uid_reads_in_the_order_of_the_anticollision_without_cascade_tags(uid, text):
    assert uid_text(bytes.fromhex(uid)) == text


@pytest.mark.parametrize("uid", ["", "0102", "010203040506", "0102030405060708", "010203040506070809", "01" * 12])
def test_other_lengths_are_no_uid(uid):
    with pytest.raises(ReaderError, match="4, 7 or 10"):
        uid_text(bytes.fromhex(uid))


def test_a_cascade_level_is_checked():
    assert level_bytes(bytes.fromhex("deadbeef22")) == bytes.fromhex("deadbeef")
    with pytest.raises(ReaderError, match="check byte"):
        level_bytes(bytes.fromhex("deadbeef23"))
    with pytest.raises(ReaderError, match="5 bytes"):
        level_bytes(b"\x01")


def test_a_card_that_lies_there_is_presented_once():
    presence = Presence(1.0)
    assert [presence.see("DEADBEEF", 0.1 * n) for n in range(100)] == ["DEADBEEF"] + [None] * 99


def test_a_card_that_flickers_is_not_presented_again():
    presence = Presence(1.0)
    presence.see("DEADBEEF", 0.0)
    for now in (0.2, 0.4, 1.1):
        assert presence.see(None, now) is None
    assert presence.see("DEADBEEF", 1.15) is None
    assert presence.present


def test_a_card_taken_away_and_presented_again_counts_again():
    presence = Presence(1.0)
    presence.see("DEADBEEF", 0.0)
    presence.see(None, 0.2)
    presence.see(None, 1.3)
    assert not presence.present
    assert presence.see("DEADBEEF", 1.4) == "DEADBEEF"


def test_a_gap_without_polls_does_not_take_a_card_away():
    presence = Presence(1.0)
    presence.see("DEADBEEF", 0.0)
    assert presence.see("DEADBEEF", 60.0) is None


def test_two_cards_that_a_reader_sees_in_turn_are_presented_once_each():
    presence = Presence(1.0)
    seen = [presence.see("11111111" if n % 2 else "22222222", 0.3 * n) for n in range(20)]
    assert [each for each in seen if each] == ["22222222", "11111111"]


def test_a_phone_that_makes_up_uids_is_one_card():
    presence = Presence(1.0)
    assert presence.see("08AAAAAA", 0.0) == "08AAAAAA"
    assert presence.see("08BBBBBB", 0.2) is None
    presence.see(None, 0.4)
    presence.see(None, 1.5)
    assert presence.see("08CCCCCC", 1.6) == "08CCCCCC"


def test_numbers_that_only_look_made_up_are_cards_of_their_own_where_they_are_none():
    presence = Presence(1.0, randoms_are_one=False)
    assert [presence.see(text, 0.0) for text in ("08AAAAAA", "08BBBBBB")] == ["08AAAAAA", "08BBBBBB"]


def test_what_is_remembered_is_bounded():
    presence = Presence(1000.0)
    for number in range(10 * MAX_PRESENT):
        presence.see(f"{number + 0x10000000:08X}", 0.0)
    assert len(presence._missing) == MAX_PRESENT
