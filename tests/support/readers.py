"""A card reader on a bench whose clock stands still, turned by hand."""

from typing import Any

from hal.bench import Bench
from hal.boards import board
from hal.drivers import make
from ocpp.clock import ManualClock
from support.waiting import until

ROUND_S = 0.2


class ReaderRig:
    """`presented` is what the reader has told, in order."""

    def __init__(self, driver: str, **options: Any) -> None:
        self.clock = ManualClock()
        self.bench = Bench(board("linux"), self.clock, lambda work: work())
        self.presented: list[str] = []
        self.reader: Any = make(self.bench, "reader", driver, options)
        self.reader.presented = lambda value, token_type: self.presented.append(value)

    def turns(self, count: int = 1, seconds: float = ROUND_S) -> None:
        """Turns of the reader, one after each `seconds`."""
        for _ in range(count):
            self.clock.tick(seconds)
            self.reader.step()

    def turn_until(self, condition: Any) -> None:
        """Turns until something is so; the clock runs a hundredth of a second a turn."""

        def turned() -> bool:
            self.turns(1, 0.01)
            return bool(condition())

        until(turned)
