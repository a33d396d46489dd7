import logging

import pytest
from support.chips.pn532 import SerialPn532Chip
from support.readers import ReaderRig

CARD = bytes.fromhex("deadbeef")


class Adapter:
    """A serial adapter at one path, with a chip behind it, that can be pulled out and plugged in again."""

    def __init__(self, path) -> None:
        self.path = path
        self.chip: SerialPn532Chip | None = None
        self.plug()

    def plug(self) -> SerialPn532Chip:
        self.chip = SerialPn532Chip()
        self.path.symlink_to(self.chip.path)
        return self.chip

    def unplug(self) -> None:
        self.path.unlink(missing_ok=True)
        if self.chip is not None:
            self.chip.close()
        self.chip = None


@pytest.fixture
def adapter(tmp_path):
    adapter = Adapter(tmp_path / "reader")
    yield adapter
    adapter.unplug()


@pytest.fixture
def rig(adapter):
    rig = ReaderRig("pn532-serial", port=str(adapter.path))
    yield rig
    rig.bench.close()


def test_a_sleeping_chip_is_woken_and_a_card_presented_once(adapter, rig):
    adapter.chip.cards = [CARD]
    rig.turn_until(lambda: rig.presented)
    seen = len(adapter.chip.commands)
    rig.turn_until(lambda: len(adapter.chip.commands) > seen + 3)
    assert rig.presented == ["DEADBEEF"]


@pytest.mark.parametrize(("fault", "word"), [("damaged", "damaged frame"), ("silent", "does not answer")])
def test_a_fault_on_the_line_is_told_and_ends(adapter, rig, fault, word):
    setattr(adapter.chip, fault, True)
    rig.turn_until(lambda: word in rig.reader.wrong(0.0))
    setattr(adapter.chip, fault, False)
    adapter.chip.cards = [CARD]
    rig.turn_until(lambda: rig.presented)
    assert rig.reader.wrong(0.0) == ""


def test_noise_between_frames_does_no_harm(adapter, rig):
    rig.turn_until(lambda: len(adapter.chip.commands) > 4)
    adapter.chip.out.append(b"\x55\xaa\x00\x12")
    adapter.chip.cards = [CARD]
    rig.turn_until(lambda: rig.presented)
    assert rig.reader.wrong(0.0) == ""


def test_an_adapter_that_was_unplugged_is_used_again_when_it_comes_back(adapter, rig, caplog):
    rig.turn_until(lambda: len(adapter.chip.commands) > 4)
    with caplog.at_level(logging.INFO):
        adapter.unplug()
        rig.turn_until(lambda: "cannot be opened" in rig.reader.wrong(0.0))
        adapter.plug().cards = [CARD]
        rig.turn_until(lambda: rig.presented)
    assert rig.presented == ["DEADBEEF"]
    assert [each.levelname for each in caplog.records] == ["ERROR", "INFO"]
