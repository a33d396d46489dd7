"""What a simulated station keeps over a restart: its registers always, cables, EVs and faults when that is wanted."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from hal.clock import Clock, Timer
from hal.registers import RegisterFile
from hal.simulated.description import EvseParts
from hal.simulated.simulation_file import SimulationFile, stored_energy

REGISTER_INTERVAL_S = 1.0
"""How often a register that counts is noted on disk, besides at every reading."""

SYNC_INTERVAL_S = 10.0
"""How often the disk is waited for while something changes: what a power cut of the whole machine may cost."""


class StationMemory:
    """Two files in the state directory; `state` gives what is to be kept besides the registers.

    While nothing changes, no timer runs.
    """

    def __init__(
        self, state_dir: Path, parts: Mapping[int, EvseParts], clock: Clock, state: Callable[[], dict[str, Any]]
    ) -> None:
        self.file = SimulationFile(state_dir / "simulation.json")
        self._registers = RegisterFile(state_dir / "registers")
        self._parts = parts
        self._clock = clock
        self._state = state
        self._written: dict[str, Any] = {}
        self._open = False
        self._sync_timer: Timer | None = None
        self._register_timer: Timer | None = None

    def peek(self) -> None:
        """Set the registers of the meters as they were, without writing: a reading before `open` is a true one."""
        self._take_up(self._registers.peek(), {})

    def _take_up(self, registers: Mapping[int, float], stored: Mapping[str, Any]) -> None:
        for number, parts in self._parts.items():
            parts.meter.set_energy(registers.get(number, stored_energy(stored.get(str(number)))))

    def open(self) -> dict[str, Any]:
        """Set the registers of the meters as they were; gives the state that was kept."""
        stored = self.file.load()
        registers = self._registers.open()
        self._open = True
        self._take_up(registers, stored)
        return stored

    def counted(self, number: int, energy_wh: float) -> None:
        """A register has changed: note it, and look again soon while it counts."""
        if not self._open:
            return
        self._registers.write(number, energy_wh)
        self._look_again()
        self._sync_later()

    def write(self) -> None:
        """Put the state on disk, if it has changed, in one piece or not at all; tried again while the disk refuses."""
        if not self._open:
            return
        state = self._state()
        if state == self._written:
            return
        if self.file.write(state):
            self._written = state
        else:
            self._sync_later()

    def close(self) -> None:
        """Write everything a last time, and let go of files and timers."""
        for timer in (self._sync_timer, self._register_timer):
            if timer is not None:
                timer.cancel()
        self.write()
        self._registers.close()
        self._open = False
        self._sync_timer = self._register_timer = None

    def _look_again(self) -> None:
        if self._register_timer is None:
            self._register_timer = self._clock.call_later(REGISTER_INTERVAL_S, self._note_registers)

    def _sync_later(self) -> None:
        if self._sync_timer is None:
            self._sync_timer = self._clock.call_later(SYNC_INTERVAL_S, self._sync)

    def _sync(self) -> None:
        self._sync_timer = None
        self._registers.sync()
        self.write()

    def _note_registers(self) -> None:
        self._register_timer = None
        for parts in self._parts.values():
            parts.meter.collect()
            if parts.meter.counts:  # also when a reading at this very moment left nothing to collect
                self._look_again()


def kept(parts: EvseParts) -> dict[str, Any]:
    """What of an EVSE is kept besides its register."""
    state: dict[str, Any] = {
        "meter": asdict(parts.meter.state),
        "faults": [[connector, kind, about] for (connector, kind), about in parts.faults.items()],
        "bay": parts.bay,
    }
    if parts.plugged is not None and parts.vehicle is not None:
        state["plugged"] = parts.plugged
        state["ev"] = {**asdict(parts.vehicle.options), "soc": parts.vehicle.soc}
        state["forced"] = parts.vehicle.forced
    return state
