"""Stations of simulated, emulated or wired parts, behind one face: what an EV and people do, and what comes of it.

Wired: `PILOTWIRE_WIRED_STATION` names a station file; `-s` shows what the tester has to do at its EVSE 1, with an EV simulator in
the socket and nothing else connected to the contactor.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

from hal.boards import board
from hal.evse import Evse
from hal.simulated import SimulatedConnector, SimulatedEvse, SimulatedStation, SimulationOptions
from hal.wired import WiredStation
from ocpp.clock import SystemClock
from ocpp.station.configuration import load
from support.wall_box import STATION, WallBox, until

WIRED = "PILOTWIRE_WIRED_STATION"
PATIENCE_S, TESTERS_PATIENCE_S = 15.0, 120.0
CARD = "04A2B3C4D5E6F7"


class Heard:
    """An `EvseListener` that writes down what it hears."""

    def __init__(self) -> None:
        self.all: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **more: self.all.append((name, *args, *more.values()))

    def names(self) -> list[str]:
        return [each[0] for each in self.all]


class Station:
    """Common ground; `station` is a `SimulatedStation` or a `WiredStation`."""

    patience_s = PATIENCE_S
    station: Any

    def __init__(self) -> None:
        self.heard = Heard()

    @property
    def evse(self) -> Evse:
        return self.station.evse(1)

    @property
    def conducts(self) -> bool:
        """What the contactor's feedback says."""
        return bool(self.evse._contactor.closed)

    async def until(self, condition, what: str) -> None:
        await until(condition, what, self.patience_s)

    async def charge(self) -> None:
        await self.plug()
        self.evse.allow_energy(16.0)
        await self.wants_energy()
        await self.until(lambda: self.conducts, "the contactor closes")

    def close(self) -> None:
        self.station.stop()


class Simulated(Station):
    def __init__(self, tmp_path: Path, kernel: Any) -> None:
        super().__init__()
        self.station = SimulatedStation(
            (SimulatedEvse((SimulatedConnector(32, 3, True),)),),
            clock=SystemClock(),
            listener=self.heard,
            state_dir=tmp_path,
            options=SimulationOptions(1, False, False, False, False),
        )
        self.station.start()

    async def plug(self) -> None:
        self.station.plug(1, 1, {"delay_s": 0})
        self.station.change_ev(1, {"state": "B"})
        await self.until(lambda: self.evse.plugged, "the EV is seen")

    async def wants_energy(self) -> None:
        self.station.change_ev(1, {"state": None})

    async def pauses(self) -> None:
        self.station.change_ev(1, {"state": "B"})

    async def unplug(self) -> None:
        self.station.unplug(1, 1)

    async def present(self) -> None:
        self.station.present(CARD)

    async def shorts_the_line(self) -> None:
        self.station.change_ev(1, {"fault": "diode"})


class Emulated(Station):
    def __init__(self, tmp_path: Path, kernel: Any) -> None:
        super().__init__()
        self.box = WallBox(kernel, tmp_path)
        path = tmp_path / "station.toml"
        path.write_text(STATION + self.box.parts)
        self.station = wired(path, self.heard)

    async def plug(self) -> None:
        self.box.line.state = "B"
        await self.until(lambda: self.evse.plugged, "the EV is seen")

    async def wants_energy(self) -> None:
        self.box.line.state = "C"

    async def pauses(self) -> None:
        self.box.line.state = "B"

    async def unplug(self) -> None:
        self.box.line.state = "A"

    async def present(self) -> None:
        self.box.reader.cards = [bytes.fromhex(CARD)]

    async def shorts_the_line(self) -> None:
        self.box.line.state = "E"

    def close(self) -> None:
        super().close()
        self.box.close()


class Wired(Station):
    patience_s = TESTERS_PATIENCE_S

    def __init__(self, tmp_path: Path, kernel: Any) -> None:
        super().__init__()
        self.station = wired(Path(os.environ[WIRED]), self.heard)

    async def _ask(self, what: str, state: str) -> None:
        print(f"\n>>> EV simulator: {what} (state {state})", flush=True)
        await self.until(lambda: self.evse.pilot_state == state, what)

    async def plug(self) -> None:
        await self._ask("plug in", "B")

    async def wants_energy(self) -> None:
        await self._ask("ask for energy", "C")

    async def pauses(self) -> None:
        await self._ask("pause", "B")

    async def unplug(self) -> None:
        await self._ask("unplug", "A")

    async def present(self) -> None:
        print("\n>>> hold a card to the reader", flush=True)

    async def shorts_the_line(self) -> None:
        await self._ask("short CP to PE", "E")


def wired(path: Path, heard: Heard) -> WiredStation:
    """The parts of a station file, with one EVSE, started."""
    configuration = load(path)
    made = WiredStation(
        len(configuration.evses),
        configuration.parts,
        board=board(configuration.hardware["board"]),
        clock=SystemClock(),
        to_loop=asyncio.get_running_loop().call_soon_threadsafe,
        listener=heard,
    )
    made.start()
    return made


KINDS = {"simulated": Simulated, "emulated": Emulated, "wired": Wired}


async def settled(seconds: float = 0.3) -> None:
    """Let things go on for so long; for what must not happen."""
    await asyncio.sleep(seconds)
