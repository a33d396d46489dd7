import logging

import pytest
from support.chips.pn532 import Pn532Chip
from support.readers import ReaderRig
from support.waiting import until

from hal.drivers import make
from hal.errors import ClaimError

CARD = bytes.fromhex("04a1b2c3d4e5f6")


@pytest.fixture
def chip(kernel):
    chip = Pn532Chip()
    kernel.i2c.parts[0x24] = chip
    return chip


@pytest.fixture
def rig(chip):
    rig = ReaderRig("pn532-i2c")
    yield rig
    rig.bench.close()


def test_a_card_is_presented_once_in_the_byte_order_of_the_card(chip, rig):
    rig.turns(20)
    assert rig.presented == []
    chip.cards = [CARD]
    rig.turns(20)
    assert rig.presented == ["04A1B2C3D4E5F6"]
    assert rig.reader.values() == {
        "state": "works",
        "card": "lies there",
        "newest token": "04A1B2C3D4E5F6",
        "chip": "PN532, firmware 1.6",
    }


@pytest.mark.parametrize("uid", ["deadbeef", "04a1b2c3d4e5f6", "0102030405060708090a"])
def test_uids_of_every_size(chip, rig, uid):
    chip.cards = [bytes.fromhex(uid)]
    rig.turns(20)
    assert rig.presented == [uid.upper()]


def test_a_card_presented_again_counts_again(chip, rig):
    chip.cards = [CARD]
    rig.turns(20)
    chip.cards = []
    rig.turns(20)
    chip.cards = [CARD]
    rig.turns(20)
    assert rig.presented == ["04A1B2C3D4E5F6"] * 2


def test_a_chip_that_is_not_there_is_told_once_and_used_when_it_comes(chip, rig, caplog):
    chip.absent = True
    chip.cards = [CARD]
    with caplog.at_level(logging.INFO):
        rig.turns(60)
        assert "does not answer" in rig.reader.wrong(0.0)
        chip.absent = False
        rig.turns(20)
    assert rig.presented == ["04A1B2C3D4E5F6"]
    assert rig.reader.wrong(0.0) == ""
    assert [each.levelname for each in caplog.records] == ["ERROR", "INFO"]
    assert "0x24 does not answer" in caplog.text
    assert "reader works again" in caplog.text


def test_a_chip_that_lost_its_supply_is_set_up_again(chip, rig):
    rig.turns(20)
    chip.reset()
    chip.cards = [CARD]
    rig.turns(20)
    assert rig.presented == ["04A1B2C3D4E5F6"]
    assert chip.configured
    assert not chip.patient


@pytest.mark.parametrize(("fault", "word"), [("damaged", "damaged frame"), ("silent", "does not answer")])
def test_a_fault_on_the_bus_is_told_and_ends(chip, rig, fault, word):
    rig.turns(20)
    setattr(chip, fault, True)
    chip.cards = [CARD]
    rig.turns(40)
    assert word in rig.reader.wrong(0.0)
    assert rig.presented == []
    setattr(chip, fault, False)
    rig.turns(40)
    assert rig.reader.wrong(0.0) == ""
    assert rig.presented == ["04A1B2C3D4E5F6"]


def test_a_bus_that_hangs_is_a_fault_that_ends(kernel, chip, rig):
    rig.turns(20)
    kernel.i2c.broken = True
    rig.turns(20)
    assert rig.reader.wrong(0.0)
    kernel.i2c.broken = False
    rig.turns(20)
    assert not rig.reader.wrong(0.0)


def test_it_works_in_the_thread_of_its_bus(chip, bench):
    presented = []
    reader = make(bench, "reader", "pn532-i2c", {"poll_s": 0.05})
    reader.presented = lambda value, token_type: presented.append((value, token_type))
    reader.start()
    chip.cards = [CARD]
    bench.start()
    until(lambda: presented)
    assert presented == [("04A1B2C3D4E5F6", "ISO14443")]


def test_there_is_one_of_them_on_a_bus(chip, bench):
    make(bench, "left", "pn532-i2c", {})
    with pytest.raises(ClaimError, match="left and by right"):
        make(bench, "right", "pn532-i2c", {})
