"""Signed readings (Open Charge Metering Format) of meters that keep the text in Modbus registers; passed on byte for byte."""

import struct
import time
from typing import Literal

from hal.bus.modbus import Line
from hal.errors import MeterError
from hal.interfaces import SignedData
from hal.meters.register_map import Ocmf

Kind = Literal["start", "end", "now"]

TRIES = 20
PAUSE_S = 0.1
"""A meter takes up to two seconds to sign; whoever else is on its line waits as long."""

BEGIN = b"OCMF|"
"""What every text begins with (OCMF 1.0, chapter 3)."""


class Signer:
    """Of one meter; its calls belong into the thread of the line."""

    def __init__(self, line: Line, unit: int, ocmf: Ocmf, *, limit: int, public_key: str) -> None:
        self._line = line
        self._unit = unit
        self._ocmf = ocmf
        self._limit = limit
        self._public_key = public_key

    def sign(self, kind: Kind) -> SignedData:
        """Have a reading signed; MeterError or BusError when no OCMF text comes of it."""
        ocmf = self._ocmf
        command = {"start": ocmf.start_command, "end": ocmf.end_command, "now": ocmf.now_command}[kind]
        if command is None:
            raise MeterError(f"the map has no command for {kind}")
        self._line.write(self._unit, ocmf.command_address, [command])
        self._await_ready()
        text = self._text()
        if not self._ready():
            raise MeterError("the signed text changed while it was read")
        return SignedData(text, method=ocmf.method, public_key=self._public_key)

    def _await_ready(self) -> None:
        for _ in range(TRIES):
            if self._ready():
                return
            time.sleep(PAUSE_S)
        raise MeterError(f"it was not ready within {TRIES * PAUSE_S:.0f} s")

    def _ready(self) -> bool:
        address = self._ocmf.ready_address
        return address is None or self._word(address) == self._ocmf.ready_value

    def _word(self, address: int) -> int:
        return self._line.read(self._unit, self._ocmf.function, address, 1)[0]

    def _text(self) -> str:
        ocmf = self._ocmf
        room = 2 * ocmf.registers
        length = self._word(ocmf.length_address) if ocmf.length_address is not None else room
        if length > room:
            raise MeterError(f"a signed text of {length} bytes does not fit into its {room}")
        raw = self._registers((length + 1) // 2)[:length]
        if ocmf.length_address is None:
            raw = raw.partition(b"\0")[0]
        if not raw.startswith(BEGIN):
            raise MeterError("there is no OCMF text in its registers")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MeterError("the OCMF text is damaged") from error

    def _registers(self, count: int) -> bytes:
        words: list[int] = []
        while len(words) < count:
            step = min(self._limit, count - len(words))
            words += self._line.read(self._unit, self._ocmf.function, self._ocmf.address + len(words), step)
        return struct.pack(f">{len(words)}H", *words)
