"""The MFRC522 card reader chip on SPI (NXP data sheet MFRC522, rev. 3.9): sends to cards, receives, computes CRC_A."""

import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from hal.errors import ReaderError

COMMAND, COM_IRQ, DIV_IRQ, ERROR = 0x01, 0x04, 0x05, 0x06
FIFO_DATA, FIFO_LEVEL, CONTROL, BIT_FRAMING, COLLISION = 0x09, 0x0A, 0x0C, 0x0D, 0x0E
MODE, TX_CONTROL, TX_ASK = 0x11, 0x14, 0x15
CRC_HIGH, CRC_LOW = 0x21, 0x22
TIMER_MODE, TIMER_PRESCALER, TIMER_HIGH, TIMER_LOW = 0x2A, 0x2B, 0x2C, 0x2D
VERSION = 0x37

IDLE, CALCULATE_CRC, TRANSCEIVE, SOFT_RESET = 0x00, 0x03, 0x0C, 0x0F

POWER_DOWN = 0x10
RX_IRQ, TIMER_IRQ = 0x20, 0x01
CRC_IRQ = 0x04
ANTENNA_ON = 0x03
FORCE_100_ASK = 0x40
FIFO_FULL = 64

SETTINGS = (
    (TIMER_MODE, 0x80),  # starts when something was sent
    (TIMER_PRESCALER, 0xA9),  # with 169 it counts in steps of 25 us
    (TIMER_HIGH, 0x00),
    (TIMER_LOW, 0xC8),  # 200 of them: 5 ms; cards answer within 0.1 ms
    (TX_ASK, FORCE_100_ASK),
    (MODE, 0x3D),  # CRC_A begins with 0x6363
    (COLLISION, 0x00),  # bits behind a collision are zero
)
"""What the chip needs for type A at 106 kbit/s, after a reset."""

LOOK_S = 0.001
MAX_LOOKS = 25
"""Looks at the interrupt register, one every `LOOK_S`; the chip's timer ends its waiting after 5 ms."""


class Spi(Protocol):
    """What the chip is connected to; see `hal.bus.spi.Device`."""

    def transfer(self, data: bytes) -> bytes:
        """Shift out and in."""


class Garbled(Exception):
    """What a card said was damaged on the air: it is at the edge of the field, or being moved."""


class Received(msgspec.Struct, frozen=True):
    """Bytes from a card; `collided`: several cards have said different things."""

    data: bytes
    collided: bool = False


class Mfrc522:
    """Registers and the four commands used. Methods take up to `MAX_LOOKS` milliseconds; BusError, or ReaderError."""

    def __init__(self, spi: Spi) -> None:
        self._spi = spi

    # -- registers (chapter 8.1.2) --------------------------------------------------------------------------------

    def read(self, register: int) -> int:
        """One register."""
        return self._spi.transfer(bytes([0x80 | register << 1, 0]))[1]

    def write(self, register: int, *values: int) -> None:
        """One register; several values are for the FIFO."""
        self._spi.transfer(bytes([register << 1, *values]))

    # -- the chip -------------------------------------------------------------------------------------------------

    def set_up(self) -> int:
        """Reset it, set it up and switch the field on; gives its version. ReaderError when no chip is there."""
        self.write(COMMAND, SOFT_RESET)
        self._look(lambda: not self.read(COMMAND) & POWER_DOWN, "does not come out of its reset")
        version = self.read(VERSION)
        if version in (0x00, 0xFF):
            raise ReaderError(f"no MFRC522 answers (version {version:#04x})")
        for register, value in SETTINGS:
            self.write(register, value)
        self.write(TX_CONTROL, self.read(TX_CONTROL) | ANTENNA_ON)
        if not self.ready:
            raise ReaderError("the chip does not keep its settings")
        return version

    @property
    def ready(self) -> bool:
        """Whether it still has its settings, which it loses with its supply."""
        return self.read(TX_ASK) == FORCE_100_ASK and self.read(TX_CONTROL) & ANTENNA_ON == ANTENNA_ON

    def exchange(self, data: bytes, *, last_bits: int = 0, align: int = 0) -> Received | None:
        """Send to cards and give what they answer; None: nobody does. `Garbled` for parity and framing errors.

        `last_bits`: how many bits of the last byte are sent, 0: all; `align`: where the first received bit is stored.
        """
        self.write(COMMAND, IDLE)
        self.write(COM_IRQ, 0x7F)
        self.write(FIFO_LEVEL, 0x80)
        self.write(FIFO_DATA, *data)
        self.write(BIT_FRAMING, align << 4 | last_bits)
        self.write(COMMAND, TRANSCEIVE)
        self.write(BIT_FRAMING, 0x80 | align << 4 | last_bits)
        self._look(lambda: self.read(COM_IRQ) & (RX_IRQ | TIMER_IRQ), "does not end its waiting")
        received = self.read(COM_IRQ) & RX_IRQ
        errors = self.read(ERROR)
        self.write(BIT_FRAMING, 0)
        self.write(COMMAND, IDLE)
        if not received:
            return None
        if errors & 0x13:
            raise Garbled(f"error register {errors:#04x}")
        return Received(self._fifo(), bool(errors & 0x08))

    def _fifo(self) -> bytes:
        level = self.read(FIFO_LEVEL)
        if level > FIFO_FULL:
            raise ReaderError(f"the chip says that its FIFO of {FIFO_FULL} bytes has {level}")
        return self._spi.transfer(bytes([0x80 | FIFO_DATA << 1]) * level + b"\x00")[1:] if level else b""

    def crc(self, data: bytes) -> bytes:
        """CRC_A of the data, low byte first, computed by the chip."""
        self.write(COMMAND, IDLE)
        self.write(DIV_IRQ, CRC_IRQ)
        self.write(FIFO_LEVEL, 0x80)
        self.write(FIFO_DATA, *data)
        self.write(COMMAND, CALCULATE_CRC)
        self._look(lambda: self.read(DIV_IRQ) & CRC_IRQ, "does not compute a CRC")
        self.write(COMMAND, IDLE)
        return bytes([self.read(CRC_LOW), self.read(CRC_HIGH)])

    def _look(self, done: Callable[[], object], otherwise: str) -> None:
        for _ in range(MAX_LOOKS):
            if done():
                return
            time.sleep(LOOK_S)
        raise ReaderError(f"the chip {otherwise}")
