import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hal.errors import ContactorBusy, ContactorError
from hal.evse import Evse
from hal.iec61851 import PilotState
from hal.interfaces import Quantity, Reading
from hal.simulated import SimulatedEvse, SimulatedStation, SimulationOptions
from ocpp.clock import ManualClock


class Heard:
    """An `EvseListener` that writes down what it hears."""

    def __init__(self) -> None:
        self.all: list[tuple[Any, ...]] = []

    def plugged(self, evse_id, connector_id):
        self.all.append(("plugged", evse_id, connector_id))

    def unplugged(self, evse_id, connector_id):
        self.all.append(("unplugged", evse_id, connector_id))

    def socket(self, evse_id, connector_id, occupied):
        self.all.append(("socket", evse_id, connector_id, occupied))

    def ev_state(self, evse_id, *, requests_energy, energy_flows):
        self.all.append(("ev", evse_id, requests_energy, energy_flows))

    def fault(self, evse_id, connector_id, kind, *, active, info, vendor_code):
        self.all.append(("fault", evse_id, connector_id, kind, active, info))

    def token(self, value, token_type, evse_ids):
        self.all.append(("token", value, token_type, evse_ids))

    def bay(self, evse_id, occupied):
        self.all.append(("bay", evse_id, occupied))

    def tamper(self, evse_id, active, info):
        self.all.append(("tamper", evse_id, active, info))

    def of(self, what: str) -> list[tuple[Any, ...]]:
        return [each for each in self.all if each[0] == what]

    @property
    def faults(self) -> list[tuple[str, bool]]:
        """Kind and whether it came or went, in order."""
        return [(each[3], each[4]) for each in self.of("fault")]


@pytest.fixture
def heard() -> Heard:
    return Heard()


class FakeContactor:
    """Obeys, unless told to fail."""

    def __init__(self) -> None:
        self.conducts = False
        self.welded = False
        self.fails_to: set[str] = set()
        self.busy_s = 0.0

    def close(self):
        if self.busy_s:
            raise ContactorBusy("its pause is not over", self.busy_s)
        if "close" in self.fails_to:
            raise ContactorError("coil does not answer")
        self.conducts = True

    def open(self):
        if "open" in self.fails_to:
            raise ContactorError("coil does not let go")
        self.conducts = self.welded

    @property
    def closed(self):
        if "tell" in self.fails_to:
            raise ContactorError("feedback contact is broken")
        return self.conducts


class FakePhaseSwitch:
    """Can be switched while the contactor is open."""

    def __init__(self, contactor: FakeContactor) -> None:
        self._contactor = contactor
        self.phases = 3

    def use(self, phases):
        assert not self._contactor.conducts, "under load"
        self.phases = phases


class FakePilot:
    """A line that shows what the test wants."""

    def __init__(self) -> None:
        self.state = PilotState.A
        self.offered: float | None = None
        self.failed = False
        self.breaks = False

    def offer(self, current_a):
        if self.breaks:
            raise OSError("no PWM")
        self.offered = current_a

    def fail(self, failed):
        self.failed = failed
        if self.state in (PilotState.A, PilotState.F):
            self.state = PilotState.F if failed else PilotState.A


class FakeMeter:
    def __init__(self) -> None:
        self.energy = Decimal("1.0")
        self.error: Exception | None = None

    def read(self):
        if self.error is not None:
            raise self.error
        return Reading((Quantity("Energy.Active.Import.Register", self.energy, "Wh"),))


class Rig:
    """One EVSE on fakes, with a clock in hand."""

    def __init__(self, *, ventilated: bool = False, switches_phases: bool = False) -> None:
        self.clock = ManualClock()
        self.heard = Heard()
        self.most_a = math.inf
        """What the parts on the way carry."""
        self.pilot, self.contactor, self.meter = FakePilot(), FakeContactor(), FakeMeter()
        self.phases = FakePhaseSwitch(self.contactor)
        self.evse = Evse(
            1,
            pilot=self.pilot,
            contactor=self.contactor,
            meter=self.meter,
            locks={},
            clock=self.clock,
            listener=self.heard,
            ventilated=ventilated,
            carries=lambda: self.most_a,
            phase_switch=self.phases if switches_phases else None,
        )

    def show(self, state: str, connector_id: int = 1) -> None:
        """The line shows a state."""
        self.pilot.state = PilotState(state)
        self.evse.pilot_changed(connector_id)

    def charge(self, limit_a: float = 16.0) -> None:
        """An EV comes and charges."""
        self.show("B")
        self.evse.allow_energy(limit_a)
        self.show("C")
        self.pass_time(1.0)
        assert self.contactor.conducts

    def pass_time(self, seconds: float = 0.0) -> None:
        self.clock.tick(seconds)


@pytest.fixture
def new_heard() -> Callable[[], Heard]:
    return Heard


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def new_rig() -> Callable[..., Rig]:
    return Rig


class Site:
    """A simulated station that can lose its power and be started again."""

    def __init__(self, path: Path, evses: tuple[SimulatedEvse, ...], options: SimulationOptions) -> None:
        self.path, self.evses, self.options = path, evses, options
        self.clock = ManualClock()
        self.boot()

    def boot(self) -> "Site":
        """A new life, without a word from the old one, as after a power cut."""
        self.heard = Heard()
        self.station = SimulatedStation(
            self.evses, clock=self.clock, listener=self.heard, state_dir=self.path, options=self.options
        )
        self.station.start()
        self.pass_time()
        return self

    def power_cut(self) -> "Site":
        self.clock = ManualClock()
        return self.boot()

    def pass_time(self, seconds: float = 0.0) -> None:
        self.clock.tick(seconds)

    def charge(self, ev: dict[str, Any] | None = None, limit_a: float = 32.0, evse: int = 1) -> None:
        self.station.plug(evse, 1, ev or {})
        self.station.evse(evse).allow_energy(limit_a)
        self.pass_time(10.0)
        assert self.station.evse(evse).energy_flows

    def energy(self, evse: int = 1) -> float:
        return float(self.station.snapshot(evse)["energy_wh"])

    def power(self, evse: int = 1) -> float:
        return float(self.station.snapshot(evse)["power_w"])


@pytest.fixture
def new_site(tmp_path: Path) -> Callable[..., Site]:
    def make(*evses: SimulatedEvse, **options: Any) -> Site:
        return Site(tmp_path, evses or (SimulatedEvse(),), SimulationOptions(**options))

    return make


@pytest.fixture
def site(new_site: Callable[..., Site]) -> Site:
    return new_site()
