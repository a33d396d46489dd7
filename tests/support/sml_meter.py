"""An emulated meter that speaks SML: it builds telegrams as TR-03109-1 annex IV has them."""

from hal.sml import BEGIN, ESCAPE, crc16_x25

Item = bytes | bool | int | list | None


def encoded(item: Item) -> bytes:
    """A type-length field."""
    if item is None:
        return b"\x01"
    if isinstance(item, bool):
        return b"\x42\x01" if item else b"\x42\x00"
    if isinstance(item, list):
        return _head(0x70, len(item)) + b"".join(map(encoded, item))
    if isinstance(item, bytes):
        head = _head(0x00, len(item) + 1)
        return (head if len(head) == 1 else _head(0x00, len(item) + 2)) + item
    size = next(each for each in (1, 2, 4, 8) if -(256**each) // 2 <= item < 256**each // 2)
    return bytes([0x50 | size + 1]) + item.to_bytes(size, "big", signed=True)


def _head(kind: int, length: int) -> bytes:
    return bytes([kind | length]) if length < 16 else bytes([0x80 | kind | length >> 4, length & 15])


def entry(code: str, value: Item, *, unit: int | None = 30, scaler: int | None = -1) -> list:
    """An entry of the list: "1.8.0" is 1-0:1.8.0*255."""
    return [bytes([1, 0, *map(int, code.split(".")), 255]), None, None, unit, scaler, value, None]


def content(*entries: list) -> bytes:
    """What stands in a telegram: open, list, close."""
    identity = bytes.fromhex("0a01454d480000a1b2c3")
    bodies = [
        [0x0101, [None, None, b"\x01\x02", identity, None, None]],
        [0x0701, [None, identity, bytes.fromhex("0100620affff"), [1, 77], list(entries), None, None]],
        [0x0201, [None]],
    ]
    found = b""
    for number, body in enumerate(bodies):
        head = b"\x76" + b"".join(map(encoded, [bytes([5, number]), 0, 0, body]))
        found += head + b"\x63" + crc16_x25(head).to_bytes(2, "little") + b"\x00"
    return found


def telegram(inner: bytes) -> bytes:
    """With begin, escapes, padding, end and checksum."""
    padding = -len(inner) % 4
    body = BEGIN + (inner + bytes(padding)).replace(ESCAPE, ESCAPE * 2) + ESCAPE + bytes([0x1A, padding])
    return body + crc16_x25(body).to_bytes(2, "little")
