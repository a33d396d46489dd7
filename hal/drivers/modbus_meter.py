"""Energy meters on Modbus RTU (RS-485), any that has a register map (hal/meters, or a file of the user's own)."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from msgspec import Meta

from hal.bench import PartBench
from hal.bus.modbus import Line
from hal.errors import BusError, DriverError, MeterError
from hal.interfaces import Quantity, SignedData
from hal.meters import register_map
from hal.meters.ocmf import Kind, MeterClock, Signer
from hal.meters.part import MeterOptions, MeterPart

log = logging.getLogger(__name__)

PATIENCE = 3
"""Failures in a row before a meter is asked less often, so that a dead one does not slow down the others on its line."""

PAUSE_S = 3.0
"""How long such a meter is left alone."""


class ModbusMeterOptions(MeterOptions, frozen=True, kw_only=True):
    """`model` is a map that comes along, `map` the path of another; one of them is needed."""

    model: str | None = None
    map: str | None = None
    port: str | None = None
    """Device file; without one the board's usual serial port."""
    unit: Annotated[int, Meta(ge=1, le=247)] = 1
    """The meter's Modbus address."""
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    echo: bool = False
    """Whether the adapter hears what it sends."""
    rts: bool = False
    """Whether the kernel has to switch the transmitter by RTS (a transceiver on a UART of the board)."""
    timeout_s: Annotated[float, Meta(ge=0.05, le=2)] = 0.3
    """How long a meter may take to begin its answer."""
    interval_s: Annotated[float, Meta(ge=0.1, le=10)] = 1.0
    """How often it is read."""
    public_key: str = ""
    """Of a meter that signs, as it stands on its plate."""
    sign_interval_s: Annotated[float, Meta(ge=5, le=3600)] = 60.0
    """How often a meter that signs any reading does so while a cable is plugged in."""


class ModbusMeter(MeterPart):
    """See `MeterPart`. Meters on one port share its line and its thread; each unit address belongs to one part."""

    options_type = ModbusMeterOptions

    def __init__(self, bench: PartBench, options: ModbusMeterOptions) -> None:
        super().__init__(bench, options)
        if (options.model is None) == (options.map is None):
            raise DriverError(
                f"{self.name} needs either a model or a map; models are {', '.join(register_map.names())}"
            )
        self.map = register_map.by_name(options.model) if options.model else register_map.from_file(str(options.map))
        self._blocks = self.map.blocks()
        self._unit = options.unit
        self._interval_s = options.interval_s
        self._path = options.port or bench.device("serial")
        self._failures = 0
        self._again_at = 0.0
        self._line = bench.share(f"modbus {self._path}", lambda: _open(bench, self._path, options))
        if self._line.settings != (options.baud, options.parity, options.stop_bits, options.echo, options.rts):
            raise DriverError(
                f"{self.name}: the line {self._path} is in use with other settings: {self._line.settings}"
            )
        bench.claim(f"Modbus unit {options.unit} on {self._path}")
        ocmf = self.map.ocmf
        self._signer = (
            Signer(self._line, options.unit, ocmf, limit=self.map.limit, public_key=options.public_key)
            if ocmf is not None
            else None
        )
        self._meter_clock = MeterClock(self._line, options.unit, ocmf, self._wall_clock) if ocmf is not None else None
        self._sign_interval_s = options.sign_interval_s
        self._in_session = False
        self._signed_at = 0.0

    def start(self) -> None:
        """See `Part.start`."""
        self.bench.thread(self._path).every(self._interval_s, self.poll)

    def poll(self) -> None:
        """Ask the meter for everything, in the thread of its line."""
        now = self.bench.clock.monotonic()
        if self._failures >= PATIENCE and now < self._again_at:
            return
        try:
            good = self.took(self._ask())
        except (BusError, MeterError) as error:
            self.failed(str(error))
            good = False
        self._failures = 0 if good else self._failures + 1
        self._again_at = self.bench.clock.monotonic() + PAUSE_S
        if good and self._signer is not None:
            self._serve_signing(now)

    def _ask(self) -> list[Quantity]:
        found: list[Quantity] = []
        for block in self._blocks:
            registers = self._line.read(self._unit, block.function, block.address, block.count)
            found.extend(self.map.quantities(block, registers))
        return found

    # -- signed readings ------------------------------------------------------------------------------------------

    @property
    def signs(self) -> bool:
        """Whether the meter signs readings."""
        return self._signer is not None

    def begin_session(self, done: Callable[[], object]) -> None:
        """A cable was plugged in: have the meter sign the begin. `done` is called in the loop, whether it did or not."""
        self.signed_start = self.signed_end = self.signed_now = None
        self._in_session, self._signed_at = True, self.bench.clock.monotonic()
        self.bench.thread(self._path).soon(partial(self._sign_begin, done))

    def end_energy(self, done: Callable[[], object]) -> None:
        """Energy has ceased to flow: have the meter sign the end, as it stands now. It may go on later."""
        self.bench.thread(self._path).soon(partial(self._sign_end, done))

    def end_session(self) -> None:
        """The cable is out: nothing is signed from now on. The signatures stay until the next session begins."""
        self._in_session = False

    def _sign_begin(self, done: Callable[[], object]) -> None:
        self.signed_start = self._signed("start")
        self.bench.to_loop(done)

    def _sign_end(self, done: Callable[[], object]) -> None:
        signed = self._signed("end")
        if signed is not None:
            self.signed_end = signed
        self.bench.to_loop(done)

    def _serve_signing(self, now: float) -> None:
        if self._in_session and now - self._signed_at >= self._sign_interval_s:
            self._signed_at = now
            self.signed_now = self._signed("now")
        try:
            if self._meter_clock is not None:
                self._meter_clock.keep(now)
        except BusError as error:
            log.warning("%s: the meter's clock cannot be kept: %s", self.name, error)

    def _signed(self, kind: Kind) -> SignedData | None:
        if self._signer is None:
            return None
        try:
            return self._signer.sign(kind)
        except (BusError, MeterError) as error:
            log.error("%s: the meter did not sign (%s): %s", self.name, kind, error)
            return None


def _open(bench: PartBench, path: str, options: ModbusMeterOptions) -> Line:
    bench.claim(f"serial port {path}")
    line = Line(
        path,
        baud=options.baud,
        parity=options.parity,
        stop_bits=options.stop_bits,
        timeout_s=options.timeout_s,
        echo=options.echo,
        rts=options.rts,
    )
    return bench.keep(line, line.close)
