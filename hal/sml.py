"""Smart Message Language 1.04 (BSI TR-03109-1, annex IV): telegrams that German meters send, from bytes to values.

No I/O: `Telegrams` finds them in a stream and checks them, `values` reads one. Whatever comes, nothing but SmlError is
raised, and no more than `MAX_TELEGRAM` bytes are kept.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from hal.errors import MeterError

MAX_TELEGRAM = 8192
"""Bytes of a telegram; those of household meters have 200 to 700."""

MAX_DEPTH = 10
"""Lists in lists; a telegram needs five levels."""

MAX_LENGTH_BYTES = 4
"""Of one length; two are enough for `MAX_TELEGRAM`."""

MAX_SCALER = 20
"""Powers of ten that a value is scaled with, at the most."""

ESCAPE = b"\x1b" * 4
BEGIN = ESCAPE + b"\x01" * 4
END = 0x1A
GET_LIST_RESPONSE = 0x0701

Node: TypeAlias = "bytes | bool | int | list[Node] | None"


class SmlError(MeterError):
    """A telegram that cannot be read."""


class Value(msgspec.Struct, frozen=True):
    """An entry of the meter's list: `number` times ten to the `scaler`, in the unit of that DLMS code."""

    obis: bytes
    number: int
    scaler: int
    unit: int | None

    @property
    def code(self) -> str:
        """Its OBIS code, C.D.E: "1.8.0"."""
        return ".".join(str(each) for each in self.obis[2:5])

    @property
    def amount(self) -> Decimal:
        """The number, scaled."""
        return Decimal(self.number).scaleb(self.scaler)


class Telegrams:
    """Finds telegrams in what a serial port gives. `crc`: "kermit" for meters that compute theirs so (Holley DTZ541)."""

    def __init__(self, crc: Literal["x25", "kermit"] = "x25") -> None:
        self._kermit = crc == "kermit"
        self._buffer = bytearray()
        self.damaged = 0
        """Telegrams that were begun and could not be used."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The contents of every sound telegram that ends in what has come, without escapes and padding."""
        for start in range(0, len(data), MAX_TELEGRAM):
            self._buffer += data[start : start + MAX_TELEGRAM]
            yield from self._sound()

    def _sound(self) -> Iterator[bytes]:
        while True:
            begin = self._buffer.find(BEGIN)
            if begin < 0:
                del self._buffer[: max(len(self._buffer) - len(BEGIN) + 1, 0)]
                return
            del self._buffer[:begin]
            end, content = self._scan()
            if end is None:
                if len(self._buffer) <= MAX_TELEGRAM:
                    return
                end = len(BEGIN)
            del self._buffer[:end]
            if content is None:
                self.damaged += 1
            else:
                yield content

    def _scan(self) -> tuple[int | None, bytes | None]:
        """Where the telegram at the begin of the buffer ends (None: not yet), and its content (None: it is damaged)."""
        buffer, content = self._buffer, bytearray()
        at = len(BEGIN)
        while True:
            escape = buffer.find(ESCAPE, at)
            if escape < 0 or len(buffer) < escape + 8:
                return None, None
            content += buffer[at:escape]
            after = buffer[escape + 4 : escape + 8]
            if after == ESCAPE:
                content += ESCAPE
                at = escape + 8
            elif after[0] == END:
                return escape + 8, self._checked(content, escape + 8)
            else:  # the begin of another one, whose predecessor was cut off, or nonsense
                return escape, None

    def _checked(self, content: bytearray, end: int) -> bytes | None:
        padding = self._buffer[end - 3]
        told = bytes(self._buffer[end - 2 : end])
        covered = bytes(self._buffer[: end - 2])
        right = crc16(covered, 0).to_bytes(2, "big") if self._kermit else crc16_x25(covered).to_bytes(2, "little")
        if told != right or padding > 3 or padding > len(content):
            return None
        return bytes(content[: len(content) - padding])


def _crc_table() -> tuple[int, ...]:
    found = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
        found.append(value)
    return tuple(found)


_CRC = _crc_table()


def crc16(data: bytes, start: int) -> int:
    """CCITT's polynomial, lowest bit first."""
    for byte in data:
        start = start >> 8 ^ _CRC[(start ^ byte) & 0xFF]
    return start


def crc16_x25(data: bytes) -> int:
    """CRC-16/X.25 (ISO/IEC 13239)."""
    return crc16(data, 0xFFFF) ^ 0xFFFF


def values(content: bytes) -> list[Value]:
    """Every number in the lists that a telegram tells; texts and times are left out. SmlError when it cannot be read."""
    found = []
    for message in _messages(content):
        match message[3]:
            case [tag, [_, _, _, _, list() as entries, *_]] if tag == GET_LIST_RESPONSE:
                found += [value for entry in entries if (value := _value(entry)) is not None]
    return found


def _messages(content: bytes) -> Iterator[list[Node]]:
    reader = _Reader(content)
    while reader.at < len(content):
        message = reader.node()
        if not isinstance(message, list) or len(message) != 6:
            raise SmlError("the telegram holds something that is no message")
        yield message


def _value(entry: Node) -> Value | None:
    match entry:
        case [bytes() as obis, _, _, unit, scaler, value, _] if len(obis) == 6:
            if isinstance(value, bool) or not isinstance(value, int):
                return None
            scaler = 0 if scaler is None else scaler
            if not isinstance(scaler, int) or abs(scaler) > MAX_SCALER or not isinstance(unit, int | None):
                raise SmlError(f"scaler or unit of {obis.hex()} make no sense")
            return Value(obis, value, scaler, unit)
    raise SmlError("an entry of the list has another shape")


class _Reader:
    """Type-length fields (SML 1.04, section 6)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def _byte(self) -> int:
        if self.at >= len(self._data):
            raise SmlError("the telegram ends in the middle")
        self.at += 1
        return self._data[self.at - 1]

    def node(self, depth: int = 0) -> Node:
        first = self._byte()
        if first == 0:  # end of a message
            return None
        kind, length, count = first & 0x70, first & 0x0F, 1
        more = first & 0x80
        while more:
            byte = self._byte()
            count += 1
            if count > MAX_LENGTH_BYTES or byte & 0x70:
                raise SmlError("a length makes no sense")
            length, more = length << 4 | byte & 0x0F, byte & 0x80
        if kind == 0x70:
            if depth >= MAX_DEPTH:
                raise SmlError("lists are nested too deep")
            return [self.node(depth + 1) for _ in range(length)]
        return self._plain(kind, length - count)

    def _plain(self, kind: int, size: int) -> Node:
        if size < 0 or self.at + size > len(self._data):
            raise SmlError("a length makes no sense")
        raw = self._data[self.at : self.at + size]
        self.at += size
        if kind == 0x00:
            return raw or None
        if kind == 0x40 and size == 1:
            return raw != b"\x00"
        if kind in (0x50, 0x60) and 1 <= size <= 8:
            return int.from_bytes(raw, "big", signed=kind == 0x50)
        raise SmlError(f"there is no type {kind >> 4} of {size} bytes")
