"""RC522 card readers on SPI: ISO 14443 A cards, by the anticollision of ISO/IEC 14443-3 clause 6.5."""

from typing import Annotated

from msgspec import Meta

from hal.bench import PartBench
from hal.chips.mfrc522 import Garbled, Mfrc522
from hal.drivers.card_reader import RETRY_S, STEP_S, CardReader, PollingOptions
from hal.errors import HardwareError, ReaderError
from hal.iso14443 import CASCADE_TAG, level_bytes, uid_text

WAKE_UP = bytes([0x52])
"""WUPA, 7 bits: also wakes cards that were halted, as every card is after it was read."""

HALT = bytes([0x50, 0x00])
SELECT = (0x93, 0x95, 0x97)
"""SEL of the three cascade levels."""

WHOLE = 0x70
"""NVB of a selection: all 40 bits follow."""

NOT_COMPLETE = 0x04
"""Bit of SAK: another cascade level follows."""

LEVEL_SIZE = 5
MOST_KNOWN = 32
"""Bits of a cascade level without its check byte, that two cards may differ in."""

MAX_ROUNDS = 2 * MOST_KNOWN + 1
"""Rounds of one anticollision: every one of its 32 bits is tried with both values at the most."""


class Rc522Options(PollingOptions, frozen=True, kw_only=True):
    """`device`: the SPI device file; without it, the board's."""

    device: str | None = None
    speed_hz: Annotated[int, Meta(ge=100_000, le=10_000_000)] = 1_000_000


class Rc522(CardReader):
    """Looks for one card every `poll_s`, in a thread of its own."""

    options_type = Rc522Options

    def __init__(self, bench: PartBench, options: Rc522Options) -> None:
        super().__init__(bench, options)
        self._poll_s = options.poll_s
        self._device = options.device or bench.device("spi")
        self._chip = Mfrc522(bench.spi(self._device, mode=0, speed_hz=options.speed_hz))
        self._set_up = False
        self._next_at = bench.clock.monotonic()
        self.version = 0

    def start(self) -> None:
        """See `Part.start`."""
        self.bench.thread(self._device).every(STEP_S, self.step)

    def step(self) -> None:
        """One turn in the bus's thread, which looks for a card when it is time to. Raises nothing."""
        now = self.bench.clock.monotonic()
        if now < self._next_at:
            return
        try:
            if not self._set_up or not self._chip.ready:
                self._set_up = False
                self.version = self._chip.set_up()
                self._set_up = True
            self.saw(self._look())
            self._next_at = now + self._poll_s
        except HardwareError as error:
            self.failed(error)
            self._set_up = False
            self._next_at = now + RETRY_S

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        return {**super().values(), "chip": f"MFRC522, version {self.version:#04x}"}

    def _look(self) -> str | None:
        """The UID of a card in the field. What is garbled on the air is seen better at the next look."""
        try:
            if self._chip.exchange(WAKE_UP, last_bits=7) is None:
                return None
            uid = self._select()
            self._chip.exchange(HALT + self._chip.crc(HALT))
        except Garbled:
            return None
        return None if uid is None else uid_text(uid)

    def _select(self) -> bytes | None:
        """Select one card, level by level; None when it has gone meanwhile."""
        uid = b""
        for command in SELECT:
            found = self._anticollision(command)
            if found is None:
                return None
            frame = bytes([command, WHOLE]) + found
            answer = self._chip.exchange(frame + self._chip.crc(frame))
            if answer is None:
                return None
            if len(answer.data) != 3 or self._chip.crc(answer.data[:1]) != answer.data[1:]:
                raise Garbled(f"SAK {answer.data.hex()}")
            if not answer.data[0] & NOT_COMPLETE:
                return uid + found[:4]
            if found[0] != CASCADE_TAG:
                raise Garbled("a UID that goes on without a cascade tag")
            uid += found[1:4]
        raise Garbled("a UID of more than three levels")

    def _anticollision(self, command: int) -> bytes | None:
        """The four bytes of one card at this level, and their check byte; None when none answers.

        While several answer, the bits that one card must have are given one after another, 0 before 1. The place of the
        collision, which the chip tells as well, is not needed that way.
        """
        prefix = known = 0
        for _ in range(MAX_ROUNDS):
            whole, bits = divmod(known, 8)
            sent = bytes([command, 2 + whole << 4 | bits]) + prefix.to_bytes(5, "little")[: whole + (bits > 0)]
            answer = self._chip.exchange(sent, last_bits=bits, align=bits)
            if answer is None and known == 0:
                return None
            if answer is None:
                prefix |= 1 << known - 1
            elif answer.collided and known < MOST_KNOWN:
                known += 1
            elif whole + len(answer.data) != LEVEL_SIZE:
                raise Garbled(f"anticollision answer {answer.data.hex()}")
            else:
                received = int.from_bytes(answer.data, "little") << 8 * whole
                return _checked((received >> known << known | prefix).to_bytes(LEVEL_SIZE, "little"))
        raise Garbled("an anticollision without an end")


def _checked(found: bytes) -> bytes:
    try:
        level_bytes(found)
    except ReaderError as error:
        raise Garbled(str(error)) from error
    return found
