"""`pilotwire demo`: a development CSMS and a simulated station in one process, and a charging session to watch."""

import asyncio
import logging
import sys
import tempfile
from collections import deque
from pathlib import Path
from typing import Any, Protocol

from ocpp.csms.server import CsmsServer
from ocpp.csms.traffic import TrafficView
from ocpp.station.configuration import Configuration, load
from ocpp.station.logging import to_console
from ocpp.station.program import Program

CARD = "04A2B3C4D5E6F7"
STEP_TIMEOUT_S = 30.0
"""A step that takes longer has failed: the demo says so and exits with 1."""

SHOWN_MESSAGES = 12
REFRESH_PER_S = 8

_STATION_FILE = """
[station]
id = "DEMO-1"
vendor = "pilotwire"
model = "Virtual 22"
[[network]]
url = "ws://127.0.0.1:{port}/ocpp"
version = "{version}"
offer = ["{version}"]
security_profile = 0
[[evse]]
[[evse.connector]]
max_current_a = 32
phases = 3
[local_api]
listen = "off"
[variables]
"TxCtrlr/TxStartPoint" = "EVConnected,Authorized"
"TxCtrlr/TxStopPoint" = "EVConnected,Authorized"
"SampledDataCtrlr/TxUpdatedInterval" = 3
"AlignedDataCtrlr/Interval" = 0
"""

EV = {"battery_wh": 120, "soc": 35, "max_current_a": 32, "phases": 3, "delay_s": 1.0}
"""A toy battery: it is full within half a minute."""


class View(Protocol):
    """Where the demo is shown."""

    def __enter__(self) -> "View": ...

    def __exit__(self, *exc: object) -> None: ...

    def step(self, text: str) -> None:
        """A new step of the story."""

    def frame(self, station: str, sent: bool, frame: bytes) -> None:
        """A frame on the wire."""

    def status(self, status: dict[str, Any]) -> None:
        """The station's status."""


class PlainView:
    """Lines, for pipes and logs."""

    def __init__(self) -> None:
        self._traffic = TrafficView(sys.stdout, colour=False)

    def __enter__(self) -> "PlainView":
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def step(self, text: str) -> None:
        """See `View.step`."""
        print(f"* {text}", flush=True)

    def frame(self, station: str, sent: bool, frame: bytes) -> None:
        """See `View.frame`."""
        self._traffic.show(station, sent, frame)

    def status(self, status: dict[str, Any]) -> None:
        """See `View.status`: plain output shows steps and frames only."""


class LiveView:
    """A live terminal: the story, the station, and the last messages."""

    def __init__(self, version: str) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console()
        self._version = version
        self._traffic = TrafficView(sys.stdout, colour=False)
        self._steps: list[str] = []
        self._messages: deque[tuple[bool, str]] = deque(maxlen=SHOWN_MESSAGES)
        self._status: dict[str, Any] = {}
        self._live = Live(self._render(), console=self._console, refresh_per_second=REFRESH_PER_S)

    def __enter__(self) -> "LiveView":
        self._live.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.update(self._render())
        self._live.__exit__(None, None, None)

    def step(self, text: str) -> None:
        """See `View.step`."""
        self._steps.append(text)
        self._live.update(self._render())

    def frame(self, station: str, sent: bool, frame: bytes) -> None:
        """See `View.frame`."""
        line = self._traffic.line("", sent, frame).strip()
        self._messages.append((sent, line))
        self._live.update(self._render())

    def status(self, status: dict[str, Any]) -> None:
        """See `View.status`."""
        self._status = status
        self._live.update(self._render())

    def _render(self) -> Any:
        from rich.console import Group
        from rich.panel import Panel
        from rich.text import Text

        done, now = self._steps[:-1], self._steps[-1:]
        story = Group(
            *(Text(f"✓ {step}", style="dim") for step in done), *(Text(f"▸ {step}", style="bold green") for step in now)
        )
        messages = Group(
            *(
                Text(line, style="blue" if sent else "green", no_wrap=True, overflow="ellipsis")
                for sent, line in self._messages
            )
        )
        return Group(
            Panel(story, title=f"pilotwire demo - OCPP {self._version}", title_align="left"),
            Panel(self._station(), title="station", title_align="left"),
            Panel(messages, title="messages (green: station, blue: CSMS)", title_align="left"),
        )

    def _station(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        if not self._status:
            return Text("starting ...", style="dim")
        evse = self._status["evses"][0]
        connector, transaction = evse["connectors"][0], evse["transaction"]
        soc = evse["ev"]["soc"]
        line = (
            f"connection {self._status['connection']['state']}   boot {self._status['boot_status']}   "
            f"connector {connector['status']}   pilot {connector['pilot']}   {'locked' if connector['locked'] else 'unlocked'}"
        )
        power = f"power {evse['meter']['power_w'] / 1000:6.2f} kW   meter {evse['meter']['energy_wh']:8.1f} Wh"
        if transaction is not None:
            power += f"   transaction {transaction['id'][:8]} {transaction['state']}: {transaction['energy_wh']:.1f} Wh"
        battery = ProgressBar(total=100, completed=soc or 0, width=40)
        charge = Text(f"battery {soc:.0f} %" if soc is not None else "no car", style="cyan")
        return Group(Text(line), Text(power), charge, battery)


class Story:
    """What the driver does, and what has to come of it."""

    def __init__(self, program: Program, view: View) -> None:
        self._program = program
        self._view = view

    async def play(self) -> None:
        """The whole session; TimeoutError when a step does not come about."""
        simulation, view = self._program.simulation, self._view
        view.step("the station boots and introduces itself to the CSMS")
        await self._until(lambda: self._program.charge_point.boot_status == "Accepted")
        view.step("a driver plugs in")
        simulation.plug(1, 1, EV)
        await self._until(lambda: self._connector()["plugged"])
        await asyncio.sleep(1)
        view.step(f"and holds card {CARD} to the reader")
        simulation.present(CARD)
        await self._until(lambda: self._state() == "Charging")
        view.step("the cable is locked, the car charges")
        await self._until(lambda: (simulation.snapshot(1)["soc"] or 0) >= 90)
        view.step("the driver comes back and shows the card again")
        simulation.present(CARD)
        await self._until(lambda: self._transaction() is None and not self._connector()["locked"])
        view.step("the transaction is over, the cable is free; the driver unplugs and leaves")
        simulation.unplug(1, 1)
        await self._until(lambda: self._connector()["status"] == "Available")
        await self._until(lambda: self._program.charge_point.queued_messages == 0)
        view.step("every message has been delivered")

    def _evse(self) -> dict[str, Any]:
        evse: dict[str, Any] = self._program.view.status()["evses"][0]
        return evse

    def _connector(self) -> dict[str, Any]:
        connector: dict[str, Any] = self._evse()["connectors"][0]
        return connector

    def _transaction(self) -> dict[str, Any] | None:
        transaction: dict[str, Any] | None = self._evse()["transaction"]
        return transaction

    def _state(self) -> str | None:
        transaction = self._transaction()
        return str(transaction["state"]) if transaction is not None else None

    async def _until(self, condition: Any) -> None:
        async with asyncio.timeout(STEP_TIMEOUT_S):
            while not condition():
                self._view.status(self._program.view.status())
                await asyncio.sleep(1 / REFRESH_PER_S)
        self._view.status(self._program.view.status())


def _view(version: str) -> View:
    if sys.stdout.isatty():
        try:
            return LiveView(version)
        except ImportError:
            print("for the live view, install pilotwire[terminal]")
    return PlainView()


def _configuration(folder: Path, version: str, port: int) -> Configuration:
    path = folder / "station.toml"
    path.write_text(_STATION_FILE.format(port=port, version=version), encoding="utf-8")
    return load(path)


async def run_demo(version: str, *, keep_running: bool = False) -> int:
    """Play the session; 0 when everything came about, 1 otherwise."""
    to_console(logging.ERROR)
    view = _view(version)
    csms = CsmsServer(watcher=view.frame)
    await csms.start("127.0.0.1", 0)
    with tempfile.TemporaryDirectory(prefix="pilotwire-demo-") as folder, view:
        program = Program(_configuration(Path(folder), version, csms.port))
        running = asyncio.ensure_future(program.run())
        try:
            await Story(program, view).play()
            while keep_running:
                view.status(program.view.status())
                await asyncio.sleep(1)
        except TimeoutError:
            view.step("this step did not come about in time; something is wrong")
            return 1
        finally:
            program.finish()
            await running
            await csms.stop()
    print(f"A charging session over OCPP {version}, from plug to bill. Next: pilotwire run, see GETTING_STARTED.md")
    return 0
