"""Energy meters with an optical interface that send SML telegrams by themselves (German household meters)."""

from typing import Annotated, Literal

from msgspec import Meta

from hal import sml
from hal.bench import PartBench
from hal.errors import BusError
from hal.meters.obis import DLMS_UNITS, quantities
from hal.meters.part import MeterOptions, MeterPart

READ_S = 0.2
"""How long one read of the port waits."""

READ_LIMIT = 4096


class SmlMeterOptions(MeterOptions, frozen=True, kw_only=True):
    """The head is an infrared reader on a serial port."""

    port: str | None = None
    """Device file; without one the board's usual serial port."""
    baud: Literal[300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    crc: Literal["x25", "kermit"] = "x25"
    """How the meter computes its checksums; "kermit" for Holley DTZ541 of older makes."""
    silence_s: Annotated[float, Meta(ge=1, le=60)] = 5.0
    """Without a sound telegram for so long the meter has failed; most send one every second or two."""


class SmlMeter(MeterPart):
    """See `MeterPart`. Reads only: there is nothing to send to such a meter."""

    options_type = SmlMeterOptions

    def __init__(self, bench: PartBench, options: SmlMeterOptions) -> None:
        super().__init__(bench, options)
        self._path = options.port or bench.device("serial")
        self._port = bench.serial(self._path, baud=options.baud, timeout_s=READ_S)
        self._telegrams = sml.Telegrams(options.crc)
        self._silence_s = options.silence_s
        self._sound_at = bench.clock.monotonic()
        self._damaged = 0
        self._heard = 0
        self._gone = False

    def start(self) -> None:
        """See `Part.start`."""
        self.bench.thread(self._path).every(READ_S, self.poll)

    def poll(self) -> None:
        """Take what has come, waiting for it a moment, in the thread of the port."""
        try:
            if self._gone:
                self._port.reopen()
                self._gone = False
            data = self._port.read(READ_LIMIT)
        except BusError as error:
            self._gone = True
            self.failed(str(error))
            return
        self._heard += len(data)
        for content in self._telegrams.feed(data):
            self._take(content)
        if self.bench.clock.monotonic() - self._sound_at > self._silence_s:
            self.failed(self._why())

    def _take(self, content: bytes) -> None:
        self._sound_at = self.bench.clock.monotonic()
        self._damaged, self._heard = self._telegrams.damaged, 0
        try:
            told = [(each.code, each.amount, DLMS_UNITS.get(each.unit or 0, "?")) for each in sml.values(content)]
        except sml.SmlError as error:
            self.failed(str(error))
            return
        self.took(quantities(told))

    def _why(self) -> str:
        damaged = self._telegrams.damaged - self._damaged
        if damaged:
            return f"{damaged} damaged telegrams and no sound one in {self._silence_s:.0f} s"
        if self._heard:
            return f"{self._heard} bytes on {self._path}, and no telegram in them"
        return f"nothing comes on {self._path}"
