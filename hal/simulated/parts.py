"""Simulated pilot, contactor, lock and meter."""

import random
from collections.abc import Callable, Sequence
from decimal import ROUND_DOWN, Decimal

import msgspec
from msgspec.structs import replace

from hal.errors import ContactorError, MeterError
from hal.iec61851 import PilotState
from hal.interfaces import Quantity, Reading, SignedData
from hal.simulated.vehicle import NOMINAL_VOLTAGE_V, Vehicle

ENERGY_STEP = Decimal("0.1")
"""Resolution of the simulated register in Wh."""

VOLTAGE_NOISE_V = 1.5


class SimulatedPilot:
    """The pilot line of an EVSE: what the EV there shows. `offered` hears what the line offers."""

    def __init__(self, offered: Callable[[float], object] = lambda current_a: None) -> None:
        self._offered = offered
        self.vehicle: Vehicle | None = None
        self.failed = False

    def offer(self, current_a: float | None) -> None:
        """See `ControlPilot.offer`."""
        self._offered(current_a or 0.0)
        if self.vehicle is not None:
            self.vehicle.offer(current_a or 0.0)

    def fail(self, failed: bool) -> None:
        """See `ControlPilot.fail`."""
        self.failed = failed

    @property
    def state(self) -> PilotState:
        """See `ControlPilot.state`."""
        if self.vehicle is None:
            return PilotState.F if self.failed else PilotState.A
        return self.vehicle.state


class SimulatedContactor:
    """Closes the way to the EV, unless it is stuck; opens it, unless it is welded."""

    def __init__(self, pilot: SimulatedPilot) -> None:
        self._pilot = pilot
        self._closed = False
        self.stuck = False
        self.welded = False

    def close(self) -> None:
        """See `Contactor.close`."""
        if self.stuck:
            raise ContactorError("stuck")
        self._closed = True
        if self._pilot.vehicle is not None:
            self._pilot.vehicle.power(True)

    def open(self) -> None:
        """See `Contactor.open`."""
        self._closed = self._closed and self.welded
        if self._pilot.vehicle is not None:
            self._pilot.vehicle.power(self._closed)

    @property
    def closed(self) -> bool:
        """See `Contactor.closed`."""
        return self._closed


class SimulatedLock:
    """Locks, unless it is broken."""

    def __init__(self) -> None:
        self._locked = False
        self.broken = False

    async def lock(self) -> bool:
        """See `Lock.lock`."""
        if not self.broken:
            self._locked = True
        return self._locked

    async def unlock(self) -> bool:
        """See `Lock.unlock`."""
        if self.broken:
            return False
        self._locked = False
        return True

    @property
    def locked(self) -> bool:
        """See `Lock.locked`."""
        return self._locked


class MeterState(msgspec.Struct):
    """What a meter is set to, beside its register."""

    frozen: bool = False
    power_w: float | None = None
    signed_start: str | None = None
    signed_end: str | None = None
    signed_now: str | None = None
    public_key: str = ""
    signed_set: bool = False


class SimulatedMeter:
    """Integrates what the EV draws. `counted` hears of every change of the register, and keeps it."""

    def __init__(
        self,
        rng: random.Random,
        *,
        signed: bool,
        now: Callable[[], float],
        counted: Callable[[float], object] = lambda energy_wh: None,
    ) -> None:
        self._rng = rng
        self._signed = signed
        self._now = now
        self._counted = counted
        self._exact_wh = 0.0
        self._forced_since = 0.0
        self.vehicle: Vehicle | None = None
        self.phases = 3
        self.offered_a = 0.0
        self.state = MeterState()
        self.broken = False
        self._session_start = Decimal(0)

    @property
    def energy_wh(self) -> Decimal:
        """The register, in Wh."""
        self.collect()
        return Decimal(repr(self._exact_wh)).quantize(ENERGY_STEP, rounding=ROUND_DOWN)

    def set_energy(self, energy_wh: float) -> None:
        """Set the register."""
        self.collect()
        self._exact_wh = energy_wh
        self._counted(energy_wh)

    def force_power(self, power_w: float | None) -> None:
        """Count that power from now on, whatever flows; None: what flows."""
        self.collect()
        self.state.power_w = power_w
        self._forced_since = self._now()

    @property
    def exact_wh(self) -> float:
        """The register as far as it has counted, with all digits."""
        return self._exact_wh

    def offer(self, current_a: float) -> None:
        """What the pilot offers now, for Current.Offered."""
        self.offered_a = current_a

    def begin_session(self) -> None:
        """A car is plugged in: signed readings begin here."""
        self._session_start = self.energy_wh

    def collect(self) -> None:
        """Take over what flowed since the last time."""
        flowed = self.vehicle.advance() if self.vehicle is not None else 0.0
        if self.state.power_w is not None:
            now = self._now()
            flowed = self.state.power_w * (now - self._forced_since) / 3600.0
            self._forced_since = now
        if flowed > 0 and not self.state.frozen:
            self._exact_wh += flowed
            self._counted(self._exact_wh)

    @property
    def counts(self) -> bool:
        """Whether the register is growing now."""
        return not self.state.frozen and self._flow()[0] > 0

    def read(self) -> Reading:
        """See `Meter.read`."""
        if self.broken:
            raise MeterError("the meter does not answer")
        energy = self.energy_wh
        power, current, phases = self._flow()
        quantities = [
            Quantity("Energy.Active.Import.Register", energy, "Wh"),
            Quantity("Power.Active.Import", _tenths(power), "W"),
            Quantity("Current.Offered", _tenths(self.offered_a), "A"),
            Quantity("Power.Offered", _tenths(self.offered_a * self.phases * NOMINAL_VOLTAGE_V), "W"),
        ]
        for phase in range(1, self.phases + 1):
            drawn = current if phase <= phases else 0.0
            quantities.append(Quantity("Current.Import", _tenths(drawn), "A", f"L{phase}"))
            volts = NOMINAL_VOLTAGE_V + self._rng.uniform(-VOLTAGE_NOISE_V, VOLTAGE_NOISE_V)
            quantities.append(Quantity("Voltage", _tenths(volts), "V", f"L{phase}-N"))
        if self.vehicle is not None:
            quantities.append(Quantity("SoC", _tenths(self.vehicle.soc), "Percent", location="EV"))
        return Reading(tuple(quantities), self._signed_data("B"), self._signed_data("E"), self._signed_data("C"))

    def _flow(self) -> tuple[float, float, int]:
        vehicle = self.vehicle
        phases = vehicle.phases if vehicle is not None else self.phases
        if self.state.power_w is not None:
            return self.state.power_w, self.state.power_w / phases / NOMINAL_VOLTAGE_V, phases
        if vehicle is None:
            return 0.0, 0.0, phases
        return vehicle.power_w, vehicle.current_a, phases

    def _signed_data(self, kind: str) -> SignedData | None:
        """What is signed at the begin, at the end, or in between (OCMF's TX: B, E, C)."""
        state = self.state
        if state.signed_set:
            text = {"B": state.signed_start, "E": state.signed_end, "C": state.signed_now}[kind]
            return SignedData(text, public_key=state.public_key) if text is not None else None
        if not self._signed:
            return None
        value = self._session_start if kind == "B" else self.energy_wh
        text = f'OCMF|{{"FV":"1.0","GI":"pilotwire simulated","RD":[{{"TX":"{kind}","RV":{value},"RU":"Wh"}}]}}|'
        return SignedData(text)


SUMMED = ("Energy.Active.Import.Register", "Power.Active.Import", "Current.Import")


def in_front_of(readings: Sequence[Reading]) -> Reading:
    """What a meter says through which everything flows that those meters measure.

    A quantity that one of them does not know is not known of all, so that a register never falls.
    """
    sums: dict[tuple[str, str | None], Quantity] = {}
    for quantity in (each for reading in readings for each in reading.quantities if each.measurand in SUMMED):
        before = sums.get((quantity.measurand, quantity.phase))
        total = quantity.value + (before.value if before is not None else 0)
        sums[quantity.measurand, quantity.phase] = replace(quantity, value=total, location="Inlet")
    known = [{quantity.measurand for quantity in reading.quantities} for reading in readings]
    return Reading(tuple(each for each in sums.values() if all(each.measurand in those for those in known)))


def _tenths(value: float) -> Decimal:
    return Decimal(repr(round(value, 1)))
