"""Signed readings (Open Charge Metering Format) of meters that keep the text in Modbus registers; passed on byte for byte."""

import logging
import struct
import time
from collections.abc import Callable
from typing import Literal

from hal.bus.modbus import Line
from hal.errors import BusError, MeterError
from hal.interfaces import SignedData
from hal.meters.register_map import Ocmf, Signing

Kind = Literal["start", "end", "now"]

READY_S = 5.0
"""How long a meter may take to sign, some two seconds mostly; whoever else is on its line waits as long."""

PAUSE_S = 0.1
"""Between two looks whether it has."""

BEGIN = b"OCMF|"
"""What every text begins with (OCMF 1.0, chapter 3)."""

EARLIEST = 1_735_689_600.0
"""2025: before that a board's clock has not been set since it was switched on, and is not told to a meter."""

CLOCK_S = 86_400.0
"""How often a meter is told the time. The BSM-WS36A wears out when it is told more often, and forgets it after two days."""

LOOK_S = 60.0
"""How often its time is looked at: after its power has failed it has none."""

TOLERATED_S = 10.0
"""A meter whose clock is off by more is told the time at once."""

log = logging.getLogger(__name__)


class Signer:
    """Of one meter; its calls belong into the thread of the line."""

    def __init__(self, line: Line, unit: int, ocmf: Ocmf, *, limit: int, public_key: str) -> None:
        self._line = line
        self._unit = unit
        self._ocmf = ocmf
        self._limit = limit
        self._public_key = public_key

    def sign(self, kind: Kind) -> SignedData | None:
        """Have a reading signed; None where the meter does not sign that kind, errors when no OCMF text comes of it."""
        how = {"start": self._ocmf.start, "end": self._ocmf.end, "now": self._ocmf.now}[kind]
        if how is None:
            return None
        self._line.write(self._unit, how.command_address, [how.command])
        self._await_ready(how)
        text = self._text(how)
        if not self._ready(how):
            raise MeterError("the signed text changed while it was read")
        return SignedData(text, method=self._ocmf.method, public_key=self._public_key, plain=True)

    def _await_ready(self, how: Signing) -> None:
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            try:
                if self._ready(how):
                    return
            except BusError as error:  # some meters do not answer while they sign
                log.debug("not ready: %s", error)
            time.sleep(PAUSE_S)
        raise MeterError(f"it was not ready within {READY_S:g} s")

    def _ready(self, how: Signing) -> bool:
        if how.ready_address is None:
            return True
        word = self._word(how.ready_address)
        if how.busy_value is not None and word not in (how.ready_value, how.busy_value):
            raise MeterError(f"it says {word}")
        return word == how.ready_value

    def _word(self, address: int) -> int:
        return self._line.read(self._unit, self._ocmf.function, address, 1)[0]

    def _text(self, how: Signing) -> str:
        room = 2 * how.registers
        length = self._word(how.length_address) if how.length_address is not None else room
        if length > room:
            raise MeterError(f"a signed text of {length} bytes does not fit into its {room}")
        raw = self._registers(how.address, (length + 1) // 2)[:length]
        if how.length_address is None:
            raw = raw.partition(b"\0")[0]
        if not raw.startswith(BEGIN):
            raise MeterError("there is no OCMF text in its registers")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MeterError("the OCMF text is damaged") from error

    def _registers(self, address: int, count: int) -> bytes:
        words: list[int] = []
        while len(words) < count:
            step = min(self._limit, count - len(words))
            words += self._line.read(self._unit, self._ocmf.function, address + len(words), step)
        return struct.pack(f">{len(words)}H", *words)


class MeterClock:
    """Keeps the clock of a meter that signs with the time: in UTC, seldom, and only when the board's own clock is set."""

    def __init__(self, line: Line, unit: int, ocmf: Ocmf, wall_clock: Callable[[], float]) -> None:
        self._line = line
        self._unit = unit
        self._ocmf = ocmf
        self._wall_clock = wall_clock
        self._look_at = 0.0
        self._told_at: float | None = None

    def keep(self, now: float) -> None:
        """Look at the meter's time and tell it the right one, when that is due at monotonic time `now`; BusError."""
        address, wall = self._ocmf.epoch_address, self._wall_clock()
        if address is None or now < self._look_at or wall < EARLIEST:
            return
        self._look_at = now + LOOK_S
        if self._told_at is None:
            self._told_at = now
        high, low = self._line.read(self._unit, self._ocmf.function, address, 2)
        if abs((high << 16 | low) - wall) > TOLERATED_S or now - self._told_at >= CLOCK_S:
            seconds = int(self._wall_clock())
            self._line.write(self._unit, address, [seconds >> 16 & 0xFFFF, seconds & 0xFFFF, 0])
            self._told_at = now
