"""What goes over the wire to a PN532 and back, without any wire (NXP UM0701-02, chapters 6.2 and 7).

A normal frame is `00 00 FF LEN LCS TFI PD0 … PDn DCS 00`: LEN + LCS and TFI + PD0 + … + DCS are zero modulo 256.
"""

import msgspec

from hal.errors import ReaderError

TO_CHIP, TO_HOST = 0xD4, 0xD5

ACK = bytes.fromhex("0000ff00ff00")
"""Acknowledges a frame; sent by the host, it makes the chip give up the command that it carries out."""

WAKE_UP = bytes.fromhex("5555") + bytes(14)
"""Wakes the serial interface (HSU) of a chip in power-down; harmless to one that is awake (chapter 7.2.11)."""

GET_FIRMWARE_VERSION = 0x02
SAM_CONFIGURATION = 0x14
RF_CONFIGURATION = 0x32
IN_LIST_PASSIVE_TARGET = 0x4A

NORMAL_MODE = bytes([0x01, 0x14, 0x01])
"""SAMConfiguration: no security module; its time-out of 1 s is without meaning then; the IRQ pin is driven."""

FEW_RETRIES = bytes([0x05, 0xFF, 0x01, 0x01])
"""RFConfiguration item 5: look for a card twice and report that there is none, instead of looking for ever."""

ONE_CARD_TYPE_A = bytes([0x01, 0x00])
"""InListPassiveTarget: one target, 106 kbit/s type A."""

MAX_BUFFER = 512
"""Bytes that may wait for the rest of their frame; the longest normal frame has 262."""

_START = b"\x00\xff"
_SYNTAX_ERROR = b"\x7f"


class Answer(msgspec.Struct, frozen=True):
    """What the chip answers: the command's code and the data behind it. An ACK has code 0 and no data."""

    code: int
    data: bytes = b""


ACKNOWLEDGED = Answer(0)


def frame(command: int, data: bytes = b"") -> bytes:
    """The frame that carries a command."""
    body = bytes([TO_CHIP, command]) + data
    length = len(body)
    return b"\x00\x00\xff" + bytes([length, -length & 0xFF]) + body + bytes([-sum(body) & 0xFF, 0])


class Frames:
    """Finds frames in what comes from the chip, in pieces of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def clear(self) -> None:
        """Forget what has come."""
        self._buffer.clear()

    def feed(self, data: bytes) -> list[Answer]:
        """The answers that are complete now. ReaderError for a frame that is damaged, and for the chip's error frame."""
        self._buffer += data
        found: list[Answer] = []
        try:
            while (answer := self._next()) is not None:
                found.append(answer)
        except ReaderError:
            self._buffer.clear()
            raise
        if len(self._buffer) > MAX_BUFFER:
            del self._buffer[:-MAX_BUFFER]
        return found

    def _next(self) -> Answer | None:
        buffer = self._buffer
        start = buffer.find(_START)
        if start < 0:
            return None
        head = start + len(_START)
        if len(buffer) < head + 2:
            return None
        length, check = buffer[head], buffer[head + 1]
        if (length, check) == (0x00, 0xFF):
            del buffer[: head + 2]
            return ACKNOWLEDGED
        if (length + check) & 0xFF or not length:
            raise ReaderError(f"damaged frame: length {length:#04x} with check byte {check:#04x}")
        end = head + 2 + length
        if len(buffer) <= end:
            return None
        body, check = bytes(buffer[head + 2 : end]), buffer[end]
        del buffer[: end + 1]
        return _answer(body, check)


def first_frame(data: bytes) -> bytes:
    """Without what an I2C read of fixed length delivers behind the frame, which may look like the start of another."""
    start = data.find(_START)
    if start < 0 or len(data) < start + 4:
        return data
    length, check = data[start + 2], data[start + 3]
    return data[: start + 4] if (length, check) == (0x00, 0xFF) else data[: start + 5 + length]


def _answer(body: bytes, check: int) -> Answer:
    if (sum(body) + check) & 0xFF:
        raise ReaderError(f"damaged frame: check byte {check:#04x} does not fit {body.hex()}")
    if body == _SYNTAX_ERROR:
        raise ReaderError("the reader did not understand the command (error frame)")
    if len(body) < 2 or body[0] != TO_HOST:
        raise ReaderError(f"a frame that is no answer: {body.hex()}")
    return Answer(body[1] - 1, body[2:])


def target_uid(data: bytes) -> bytes | None:
    """The UID in the answer to InListPassiveTarget (chapter 7.3.5); None: no card. ReaderError if it is cut short."""
    if not data or data[0] == 0:
        return None
    size = data[5] if len(data) > 5 else 0
    uid = data[6 : 6 + size]
    if not size or len(uid) != size:
        raise ReaderError(f"a target without a whole UID: {data.hex()}")
    return uid
