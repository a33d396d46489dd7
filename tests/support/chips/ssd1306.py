"""An emulated SSD1306 or SH1106 display (data sheets of Solomon Systech and Sino Wealth)."""

import errno
import random

ARGUMENTS = {0x20: 1, 0x81: 1, 0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1, 0x8D: 1}


class Ssd1306:
    """`dots` is what people see: rows of "#" and "."; empty while it is off. `offset`: 2 for an SH1106."""

    def __init__(self, offset: int = 0) -> None:
        self._offset = offset
        self.absent = False
        self.reset()

    def reset(self) -> None:
        """After power-on: off, with noise in its memory."""
        noise = random.Random(1)
        self._memory = [bytearray(noise.randbytes(132)) for _ in range(8)]
        self.on = self.pumped = False
        self.settings: dict[int, int] = {}
        self.flips: set[int] = set()
        self._page = self._column = 0

    def write(self, data: bytes) -> None:
        if self.absent:
            raise OSError(errno.EREMOTEIO, "NACK")
        if data[0] == 0x40:
            for byte in data[1:]:
                self._memory[self._page][self._column % 132] = byte
                self._column += 1
            return
        assert data[0] == 0x00
        commands = iter(data[1:])
        for command in commands:
            if command in ARGUMENTS:
                self.settings[command] = next(commands)
            elif command & 0xF8 == 0xB0:
                self._page = command & 7
            elif command & 0xF0 == 0x00:
                self._column = self._column & 0xF0 | command
            elif command & 0xF0 == 0x10:
                self._column = self._column & 0x0F | (command & 0x0F) << 4
            elif command in (0xAE, 0xAF):
                self.on = command == 0xAF
            elif command in (0xA0, 0xA1, 0xC0, 0xC8):
                self.flips.add(command)
            else:
                assert command in (0x40, 0xA4, 0xA6), hex(command)

    def read(self, length: int) -> bytes:
        return bytes(length)

    @property
    def dots(self) -> list[str]:
        if not self.on or self.settings.get(0x8D) != 0x14 or self.settings.get(0x20) != 0x02:
            return []
        height = self.settings[0xA8] + 1
        columns = range(self._offset, self._offset + 128)
        return ["".join("#" if self._memory[y // 8][x] >> y % 8 & 1 else "." for x in columns) for y in range(height)]
