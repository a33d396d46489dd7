"""USB card readers that type every card like a keyboard, and end it with Enter."""

from typing import Annotated

from msgspec import Meta

from hal.bench import PartBench
from hal.bus.keyboard import Keyboard
from hal.drivers.card_reader import STEP_S
from hal.drivers.text_reader import TextReader
from hal.drivers.token_text import MAX_MESSAGE, UNREADABLE, TextOptions

WAIT_S = 0.1

ENTER = frozenset({28, 96})
"""KEY_ENTER, KEY_KPENTER."""

CHARACTERS = (
    dict(zip(range(2, 12), "1234567890", strict=True))
    | dict(zip((79, 80, 81, 75, 76, 77, 71, 72, 73, 82), "1234567890", strict=True))
    | dict(zip((30, 48, 46, 32, 18, 33), "ABCDEF", strict=True))
)
"""Key code -> digit, of the upper row and of the number block. Codes are places of keys, whatever the layout."""

SILENT = frozenset({29, 42, 54, 56, 58, 69, 97, 100})
"""Control, shift, alt, caps lock, number lock. Any other key that types no digit makes the line unreadable."""


class Typing:
    """Lines out of keys. Keys that are further apart than `pause_s` do not belong together: somebody types by hand."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._line = ""
        self._last = 0.0

    def key(self, code: int, now: float) -> str | None:
        """A key is pressed; gives the line that it ends."""
        if now - self._last > self._pause_s or len(self._line) > MAX_MESSAGE:
            self._line = ""
        self._last = now
        if code in SILENT:
            return None
        if code in ENTER:
            line, self._line = self._line, ""
            return line or None
        self._line += CHARACTERS.get(code, UNREADABLE)
        return None


class KeyboardReaderOptions(TextOptions, frozen=True, kw_only=True):
    """`device`: the input device file, best by /dev/input/by-id; `pause_s`: the longest pause between two keys."""

    device: str
    pause_s: Annotated[float, Meta(ge=0.05, le=10)] = 0.5


class KeyboardReader(TextReader):
    """Listens to its input device; nobody else gets what the reader types."""

    options_type = KeyboardReaderOptions

    def __init__(self, bench: PartBench, options: KeyboardReaderOptions) -> None:
        super().__init__(bench, options)
        bench.claim(f"input device {options.device}")
        self._keyboard = Keyboard(options.device)
        bench.keep(self._keyboard, self._keyboard.close)
        self._typing = Typing(options.pause_s)

    def start(self) -> None:
        """See `Part.start`."""
        self.bench.thread().every(STEP_S, self.step)

    def reopen(self) -> None:
        """See `TextReader.reopen`."""
        self._keyboard.reopen()

    def listen(self) -> list[str] | None:
        """See `TextReader.listen`."""
        codes = self._keyboard.read(WAIT_S)
        if not codes:
            return None
        now = self.bench.clock.monotonic()
        lines = [self._typing.key(code, now) for code in codes]
        return [line for line in lines if line is not None]
