"""A bench for drivers whose devices are plain files or ptys, with a clock in hand."""

from hal.bench import Bench
from hal.boards import board
from ocpp.clock import ManualClock


def workbench() -> tuple[Bench, ManualClock]:
    """What parts hand to the loop runs at once."""
    clock = ManualClock()
    return Bench(board("linux"), clock, lambda work: work()), clock
