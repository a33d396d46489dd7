"""Card readers that send every card as a line of text: ASCII readers, and converters from Wiegand to serial."""

from typing import Annotated, Literal

from msgspec import Meta

from hal.bench import PartBench
from hal.drivers.card_reader import STEP_S
from hal.drivers.text_reader import TextReader
from hal.drivers.token_text import Messages, TextOptions

SILENCE_S = 0.1
"""Longer than any pause within a message, at 1200 baud too."""


class SerialReaderOptions(TextOptions, frozen=True, kw_only=True):
    """`port`: the serial device file; without it, the board's."""

    port: str | None = None
    baud: Annotated[int, Meta(ge=1200, le=921_600)] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    data_bits: Literal[7, 8] = 8


class SerialReader(TextReader):
    """Listens at its port. Messages are told apart by control characters, or by pauses."""

    options_type = SerialReaderOptions

    def __init__(self, bench: PartBench, options: SerialReaderOptions) -> None:
        super().__init__(bench, options)
        self._path = options.port or bench.device("serial")
        self._port = bench.serial(
            self._path,
            baud=options.baud,
            parity=options.parity,
            stop_bits=options.stop_bits,
            data_bits=options.data_bits,
            timeout_s=SILENCE_S,
        )
        self._messages = Messages()

    def start(self) -> None:
        """See `Part.start`."""
        self.bench.thread(self._path).every(STEP_S, self.step)

    def reopen(self) -> None:
        """See `TextReader.reopen`."""
        self._port.reopen()
        self._messages = Messages()

    def listen(self) -> list[str] | None:
        """See `TextReader.listen`."""
        data = self._port.read(max(1, self._port.waiting))
        if data:
            return self._messages.feed(data)
        self._messages.silence()
        return None
