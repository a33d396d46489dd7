"""Energy meters with a pulse output (S0, EN 62053-31) on a GPIO line."""

import logging
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from hal.bench import PartBench
from hal.errors import BusError
from hal.interfaces import Quantity
from hal.meters.part import MeterOptions, MeterPart
from hal.meters.pulses import PulseCounter, PulseFilter
from hal.meters.quantities import ENERGY_IMPORT, POWER_IMPORT
from hal.registers import RegisterFile

WAIT_S = 0.2
"""How long one round waits for an edge."""

MAX_EDGES = 1000
"""Edges of one round; 60 pulses a second are 22 kW at 10,000 pulses per kWh."""

READING_S = 1.0
"""How often there is a new reading."""

SYNC_S = 60.0
"""How often the count is written through to the disk; a power cut loses the pulses since, a crash none."""

STUCK_S = 60.0
"""A contact that is closed for so long is shorted: no pulse lasts longer than a second or so."""

log = logging.getLogger(__name__)


class S0MeterOptions(MeterOptions, frozen=True, kw_only=True):
    """The contact pulls the line low: it needs a pull-up."""

    pin: str
    pulses_per_kwh: Annotated[float, Meta(ge=1, le=1_000_000)]
    state_file: str
    """Where the count survives a restart; each meter has a file of its own."""
    start_wh: Annotated[float, Meta(ge=0, le=1e12)] = 0.0
    """What the meter's display showed when its count was 0, in Wh."""
    min_pulse_s: Annotated[float, Meta(ge=0.0001, le=1)] = 0.01
    """What is shorter is bounce."""
    inverted: bool = True
    """Whether the line is low while the contact is closed."""
    bias: str = "pull_up"


class S0Meter(MeterPart):
    """See `MeterPart`. It counts import only. A cut wire looks like no power: nothing can tell them apart."""

    options_type = S0MeterOptions

    def __init__(self, bench: PartBench, options: S0MeterOptions) -> None:
        super().__init__(bench, options)
        bench.claim(f"file {options.state_file}")
        self._line = bench.input(options.pin, inverted=options.inverted, bias=options.bias, edge="both")
        self._file = RegisterFile(Path(options.state_file))
        kept = self._file.open().get(1)
        bench.keep(self._file, self._file.close)
        if kept is None:
            log.warning("%s: no count in %s, it begins at 0 pulses", self.name, options.state_file)
        self._filter = PulseFilter(int(options.min_pulse_s * 1e9))
        self._counter = PulseCounter(options.pulses_per_kwh, int(kept or 0), options.start_wh)
        self._told_at = self._synced_at = bench.clock.monotonic() - SYNC_S
        self._open_at = bench.clock.monotonic()

    def start(self) -> None:
        """See `Part.start`."""
        self.bench.thread().every(WAIT_S, self.poll)

    def poll(self, wait_s: float = WAIT_S) -> None:
        """Count what has come, waiting for it a while, in a thread of the meter's own."""
        try:
            self._count(wait_s)
            closed = self._line.read()
        except BusError as error:
            self.failed(str(error))
            return
        now = self.bench.clock.monotonic()
        if not closed:
            self._open_at = now
        self._keep(now)
        if now - self._open_at > STUCK_S:
            self.failed(f"the contact is closed for {STUCK_S:.0f} s: a short circuit")
        elif now - self._told_at >= READING_S or self.error:
            self._told_at = now
            self.took(
                (
                    Quantity(ENERGY_IMPORT, self._counter.energy_wh, "Wh"),
                    Quantity(POWER_IMPORT, self._counter.power_w(now), "W"),
                )
            )

    def _count(self, wait_s: float) -> None:
        edge = self._line.wait(wait_s)
        for _ in range(MAX_EDGES):
            if edge is None:
                break
            closes = edge[0] == "rising"
            if not closes:
                self._open_at = self.bench.clock.monotonic()
            began = self._filter.edge(closes, edge[1])
            if began is not None:
                self._counter.count(began, self.bench.clock.monotonic())
            edge = self._line.wait(0)

    def _keep(self, now: float) -> None:
        self._file.write(1, float(self._counter.pulses))
        if now - self._synced_at >= SYNC_S:
            self._synced_at = now
            self._file.sync()

    def stop(self) -> None:
        """See `Part.stop`."""
        self._file.write(1, float(self._counter.pulses))
        self._file.sync()

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        return {**super().values(), "pulses": str(self._counter.pulses)}
