"""Small OLED displays with an SSD1306 (Solomon Systech, rev. 1.1) or an SH1106 (Sino Wealth), over I2C."""

from collections.abc import Collection
from typing import Annotated, Literal

from msgspec import Meta

from hal.bench import PartBench
from hal.drivers.text_display import DisplayOptions, TextDisplay
from hal.font import WIDTH, glyphs

COMMANDS, DATA = b"\x00", b"\x40"
"""Control bytes (section 8.1.5.2): what follows are commands, or data for the memory."""

DOTS = 128
CELL = WIDTH + 1
"""Dots from one character to the next."""

PAGE = 0xB0
DISPLAY_ON = b"\xaf"

SH1106_OFFSET = 2
"""Its memory is 132 dots wide, of which the display shows those in the middle."""


class Ssd1306Options(DisplayOptions, frozen=True, kw_only=True):
    """`address`: 0x3C or 0x3D; `scale` 2 makes characters twice as large: 10 columns instead of 21."""

    bus: str | None = None
    address: Annotated[int, Meta(ge=0x3C, le=0x3D)] = 0x3C
    controller: Literal["ssd1306", "sh1106"] = "ssd1306"
    height: Literal[32, 64] = 64
    scale: Literal[1, 2] = 1
    rotated: bool = False
    contrast: Annotated[int, Meta(ge=0, le=255)] = 0x7F


class Ssd1306(TextDisplay):
    """It is switched on when all rows are written, so that nobody sees what its memory holds after power-on."""

    options_type = Ssd1306Options

    def __init__(self, bench: PartBench, options: Ssd1306Options) -> None:
        self._device = bench.i2c(options.bus, options.address)
        self._scale = options.scale
        self._offset = SH1106_OFFSET if options.controller == "sh1106" else 0
        self._commands = _set_up(options)
        columns, rows = DOTS // (CELL * options.scale), options.height // (8 * options.scale)
        super().__init__(bench, options, columns, rows, options.bus or bench.device("i2c"))

    def known(self) -> Collection[str]:
        """See `TextDisplay.known`."""
        return glyphs()

    def set_up(self) -> None:
        """See `TextDisplay.set_up`."""
        self._device.send(COMMANDS + self._commands)

    def write(self, row: int, text: str) -> None:
        """See `TextDisplay.write`: a page of 128 dots, two of them for large characters."""
        for index, dots in enumerate(rendered(text, self._scale)):
            page = row * self._scale + index
            start = bytes([PAGE | page, self._offset & 0x0F, 0x10 | self._offset >> 4])
            self._device.send(COMMANDS + start)
            self._device.send(DATA + dots)
        if row == self._rows - 1:
            self._device.send(COMMANDS + DISPLAY_ON)


def _set_up(options: Ssd1306Options) -> bytes:
    """Section 10 has the commands, the application note at the end of the data sheet their values."""
    half = options.height == 32
    return bytes(
        [
            *(0xD5, 0x80),  # clock: as after a reset
            *(0xA8, options.height - 1),  # rows that are driven
            *(0xD3, 0x00),  # no vertical offset
            0x40,  # starts with row 0
            *(0x8D, 0x14),  # charge pump on
            *(0x20, 0x02),  # page addressing
            0xA0 if options.rotated else 0xA1,
            0xC0 if options.rotated else 0xC8,
            *(0xDA, 0x02 if half else 0x12),  # how the rows are wired
            *(0x81, options.contrast),
            *(0xD9, 0xF1),  # pre-charge, for the charge pump
            *(0xDB, 0x40),  # deselect level
            0xA4,  # shows its memory
            0xA6,  # a one is a dot that is lit
        ]
    )


def rendered(text: str, scale: int) -> list[bytes]:
    """The dots of a line of text: per page, 128 columns of eight dots, bit 0 on top."""
    font = glyphs()
    dots = b"".join(font[character] + b"\x00" for character in text)
    if scale == 1:
        return [dots.ljust(DOTS, b"\x00")]
    tall = [_doubled(column) for column in dots for _ in range(2)]
    return [bytes(each >> shift & 0xFF for each in tall).ljust(DOTS, b"\x00") for shift in (0, 8)]


def _doubled(column: int) -> int:
    """Every bit twice."""
    return sum(3 << 2 * bit for bit in range(8) if column >> bit & 1)
