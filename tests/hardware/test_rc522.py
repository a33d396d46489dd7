import logging
import re

import pytest
from support.chips.mfrc522 import Card, Mfrc522Chip
from support.readers import ReaderRig
from support.spi import SpiDevice
from support.waiting import until

from hal.drivers import make
from hal.errors import BusError


@pytest.fixture
def chip(kernel):
    chip = Mfrc522Chip()
    SpiDevice(kernel, chip)
    return chip


@pytest.fixture
def rig(chip):
    rig = ReaderRig("rc522", device="/dev/spidev0.0")
    yield rig
    rig.bench.close()


@pytest.mark.parametrize("uid", ["DEADBEEF", "04A1B2C3D4E5F6", "0102030405060708090A"])
def test_a_card_is_presented_once_in_the_byte_order_of_the_card(chip, rig, uid):
    rig.turns(5)
    assert rig.presented == []
    chip.cards = [Card(uid)]
    rig.turns(20)
    assert rig.presented == [uid]
    assert chip.cards[0].state == "halted"  # it is woken at every look, not at every second one
    assert rig.reader.values()["chip"] == "MFRC522, version 0x92"


def test_a_card_presented_again_counts_again(chip, rig):
    card = Card("DEADBEEF")
    for cards in ([card], [], [card]):
        chip.cards = cards
        rig.turns(10)
    assert rig.presented == ["DEADBEEF"] * 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DEADBEEF", "DEADBEEE"),
        ("04A1B2C3D4E5F6", "04A1B2C3D4E5F7"),
        ("04A1B2C3D4E5F6", "11223344"),
        ("01020304", "81020304"),
    ],
)
def test_of_two_cards_one_is_read_without_the_other_in_its_uid(chip, rig, one, other):
    chip.cards = [Card(one), Card(other)]
    rig.turns(3)
    assert rig.presented
    assert set(rig.presented) <= {one, other}


@pytest.mark.parametrize("fault", ["parity_errors", "wrong_crc"])
def test_a_card_that_is_garbled_is_read_when_it_lies_still(chip, rig, fault):
    chip.cards = [Card("DEADBEEF")]
    setattr(chip, fault, True)
    rig.turns(10)
    assert rig.presented == []
    assert rig.reader.wrong(0.0) == ""
    setattr(chip, fault, False)
    rig.turns(2)
    assert rig.presented == ["DEADBEEF"]


@pytest.mark.parametrize(
    ("fault", "word"), [("absent", "reset|MFRC522"), ("broken", "spidev"), ("stuck", "does not end its waiting")]
)
def test_a_chip_that_fails_is_told_once_and_used_when_it_works_again(chip, rig, caplog, fault, word):
    rig.turns(5)
    with caplog.at_level(logging.INFO):
        setattr(chip, fault, True)
        rig.turns(30)
        assert re.search(word, rig.reader.wrong(0.0))
        setattr(chip, fault, False)
        chip.cards = [Card("DEADBEEF")]
        rig.turns(20)
    assert rig.presented == ["DEADBEEF"]
    assert rig.reader.wrong(0.0) == ""
    assert [each.levelname for each in caplog.records] == ["ERROR", "INFO"]


def test_a_chip_that_lost_its_supply_is_set_up_again(chip, rig):
    rig.turns(5)
    chip.reset()
    chip.cards = [Card("DEADBEEF")]
    rig.turns(5)
    assert rig.presented == ["DEADBEEF"]


def test_a_device_that_is_not_there_is_named(kernel, bench):
    with pytest.raises(BusError, match="spidev9"):
        make(bench, "reader", "rc522", {"device": "/dev/spidev9.9"})


def test_it_works_in_a_thread_of_its_own(chip, bench):
    presented = []
    reader = make(bench, "reader", "rc522", {"poll_s": 0.05, "device": "/dev/spidev0.0"})
    reader.presented = lambda value, token_type: presented.append((value, token_type))
    reader.start()
    chip.cards = [Card("DEADBEEF")]
    bench.start()
    until(lambda: presented)
    assert presented == [("DEADBEEF", "ISO14443")]
