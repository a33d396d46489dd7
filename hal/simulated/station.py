"""A whole simulated station, and everything that may happen to it."""

import json
import logging
import os
import random
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from hal.clock import Clock, Timer
from hal.evse import Evse
from hal.iec61851 import CONNECTED, PilotState
from hal.interfaces import EvseListener, Lock
from hal.simulated.parts import SimulatedContactor, SimulatedLock, SimulatedMeter, SimulatedPilot
from hal.simulated.vehicle import Vehicle, VehicleOptions

REGISTER_WRITE_INTERVAL_S = 10.0
"""How often the registers are written while they count; a real meter's own memory is that good too."""

LOCK_FAILURE = "ConnectorLockFailure"

FAULT_KINDS = frozenset(
    {
        "ConnectorLockFailure",
        "EVCommunicationError",
        "EmergencyStop",
        "GroundFailure",
        "HighTemperature",
        "InternalError",
        "LocalListConflict",
        "OtherError",
        "OverCurrentFailure",
        "OverVoltage",
        "PowerMeterFailure",
        "PowerSwitchFailure",
        "ReaderFailure",
        "ResetFailure",
        "UnderVoltage",
        "WeakSignal",
    }
)
"""Error codes of OCPP 1.6, and EmergencyStop for the button."""

DANGEROUS_FAULTS = frozenset({"EmergencyStop", "GroundFailure", "OverCurrentFailure", "PowerSwitchFailure"})
"""While one of these is active, the hardware itself offers nothing, whatever it is told."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SimulatedConnector:
    """A connector to simulate."""

    max_current_a: float = 32.0
    phases: int = 3
    lock: bool = True


@dataclass(frozen=True, slots=True)
class SimulatedEvse:
    """An EVSE to simulate."""

    connectors: tuple[SimulatedConnector, ...] = (SimulatedConnector(),)
    bay_sensor: bool = False


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """How the simulation behaves (the station file's [simulation])."""

    seed: int = 1
    keep_on_restart: bool = False
    meter_resets_on_plug: bool = False
    signed_meter: bool = False


@dataclass(slots=True)
class _Parts:
    evse: Evse
    pilot: SimulatedPilot
    meter: SimulatedMeter
    locks: dict[int, SimulatedLock]
    plugged: int | None = None
    vehicle: Vehicle | None = None
    bay: bool = False
    out_of_service: set[int] = field(default_factory=set)
    faults: dict[tuple[int, str], dict[str, str]] = field(default_factory=dict)


class SimulatedStation:
    """Virtual EVSEs by number from 1. Methods raise ValueError saying what is allowed, LookupError for an unknown EVSE."""

    def __init__(
        self,
        evses: tuple[SimulatedEvse, ...],
        *,
        clock: Clock,
        listener: EvseListener,
        state_dir: Path,
        options: SimulationOptions = SimulationOptions(),
    ) -> None:
        self._description = evses
        self._clock = clock
        self._listener = listener
        self._file = state_dir / "simulation.json"
        self.options = options
        self._rng = random.Random(options.seed)
        self._station_faults: dict[str, dict[str, str]] = {}
        self._parts = {number: self._build(number, evse) for number, evse in enumerate(evses, 1)}
        self._timer: Timer | None = None
        self._written: dict[str, Any] = {}

    def _build(self, number: int, described: SimulatedEvse) -> _Parts:
        pilot = SimulatedPilot()
        meter = SimulatedMeter(self._rng, signed=self.options.signed_meter, now=self._clock.monotonic)
        meter.phases = max(connector.phases for connector in described.connectors)
        locks = {n: SimulatedLock() for n, connector in enumerate(described.connectors, 1) if connector.lock}
        as_locks: dict[int, Lock] = dict(locks)
        evse = Evse(
            number,
            pilot=pilot,
            contactor=SimulatedContactor(pilot),
            meter=meter,
            locks=as_locks,
            clock=self._clock,
            listener=self._listener,
        )
        return _Parts(evse, pilot, meter, locks)

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take up the registers, and with `keep_on_restart` the cables, EVs and faults; then report what is there."""
        try:
            stored = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            stored = {}
        except (OSError, ValueError) as error:
            log.error("the simulation's state %s cannot be read: %s; registers start at 0", self._file, error)
            stored = {}
        for number, parts in self._parts.items():
            self._restore(number, parts, stored.get(str(number), {}))
        self._schedule_write()

    def _restore(self, number: int, parts: _Parts, stored: dict[str, Any]) -> None:
        parts.meter.set_energy(float(stored.get("energy_wh", 0.0)))
        if not self.options.keep_on_restart:
            return
        meter = stored.get("meter", {})
        for name, value in meter.items():
            setattr(parts.meter.state, name, value)
        if parts.meter.state.power_w is not None:
            parts.meter.force_power(parts.meter.state.power_w)
        if stored.get("plugged") is not None:
            self._insert(number, int(stored["plugged"]), VehicleOptions.read(stored["ev"]), restored=True)
        for connector_id, kind, info in stored.get("faults", ()):
            self.fault(number, int(connector_id), kind, active=True, **info)
        if stored.get("bay"):
            self.parking_bay(number, True)

    def stop(self) -> None:
        """Write the registers and let go of every timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for parts in self._parts.values():
            parts.evse.cut()
            if parts.vehicle is not None:
                parts.vehicle.unplug()
        self.write()

    def write(self) -> None:
        """Put the registers on disk, if they have changed, in one piece or not at all."""
        state = {str(number): self._state(parts) for number, parts in self._parts.items()}
        if state == self._written:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".tmp")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file)
        self._written = state

    def _state(self, parts: _Parts) -> dict[str, Any]:
        state: dict[str, Any] = {"energy_wh": float(parts.meter.energy_wh)}
        if self.options.keep_on_restart:
            state["meter"] = asdict(parts.meter.state)
            state["faults"] = [[connector, kind, info] for (connector, kind), info in parts.faults.items()]
            state["bay"] = parts.bay
            if parts.plugged is not None and parts.vehicle is not None:
                state["plugged"] = parts.plugged
                state["ev"] = {**asdict(parts.vehicle.options), "soc": parts.vehicle.soc}
        return state

    def _schedule_write(self) -> None:
        self._timer = self._clock.call_later(REGISTER_WRITE_INTERVAL_S, self._write_now)

    def _write_now(self) -> None:
        try:
            self.write()
        except OSError as error:
            log.error("the simulation's state cannot be written: %s", error)
        self._schedule_write()

    # -- finding --------------------------------------------------------------------------------------------------

    def _evse(self, number: int) -> _Parts:
        parts = self._parts.get(number)
        if parts is None:
            raise LookupError(f"there is no EVSE {number}; known are 1 to {len(self._parts)}")
        return parts

    def _connector(self, number: int, connector_id: int) -> SimulatedConnector:
        self._evse(number)
        connectors = self._description[number - 1].connectors
        if not 1 <= connector_id <= len(connectors):
            raise LookupError(f"EVSE {number} has no connector {connector_id}; known are 1 to {len(connectors)}")
        return connectors[connector_id - 1]

    def evse(self, number: int) -> Evse:
        """The controller of an EVSE, which takes the commands."""
        return self._evse(number).evse

    @property
    def plugged(self) -> list[tuple[int, int]]:
        """Where cables are in: EVSE and connector."""
        return [(number, parts.plugged) for number, parts in self._parts.items() if parts.plugged is not None]

    def show_offer(self, number: int) -> None:
        """Let the meter know what is offered, so that it can say so."""
        parts = self._evse(number)
        parts.meter.offered_a = parts.evse.offered_a

    def set_available(self, number: int, connector_id: int, available: bool) -> None:
        """A connector goes in or out of service; the shared pilot follows when none is left in service."""
        parts = self._evse(number)
        parts.out_of_service.discard(connector_id)
        if not available:
            parts.out_of_service.add(connector_id)
        connectors = self._description[number - 1].connectors
        parts.evse.set_available(len(parts.out_of_service) < len(connectors))

    # -- what happens ---------------------------------------------------------------------------------------------

    def plug(self, number: int, connector_id: int, ev: dict[str, Any] | None = None) -> dict[str, Any]:
        """The cable goes in. On a plugged connector a given EV replaces the one there, nothing else changes nothing."""
        self._connector(number, connector_id)
        parts = self._evse(number)
        if parts.plugged is not None and parts.plugged != connector_id:
            raise ValueError(f"EVSE {number} is in use at connector {parts.plugged}; unplug there first")
        if parts.plugged is not None and ev is None:
            return self.snapshot(number)
        options = VehicleOptions.read(ev or {})
        if parts.plugged is not None:
            self._replace(parts, options)
        else:
            self._insert(number, connector_id, options)
        return self.snapshot(number)

    def _insert(self, number: int, connector_id: int, options: VehicleOptions, *, restored: bool = False) -> None:
        parts = self._evse(number)
        if self.options.meter_resets_on_plug and not restored:
            parts.meter.set_energy(0.0)
        parts.meter.begin_session()
        parts.plugged = connector_id
        self._replace(parts, options)
        parts.evse.pilot_changed(connector_id)

    def _replace(self, parts: _Parts, options: VehicleOptions) -> None:
        parts.meter.collect()
        if parts.vehicle is not None:
            parts.vehicle.unplug()
        connector_id = parts.plugged or 1
        vehicle = Vehicle(options, self._clock, lambda: self._vehicle_changed(parts))
        vehicle.metered = parts.meter.collect  # type: ignore[method-assign]
        vehicle.phases_available = self._description[parts.evse.id - 1].connectors[connector_id - 1].phases
        parts.vehicle = parts.pilot.vehicle = parts.meter.vehicle = vehicle
        vehicle.power(parts.evse.energy_flows)
        vehicle.offer(parts.evse.offered_a)
        parts.evse.pilot_changed(connector_id)

    def _vehicle_changed(self, parts: _Parts) -> None:
        parts.evse.pilot_changed(parts.plugged or 1)

    def unplug(self, number: int, connector_id: int) -> dict[str, Any]:
        """The cable comes out; a locked one is let go too (the EV's end was pulled)."""
        self._connector(number, connector_id)
        parts = self._evse(number)
        if parts.plugged != connector_id or parts.vehicle is None:
            return self.snapshot(number)
        parts.meter.collect()
        parts.vehicle.unplug()
        parts.vehicle = parts.pilot.vehicle = parts.meter.vehicle = None
        parts.plugged = None
        parts.evse.pilot_changed(connector_id)
        return self.snapshot(number)

    def change_ev(self, number: int, values: dict[str, Any]) -> dict[str, Any]:
        """The EV changes: `state` ("B" to "F"), `fault` ("diode"), or other EV values."""
        parts = self._evse(number)
        if parts.vehicle is None:
            raise ValueError(f"no EV is plugged in at EVSE {number}; plug one in first")
        values = dict(values)
        state, fault = values.pop("state", None), values.pop("fault", None)
        if fault is not None and fault != "diode":
            raise ValueError(f"an EV has no fault {fault!r}; allowed is diode")
        if state is not None and state not in ("B", "C", "D", "E", "F"):
            raise ValueError(f"an EV has no state {state!r}; allowed are B, C, D, E, F")
        if values:
            self._replace(parts, VehicleOptions.read(values, parts.vehicle.options))
        if fault is not None:
            parts.vehicle.force(PilotState.E)
        elif state is not None:
            parts.vehicle.force(PilotState(state))
        parts.evse.pilot_changed(parts.plugged or 1)
        return self.snapshot(number)

    def parking_bay(self, number: int, occupied: bool) -> dict[str, Any]:
        """The bay's sensor sees something, or no longer."""
        parts = self._evse(number)
        if not self._description[number - 1].bay_sensor:
            raise ValueError(f"EVSE {number} has no bay sensor; configure bay_sensor = true")
        if not isinstance(occupied, bool):
            raise ValueError("occupied must be true or false")
        parts.bay = occupied
        self._clock.call_later(0.0, lambda: self._listener.bay(number, occupied))
        return self.snapshot(number)

    def present(self, value: str, token_type: str = "ISO14443", evse_ids: tuple[int, ...] = ()) -> None:
        """A token is held to the reader once."""
        if not isinstance(value, str) or not 0 < len(value) <= 255:
            raise ValueError("id must be a text of 1 to 255 characters")
        for number in evse_ids:
            self._evse(number)
        self._clock.call_later(0.0, lambda: self._listener.token(value, token_type, evse_ids))

    def fault(
        self, number: int, connector_id: int, kind: str, *, active: bool, info: str = "", vendor_code: str = ""
    ) -> None:
        """A fault comes or goes; connector 0 is the EVSE, EVSE 0 the station."""
        if kind not in FAULT_KINDS:
            raise ValueError(f"there is no fault {kind!r}; allowed are {', '.join(sorted(FAULT_KINDS))}")
        if number:
            parts = self._evse(number)
            if connector_id:
                self._connector(number, connector_id)
            self._apply_fault(parts, connector_id, kind, active)
            if active:
                parts.faults[connector_id, kind] = {"info": info, "vendor_code": vendor_code}
            else:
                parts.faults.pop((connector_id, kind), None)
        self._clock.call_later(
            0.0,
            lambda: self._listener.fault(number, connector_id, kind, active=active, info=info, vendor_code=vendor_code),
        )

    @staticmethod
    def _apply_fault(parts: _Parts, connector_id: int, kind: str, active: bool) -> None:
        if kind == LOCK_FAILURE:
            for number, lock in parts.locks.items():
                if connector_id in (0, number):
                    lock.broken = active
        elif kind == "PowerMeterFailure":
            parts.meter.broken = active
        elif kind in DANGEROUS_FAULTS:
            # What endangers people opens the contactor here, before anybody above has heard of it.
            if active:
                parts.evse.block(kind)
            else:
                parts.evse.unblock(kind)

    def set_meter(self, number: int, values: dict[str, Any]) -> dict[str, Any]:
        """What the meter will say: `energy_wh`, `power_w` (null: what flows), `frozen`, `signed` {start, end}."""
        meter = self._evse(number).meter
        unknown = sorted(set(values) - {"energy_wh", "power_w", "frozen", "signed"})
        if unknown:
            raise ValueError(f"a meter has no {', '.join(unknown)}; allowed are energy_wh, power_w, frozen, signed")
        if "frozen" in values:
            if not isinstance(values["frozen"], bool):
                raise ValueError("frozen must be true or false")
            meter.collect()
            meter.state.frozen = values["frozen"]
        if "energy_wh" in values:
            meter.set_energy(_number(values, "energy_wh"))
        if "power_w" in values:
            meter.force_power(None if values["power_w"] is None else _number(values, "power_w"))
        if "signed" in values:
            signed = values["signed"]
            if not isinstance(signed, dict) or set(signed) - {"start", "end"}:
                raise ValueError("signed must be an object with start and end")
            meter.state.signed_set = True
            meter.state.signed_start, meter.state.signed_end = signed.get("start"), signed.get("end")
        return self.snapshot(number)

    # -- what is the case -----------------------------------------------------------------------------------------

    def snapshot(self, number: int) -> dict[str, Any]:
        """What an EVSE looks like from outside."""
        parts = self._evse(number)
        vehicle = parts.vehicle
        return {
            "evse": number,
            "pilot": parts.evse.pilot_state.value,
            "plugged": parts.plugged,
            "offered_a": parts.evse.offered_a,
            "energy_wh": parts.meter.energy_wh,
            "power_w": Decimal(repr(round(vehicle.power_w, 1))) if vehicle is not None else Decimal(0),
            "soc": round(vehicle.soc, 1) if vehicle is not None else None,
            "connected": parts.evse.pilot_state in CONNECTED,
        }


def _number(values: dict[str, Any], name: str) -> float:
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{name} = {value!r} must be a number, not negative")
    return float(value)
