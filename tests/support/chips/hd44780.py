"""An emulated HD44780 display behind a PCF8574 (Hitachi HD44780U, NXP PCF8574)."""

import errno

ROM = {
    0x5C: "¥",
    0x7E: "→",
    0x7F: "←",
    0xDF: "°",
    0xE1: "ä",
    0xE2: "ß",
    0xE4: "µ",
    0xEF: "ö",
    0xF5: "ü",
    0xEE: "ñ",
    0xFD: "÷",
}
ROWS = {"16x2": (0x00, 0x40), "16x4": (0x00, 0x40, 0x10, 0x50), "20x4": (0x00, 0x40, 0x14, 0x54)}


class Hd44780:
    """`rows` is what people see; "" while it is off. `absent`: the backpack does not answer."""

    def __init__(self, size: str = "20x4") -> None:
        self._columns = int(size.partition("x")[0])
        self._starts = ROWS[size]
        self.absent = False
        self.transfers: list[int] = []
        self.reset()

    def reset(self) -> None:
        """After power-on: 8 bits wide, off, with nothing in its memory."""
        self.memory = dict.fromkeys(range(0x80), 0x20)
        self.eight_bits, self.on, self.forward, self.two_lines = True, False, False, False
        self.address = 0
        self.backlight = False
        self._high: int | None = None
        self._enabled = False

    def disturb(self) -> None:
        """A spike on E: one nibble too many."""
        if not self.eight_bits:
            self._high = 0x0 if self._high is None else None

    def write(self, data: bytes) -> None:
        self._answer()
        self.transfers.append(len(data))
        for lines in data:
            self.backlight = bool(lines & 0x08)
            if self._enabled and not lines & 0x04:
                assert not lines & 0x02, "the display would drive its data lines"
                self._latch(lines & 0xF0, bool(lines & 0x01))
            self._enabled = bool(lines & 0x04)

    def read(self, length: int) -> bytes:
        self._answer()
        return bytes(length)

    def _answer(self) -> None:
        if self.absent:
            raise OSError(errno.EREMOTEIO, "NACK")

    def _latch(self, nibble: int, data: bool) -> None:
        if self.eight_bits:
            self._take(nibble, data)
        elif self._high is None:
            self._high = nibble
        else:
            byte, self._high = self._high | nibble >> 4, None
            self._take(byte, data)

    def _take(self, byte: int, data: bool) -> None:
        if data:
            self.memory[self.address] = byte
            self.address = (self.address + 1 if self.forward else self.address - 1) & 0x7F
        elif byte & 0x80:
            self.address = byte & 0x7F
        elif byte & 0x20:
            self.eight_bits, self.two_lines = bool(byte & 0x10), bool(byte & 0x08)
        elif byte & 0x08:
            self.on = bool(byte & 0x04)
        elif byte & 0x04:
            self.forward = bool(byte & 0x02)
        elif byte == 0x01:
            self.memory = dict.fromkeys(range(0x80), 0x20)
            self.address = 0

    @property
    def rows(self) -> list[str]:
        if not (self.on and self.two_lines):
            return [""] * len(self._starts)
        return ["".join(self._character(start + column) for column in range(self._columns)) for start in self._starts]

    def _character(self, address: int) -> str:
        code = self.memory[address]
        return ROM.get(code, chr(code))
