"""IEC 62056-21 ("D0", formerly IEC 61107): the readable telegrams of optical heads, from characters to values. No I/O.

Whatever comes, nothing but D0Error is raised, and no more than `MAX_TELEGRAM` bytes are kept.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import reduce
from operator import xor

import msgspec

from hal.errors import MeterError

MAX_TELEGRAM = 16_384
"""Bytes of a telegram; large industrial meters tell some 6,000."""

MAX_IDENTIFICATION = 64
"""Bytes of the first line; the standard has 21 and a terminator."""

REQUEST = b"/?!\r\n"
STX, ETX = 0x02, 0x03

SPEEDS = {"0": 300, "1": 600, "2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19200}
"""The identification's character -> baud of what follows, in protocol mode C (section 6.3.14)."""

SCALES = {
    "Wh": ("Wh", 1),
    "kWh": ("Wh", 1000),
    "MWh": ("Wh", 1_000_000),
    "varh": ("varh", 1),
    "kvarh": ("varh", 1000),
    "W": ("W", 1),
    "kW": ("W", 1000),
    "var": ("var", 1),
    "kvar": ("var", 1000),
    "V": ("V", 1),
    "A": ("A", 1),
    "Hz": ("Hz", 1),
    "": ("", 1),
}
"""Unit in a telegram -> unit of the measurand, and how many of it."""

_LINE = re.compile(
    r"(?:\d{1,3}-\d{1,3}:)?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(?:[*&]\d{1,3})?\(([^()*]*)(?:\*([^()]*))?\)"
)
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d{1,10})?")


class D0Error(MeterError):
    """A telegram that cannot be read."""


class Identification(msgspec.Struct, frozen=True):
    """The meter's first line: three letters of the maker, the speed it can do, and its own name."""

    maker: str
    speed: str
    name: str

    @property
    def baud(self) -> int | None:
        """What it proposes to go on with in mode C; None where it is another mode."""
        return SPEEDS.get(self.speed)


def identification(line: bytes) -> Identification:
    """The line that a meter answers a request with, without its end; D0Error when it is none."""
    text = _plain(line).strip("\r\n\0")
    found = re.fullmatch(r"/([A-Za-z]{3})(.)(.*)", text)
    if found is None or len(line) > MAX_IDENTIFICATION:
        raise D0Error("the answer is no identification of a meter")
    return Identification(*found.groups())


def acknowledge(speed: str) -> bytes:
    """Option select: normal protocol, that speed, data readout."""
    return b"\x06" + f"0{speed}0\r\n".encode("ascii")


class Readouts:
    """Finds telegrams in what a serial port gives: from "/" or STX to "!" and its line's end, or to ETX and its checksum."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.damaged = 0
        """Telegrams with a wrong checksum, or too long."""

    def clear(self) -> None:
        """Forget what has come: another telegram is asked for."""
        self._buffer.clear()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The data block of every sound telegram that ends in what has come. Parity bits are taken off."""
        for start in range(0, len(data), MAX_TELEGRAM):
            self._buffer += bytes(each & 0x7F for each in data[start : start + MAX_TELEGRAM]) if data else b""
            yield from self._sound()

    def _sound(self) -> Iterator[bytes]:
        while self._skip_to_begin():
            end, content = self._scan()
            if end is None:
                if len(self._buffer) <= MAX_TELEGRAM:
                    return
                end = 1
            del self._buffer[:end]
            if content is None:
                self.damaged += 1
            else:
                yield content

    def _skip_to_begin(self) -> bool:
        begins = [place for each in (b"/", b"\x02") if (place := self._buffer.find(each)) >= 0]
        del self._buffer[: min(begins, default=len(self._buffer))]
        return bool(begins)

    def _scan(self) -> tuple[int | None, bytes | None]:
        """Where the telegram at the buffer's begin ends (None: not yet), and its data (None: it is damaged)."""
        buffer = self._buffer
        stx, mark = buffer.find(STX), buffer.find(b"!")
        if stx >= 0 and (mark < 0 or stx < mark):
            etx = buffer.find(ETX, stx)
            if etx < 0 or len(buffer) < etx + 2:
                return None, None
            right = reduce(xor, buffer[stx + 1 : etx + 1]) == buffer[etx + 1]
            return etx + 2, bytes(buffer[stx + 1 : etx]) if right else None
        again = buffer.find(b"/", 1)
        if again >= 0 and (mark < 0 or again < mark) and buffer[again - 1] in b"\r\n":
            return again, None  # the one before was cut off
        end = buffer.find(b"\n", mark) if mark >= 0 else -1
        return (end + 1, bytes(buffer[:mark])) if end >= 0 else (None, None)


def values(content: bytes) -> list[tuple[str, Decimal, str]]:
    """Code ("1.8.0"), value and unit of every number that a telegram's data block tells, in units of measurands.

    Other lines (identification, times, errors, texts) are left out; D0Error when there is no number at all.
    """
    found = []
    for line in _plain(content).splitlines():
        match = _LINE.match(line.strip("\x02\x03\0 "))
        if match is None:
            continue
        c, d, e, number, unit = match.groups()
        base, scale = SCALES.get(unit or "", ("", 0))
        if scale and _NUMBER.fullmatch(number):
            found.append((f"{int(c)}.{int(d)}.{int(e or 0)}", Decimal(number) * scale, base))
    if not found:
        raise D0Error("the telegram tells nothing")
    return found


def _plain(data: bytes) -> str:
    return bytes(each & 0x7F for each in data).decode("ascii")
