"""Character displays with an HD44780 behind a PCF8574, the usual I2C backpack (Hitachi HD44780U, NXP PCF8574)."""

from collections.abc import Collection
from typing import Annotated, Literal

from msgspec import Meta

from hal.bench import PartBench
from hal.drivers.text_display import DisplayOptions, TextDisplay, pause

SELECT_DATA, ENABLE, BACKLIGHT = 0x01, 0x04, 0x08
"""Lines of the backpack: P0 is RS, P1 R/W (always write), P2 E, P3 the backlight, P4 to P7 the data lines D4 to D7."""

FUNCTION_8_BIT, FUNCTION_4_BIT = 0x30, 0x28
"""Function set: the interface's width, in four-bit mode with two lines and 5x8 dots."""
DISPLAY_ON, ENTRY_MODE, DDRAM = 0x0C, 0x06, 0x80

FIRST_S, NEXT_S = 0.0045, 0.0002
"""Pauses of the initialization by instruction (figure 24): more than 4.1 ms, then more than 0.1 ms."""

ROM_A00 = {chr(code): code for code in range(0x20, 0x7E) if chr(code) != "\\"} | {
    "¥": 0x5C,
    "→": 0x7E,
    "←": 0x7F,
    "°": 0xDF,
    "ä": 0xE1,
    "ß": 0xE2,
    "µ": 0xE4,
    "ö": 0xEF,
    "ü": 0xF5,
    "ñ": 0xEE,
    "÷": 0xFD,
}
"""Characters of the usual ROM (table 4, code A00) and their codes. Capital umlauts, backslash and tilde are not in it."""

ROWS = {"16x2": (0x00, 0x40), "20x2": (0x00, 0x40), "16x4": (0x00, 0x40, 0x10, 0x50), "20x4": (0x00, 0x40, 0x14, 0x54)}
"""Size -> where each row begins in the display's memory."""


class Hd44780Options(DisplayOptions, frozen=True, kw_only=True):
    """`address`: 0x27 with a PCF8574, 0x3F with a PCF8574A, when no jumper is set."""

    bus: str | None = None
    address: Annotated[int, Meta(ge=0x20, le=0x3F)] = 0x27
    size: Literal["16x2", "16x4", "20x2", "20x4"] = "20x4"
    backlight: bool = True


class Hd44780(TextDisplay):
    """Nothing is read back: the backpack answers, whether or not a display hangs on it."""

    options_type = Hd44780Options

    def __init__(self, bench: PartBench, options: Hd44780Options) -> None:
        self._device = bench.i2c(options.bus, options.address)
        self._row_starts = ROWS[options.size]
        self._light = BACKLIGHT if options.backlight else 0
        columns = int(options.size.partition("x")[0])
        super().__init__(bench, options, columns, len(self._row_starts), options.bus or bench.device("i2c"))

    def known(self) -> Collection[str]:
        """See `TextDisplay.known`."""
        return ROM_A00

    def set_up(self) -> None:
        """See `TextDisplay.set_up`: initialization by instruction, which also brings lost nibbles back into step.

        It does not clear, so that nobody sees it.
        """
        for wait in (FIRST_S, NEXT_S, NEXT_S):
            self._device.send(self._nibble(FUNCTION_8_BIT))
            pause(wait)
        self._device.send(self._nibble(0x20))
        pause(NEXT_S)
        self._device.send(b"".join(self._byte(each) for each in (FUNCTION_4_BIT, DISPLAY_ON, ENTRY_MODE)))

    def write(self, row: int, text: str) -> None:
        """See `TextDisplay.write`: one transfer of four bytes a character, slower than the controller up to 400 kHz."""
        codes = (ROM_A00[character] for character in text)
        data = b"".join(self._byte(code, SELECT_DATA) for code in codes)
        self._device.send(self._byte(DDRAM | self._row_starts[row]) + data)

    def _byte(self, value: int, select: int = 0) -> bytes:
        return self._nibble(value & 0xF0, select) + self._nibble(value << 4 & 0xF0, select)

    def _nibble(self, value: int, select: int = 0) -> bytes:
        """The controller takes over when E falls."""
        lines = value | select | self._light
        return bytes([lines | ENABLE, lines])
