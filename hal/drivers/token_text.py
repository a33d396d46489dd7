"""What readers send as text, and the token that it means: hex, decimal, Wiegand words, with or without a checksum."""

from typing import Annotated, Literal

from msgspec import Meta

from hal.drivers.card_reader import ReaderOptions
from hal.errors import ReaderError

MIN_CHARS, MAX_CHARS = 4, 20
"""Characters of a token: a UID of 10 bytes has 20, and OCPP 1.6 carries no more."""

MAX_MESSAGE = 64
"""Bytes of a message; what is longer is noise."""


UNREADABLE = "?"
"""Stands for a character that no reader sends."""


class TextOptions(ReaderOptions, frozen=True, kw_only=True):
    """How to make a token out of a message.

    `format`: "hex"; "decimal", a number that becomes `uid_bytes` bytes in hex; "wiegand26" and "wiegand34", a word with
    its two parity bits in hex, of which 3 or 4 bytes remain; "text", taken as it is. `reverse`: the reader sends the
    last byte first. `checksum`: "xor", the last two hex digits are the exclusive or of the bytes before them.
    """

    format: Literal["hex", "decimal", "wiegand26", "wiegand34", "text"] = "hex"
    reverse: bool = False
    checksum: Literal["none", "xor"] = "none"
    uid_bytes: Annotated[int, Meta(ge=3, le=10)] = 4
    token_type: Literal["ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress"] = "ISO14443"


def token(message: str, options: TextOptions) -> str:
    """The token that a message means; ReaderError when it cannot be right."""
    message = message.strip()
    if options.format == "text":
        found = message
    else:
        raw = _bytes(message, options)
        found = (raw[::-1] if options.reverse else raw).hex().upper()
    if not MIN_CHARS <= len(found) <= MAX_CHARS or UNREADABLE in found or not found.isprintable():
        raise ReaderError(f"{message!r} is no token: it needs {MIN_CHARS} to {MAX_CHARS} readable characters")
    return found


def _bytes(message: str, options: TextOptions) -> bytes:
    if options.format == "decimal":
        return _decimal(message, options.uid_bytes)
    if options.checksum == "xor":
        message = _checked(message)
    if options.format == "hex":
        return _hex(message)
    return _wiegand(message, 26 if options.format == "wiegand26" else 34)


def _hex(message: str) -> bytes:
    try:
        return bytes.fromhex(message)
    except ValueError as error:
        raise ReaderError(f"{message!r} is not an even number of hex digits") from error


def _decimal(message: str, size: int) -> bytes:
    if not (message.isascii() and message.isdigit()):
        raise ReaderError(f"{message!r} is no decimal number")
    try:
        return int(message).to_bytes(size, "big")
    except OverflowError as error:
        raise ReaderError(f"{message!r} does not fit into {size} bytes") from error


def _checked(message: str) -> str:
    raw = _hex(message)
    check = 0
    for byte in raw:
        check ^= byte
    if check or len(raw) < 2:
        raise ReaderError(f"{message!r} has a wrong checksum")
    return message[:-2]


def _wiegand(message: str, size: int) -> bytes:
    """The data of a word: even parity in front over the first half, odd parity behind over the second."""
    word = int.from_bytes(_hex(message if len(message) % 2 == 0 else "0" + message), "big")
    if word >> size:
        raise ReaderError(f"{message!r} has more than {size} bits")
    half = size // 2
    if (word >> half).bit_count() % 2 or not (word & (1 << half) - 1).bit_count() % 2:
        raise ReaderError(f"{message!r} has a wrong parity")
    return (word >> 1 & (1 << size - 2) - 1).to_bytes((size - 2) // 8, "big")


class Messages:
    """Cuts what comes over a line into messages: between control characters (STX, ETX, CR, LF), whichever there are.

    A message of which the beginning may have been missed is left out: it begins behind a control character or silence.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._whole = False

    def feed(self, data: bytes) -> list[str]:
        """The messages that are complete now; what is no ASCII in them becomes `UNREADABLE`."""
        found: list[str] = []
        for byte in data:
            if byte >= 0x20:
                self._buffer.append(byte)
                if len(self._buffer) > MAX_MESSAGE:
                    self._buffer.clear()
                    self._whole = False
                continue
            if self._buffer and self._whole:
                found.append(self._buffer.decode("ascii", "replace").replace("\ufffd", UNREADABLE))
            self._buffer.clear()
            self._whole = True
        return found

    def silence(self) -> None:
        """Nothing came for a while: what has begun will not go on."""
        self._buffer.clear()
        self._whole = True
