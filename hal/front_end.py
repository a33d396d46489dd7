"""Frames between the station and a microcontroller that keeps pilot and contactor (docs/hal/front-end-protocol.md).

No input or output: bytes in, messages out, and the other way round.
"""

import binascii
import struct
from enum import IntFlag
from typing import Self

import msgspec

START = 0x7E
MAX_PAYLOAD = 64
OVERHEAD = 6
"""Start, length, sequence and type in front of the payload, two bytes of CRC behind it."""

PROTOCOL = 1

STEADY = 10_000
"""Duty cycle in 0.01 %: no PWM, +12 V."""

NO_TEMPERATURE = -0x8000
NO_CODE = 255
"""Of the cable: a plug is in, whose resistor codes nothing."""

HELLO, COMMAND = 0x01, 0x02
INFO, STATE = 0x81, 0x82


class Order(IntFlag):
    """Flags of a command."""

    CLOSE = 0x01
    FAIL = 0x02
    ONE_PHASE = 0x04
    TEST = 0x08


NO_ORDER = Order(0)


class Shows(IntFlag):
    """Flags of a state."""

    DRIVEN = 0x01
    """The contactor's coil."""
    CLOSED = 0x02
    """The contactor's feedback."""
    TRIPS = 0x04
    """The residual current monitor sees leakage, or is being tested."""
    MONITOR_FAULT = 0x08
    MAINS = 0x10
    ONE_PHASE = 0x20
    ALONE = 0x40
    """The station has been silent for too long; cleared by its next command."""


class Frame(msgspec.Struct, frozen=True):
    """One frame, whose CRC was right."""

    sequence: int
    type: int
    payload: bytes


def encode(frame: Frame) -> bytes:
    """The bytes of a frame; ValueError for a payload that is too long."""
    if len(frame.payload) > MAX_PAYLOAD:
        raise ValueError(f"a payload has {MAX_PAYLOAD} bytes at the most")
    body = bytes([len(frame.payload), frame.sequence & 0xFF, frame.type]) + frame.payload
    return bytes([START]) + body + _crc(body).to_bytes(2, "big")


def _crc(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 0x1021, beginning with 0xFFFF."""
    return binascii.crc_hqx(data, 0xFFFF)


class Decoder:
    """Finds frames in a stream of bytes. Never raises; keeps no more than one frame's bytes between calls."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.damaged = 0
        """Frames that began like one and were none."""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now."""
        self._buffer += data
        found: list[Frame] = []
        while (frame := self._next()) is not None:
            found.append(frame)
        return found

    def _next(self) -> Frame | None:
        buffer = self._buffer
        while True:
            start = buffer.find(START)
            if start < 0:
                buffer.clear()
                return None
            del buffer[:start]
            if len(buffer) < 2:
                return None
            length = buffer[1]
            if length <= MAX_PAYLOAD:
                if len(buffer) < length + OVERHEAD:
                    return None
                body, crc = bytes(buffer[1 : length + 4]), bytes(buffer[length + 4 : length + OVERHEAD])
                if _crc(body) == int.from_bytes(crc, "big"):
                    del buffer[: length + OVERHEAD]
                    return Frame(body[1], body[2], body[3:])
            self.damaged += 1
            del buffer[0]  # what looked like a start may have been a byte of another frame


class Command(msgspec.Struct, frozen=True):
    """Everything that the station wants; each one stands for itself. `duty` in 0.01 %."""

    duty: int = STEADY
    orders: Order = NO_ORDER

    _FORM = struct.Struct(">HB")

    def pack(self) -> bytes:
        """As a payload."""
        return self._FORM.pack(self.duty, self.orders)

    @classmethod
    def unpack(cls, payload: bytes) -> Self | None:
        """None for what is no command."""
        if len(payload) != cls._FORM.size:
            return None
        duty, orders = cls._FORM.unpack(payload)
        return cls(duty, Order(orders & 0x0F)) if duty <= STEADY else None


class State(msgspec.Struct, frozen=True):
    """Everything that the front end sees. Voltages in 0.01 V, temperature in 0.1 °C, cable in A."""

    pilot: str
    duty: int
    shows: Shows
    obeyed: int
    """The sequence number of the newest command that was carried out."""
    cable: int = 0
    """0: no plug, or `NO_CODE`."""
    temperature: int = NO_TEMPERATURE
    high: int = 0
    low: int = 0

    _FORM = struct.Struct(">BHHBBhhh")

    def pack(self) -> bytes:
        """As a payload."""
        return self._FORM.pack(
            ord(self.pilot), self.duty, self.shows, self.obeyed, self.cable, self.temperature, self.high, self.low
        )

    @classmethod
    def unpack(cls, payload: bytes) -> Self | None:
        """None for what is no state."""
        if len(payload) != cls._FORM.size:
            return None
        pilot, duty, shows, *rest = cls._FORM.unpack(payload)
        if not ord("A") <= pilot <= ord("F") or duty > STEADY:
            return None
        return cls(chr(pilot), duty, Shows(shows & 0x7F), *rest)


class Info(msgspec.Struct, frozen=True):
    """Who the front end is. `silence_ms`: it opens the contactor when it hears nothing for so long."""

    protocol: int
    silence_ms: int
    name: str

    _FORM = struct.Struct(">BH")

    def pack(self) -> bytes:
        """As a payload."""
        return self._FORM.pack(self.protocol, self.silence_ms) + self.name.encode("ascii", "replace")

    @classmethod
    def unpack(cls, payload: bytes) -> Self | None:
        """None for what is no information."""
        if len(payload) < cls._FORM.size:
            return None
        protocol, silence_ms = cls._FORM.unpack_from(payload)
        return cls(protocol, silence_ms, payload[cls._FORM.size :].decode("ascii", "replace"))
