"""Energy meters with an optical interface by IEC 62056-21: asked in mode C, or sending by themselves."""

from typing import Annotated, Literal

from msgspec import Meta

from hal import iec62056
from hal.bench import PartBench
from hal.errors import BusError, MeterError
from hal.iec62056 import D0Error, Readouts
from hal.meters.obis import quantities
from hal.meters.part import MeterOptions, MeterPart

READ_S = 0.2
"""How long one read of the port waits."""

READ_LIMIT = 1024

QUIET_READS = 10
"""Reads without a byte until an answer has ended or does not come: 2 s; a meter takes 1.5 s at the most (section 6.3.14)."""

MAX_READS = 300
"""Reads of one answer: a minute, at 300 baud some 1,800 bytes."""

SPEED_PAUSE_READS = 1
"""Before the acknowledgement both sides wait for 200 ms (section 6.3.14)."""

Baud = Literal[300, 600, 1200, 2400, 4800, 9600, 19200]


class D0MeterOptions(MeterOptions, frozen=True, kw_only=True):
    """`mode`: "request" asks the meter (mode C, or A, which answers at once); "push" listens to one that sends by itself."""

    port: str | None = None
    """Device file of the head; without one the board's usual serial port."""
    mode: Literal["request", "push"] = "request"
    baud: Baud | None = None
    """Speed to begin with; without one 300 (request) or 9600 (push)."""
    max_baud: Baud = 9600
    """What the head can do; a meter that proposes more is kept at the speed it began with."""
    interval_s: Annotated[float, Meta(ge=1, le=25)] = 5.0
    """How often the meter is asked."""
    silence_s: Annotated[float, Meta(ge=1, le=60)] = 10.0
    """A meter that sends by itself has failed when it sent nothing sound for so long."""
    max_age_s: Annotated[float, Meta(ge=1, le=30)] = 25.0
    """See `MeterOptions`; a readout takes some seconds."""


class D0Meter(MeterPart):
    """See `MeterPart`."""

    options_type = D0MeterOptions

    def __init__(self, bench: PartBench, options: D0MeterOptions) -> None:
        super().__init__(bench, options)
        self._options = options
        self._path = options.port or bench.device("serial")
        self._baud = options.baud or (300 if options.mode == "request" else 9600)
        self._port = bench.serial(self._path, baud=self._baud, parity="E", data_bits=7, timeout_s=READ_S)
        self._readouts = Readouts()
        self._sound_at = bench.clock.monotonic()
        self._damaged = 0
        self._gone = False

    def start(self) -> None:
        """See `Part.start`."""
        asks = self._options.mode == "request"
        self.bench.thread(self._path).every(self._options.interval_s if asks else READ_S, self.poll)

    def poll(self) -> None:
        """Ask the meter, or take what it has sent, in the thread of the port."""
        try:
            if self._gone:
                self._port.reopen()
                self._gone = False
            if self._options.mode == "request":
                self._take(self._ask())
            else:
                self._listen()
        except BusError as error:
            self._gone = True
            self.failed(str(error))
        except MeterError as error:
            self.failed(str(error))

    def _take(self, content: bytes) -> None:
        self._sound_at = self.bench.clock.monotonic()
        self._damaged = self._readouts.damaged
        self.took(quantities(iec62056.values(content)))

    # -- sends by itself ------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        for content in self._readouts.feed(self._port.read(READ_LIMIT)):
            self._take(content)
        silent = self.bench.clock.monotonic() - self._sound_at
        if silent > self._options.silence_s:
            damaged = self._readouts.damaged - self._damaged
            raise MeterError(f"{damaged} damaged telegrams and no sound one in {silent:.0f} s on {self._path}")

    # -- is asked -------------------------------------------------------------------------------------------------

    def _ask(self) -> bytes:
        """One readout, in mode C or A; MeterError when none comes."""
        self._readouts.clear()
        self._port.set_baud(self._baud)
        self._port.discard()
        self._port.write(iec62056.REQUEST)
        line = self._line()
        named = iec62056.identification(line)
        faster = named.baud if named.baud is not None and self._baud < named.baud <= self._options.max_baud else None
        for _ in range(SPEED_PAUSE_READS):
            started = self._port.read(READ_LIMIT)
            if started:  # mode A: the data follows by itself
                return self._readout(line + started)
        if named.baud is None:
            return self._readout(line)
        self._port.write(iec62056.acknowledge(named.speed if faster else _speed(self._baud)))
        if faster:
            self._port.set_baud(faster)
        return self._readout(b"")

    def _line(self) -> bytes:
        """The identification, after the echo that some heads give."""
        found = b""
        quiet = 0
        while quiet < QUIET_READS and len(found) < iec62056.MAX_IDENTIFICATION * 2:
            byte = self._port.read(1)
            quiet = quiet + 1 if not byte else 0
            found += byte
            plain = bytes(each & 0x7F for each in found)
            if plain.endswith(b"\n") and plain != iec62056.REQUEST:
                return plain.removeprefix(iec62056.REQUEST)
        raise D0Error(f"no identification on {self._path}" if found else f"no answer on {self._path}")

    def _readout(self, begun: bytes) -> bytes:
        quiet, data = 0, begun
        for _ in range(MAX_READS):
            for content in self._readouts.feed(data):
                return content
            data = self._port.read(READ_LIMIT)
            quiet = quiet + 1 if not data else 0
            if quiet >= QUIET_READS:
                break
        damaged = self._readouts.damaged - self._damaged
        raise D0Error(f"{'damaged' if damaged else 'no complete'} telegram on {self._path}")


def _speed(baud: int) -> str:
    return next(each for each, speed in iec62056.SPEEDS.items() if speed == baud)
