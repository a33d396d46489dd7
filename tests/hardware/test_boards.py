import pytest

from hal.boards import Board
from hal.bus.gpio import chips
from hal.errors import DriverError


def test_a_chip_is_found_by_its_label(kernel):
    assert chips() == {"emulated": "/dev/gpiochip0"}
    board = Board("test", "a test", {"OUT": "emulated/17"})
    assert board.line("OUT") == ("/dev/gpiochip0", 17)
    with pytest.raises(DriverError, match="it has emulated"):
        board.line("other/17")
