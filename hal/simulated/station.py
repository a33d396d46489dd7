"""A whole simulated station, and everything that may happen to it."""

import logging
import random
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from hal.clock import Clock
from hal.evse import Evse
from hal.iec61851 import PilotState
from hal.interfaces import EvControllerListener, EvseListener, Lock, Reading
from hal.simulated.description import EvseParts, SimulatedConnector, SimulatedEvse, SimulationOptions
from hal.simulated.display import SimulatedDisplay
from hal.simulated.faults import FAULT_KINDS, HARDWARE_FAULTS, apply_fault
from hal.simulated.inputs import check_meter
from hal.simulated.iso15118 import SimulatedEvController
from hal.simulated.memory import StationMemory, kept
from hal.simulated.parts import SimulatedContactor, SimulatedLock, SimulatedMeter, SimulatedPilot, in_front_of
from hal.simulated.vehicle import Vehicle, VehicleOptions

log = logging.getLogger(__name__)


class SimulatedStation:
    """Virtual EVSEs by number from 1. Methods raise ValueError saying what is allowed, LookupError for an unknown EVSE."""

    def __init__(
        self,
        evses: tuple[SimulatedEvse, ...],
        *,
        clock: Clock,
        listener: EvseListener,
        state_dir: Path,
        options: SimulationOptions | None = None,
    ) -> None:
        self._description = evses
        self._clock = clock
        self._listener = listener
        self.options = options or SimulationOptions()
        self._rng = random.Random(self.options.seed)
        self._station_faults: dict[str, dict[str, str]] = {}
        self.displays: defaultdict[int, SimulatedDisplay] = defaultdict(SimulatedDisplay)
        """By EVSE; 0 is the station's."""
        self.indications: dict[int, str] = {}
        """By EVSE: what its lights show."""
        self.controllers: dict[int, SimulatedEvController] = {}
        """Of the EVSEs that speak ISO 15118."""
        self._parts = {number: self._build(number, evse) for number, evse in enumerate(evses, 1)}
        self._memory = StationMemory(state_dir, self._parts, clock, self._state)
        self._memory.peek()
        self._running = False

    def _build(self, number: int, described: SimulatedEvse) -> EvseParts:
        meter = SimulatedMeter(
            self._rng,
            signed=self.options.signed_meter,
            now=self._clock.monotonic,
            counted=lambda energy_wh: self._memory.counted(number, energy_wh),
        )
        meter.phases = max(connector.phases for connector in described.connectors)
        pilot = SimulatedPilot(meter.offer)
        contactor = SimulatedContactor(pilot)
        locks = {n: SimulatedLock() for n, connector in enumerate(described.connectors, 1) if connector.lock}
        as_locks: dict[int, Lock] = dict(locks)
        evse = Evse(
            number,
            pilot=pilot,
            contactor=contactor,
            meter=meter,
            locks=as_locks,
            clock=self._clock,
            listener=self._listener,
        )
        return EvseParts(evse, pilot, contactor, meter, locks)

    def _tell(self, report: Callable[[], None]) -> None:
        self._clock.call_later(0.0, lambda: report() if self._running else None)

    def attach_iso15118(self, listener: EvControllerListener) -> None:
        """Let the EVs at the EVSEs configured so speak ISO 15118 to `listener`."""
        for number, described in enumerate(self._description, 1):
            if described.iso15118:
                current = partial(self._ev_current, number)
                self.controllers[number] = SimulatedEvController(number, self._clock, listener, current)

    def _ev_current(self, number: int) -> float | None:
        vehicle = self._parts[number].vehicle
        return vehicle.options.max_current_a if vehicle is not None else None

    def controller(self, number: int) -> SimulatedEvController:
        """The ISO 15118 controller of an EVSE; ValueError where there is none."""
        self._evse(number)
        if number not in self.controllers:
            raise ValueError(f"EVSE {number} does not speak ISO 15118; configure iso15118 = true")
        return self.controllers[number]

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take up the registers, and with `keep_on_restart` the cables, EVs and faults; then report what is there."""
        stored = self._memory.open()
        self._running = True
        if self.options.keep_on_restart:
            self._restore_all(stored)
        self._memory.write()

    def _restore_all(self, stored: dict[str, Any]) -> None:
        """What no longer fits the configuration, or is damaged, is left out."""
        restore: list[Callable[[], None]] = [
            lambda number=number, parts=parts: self._restore(number, parts, stored.get(str(number), {}))  # type: ignore[misc]
            for number, parts in self._parts.items()
        ]
        restore.append(lambda: self._restore_faults(0, stored.get("0", {})))
        for each in restore:
            try:
                each()
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                log.error("a part of the simulation's state %s is left out: %s", self._memory.file.path, error)

    def _restore(self, number: int, parts: EvseParts, stored: dict[str, Any]) -> None:
        for name, value in stored.get("meter", {}).items():
            setattr(parts.meter.state, name, value)
        if parts.meter.state.power_w is not None:
            parts.meter.force_power(parts.meter.state.power_w)
        if stored.get("plugged") is not None:
            connector_id = int(stored["plugged"])
            self._connector(number, connector_id)
            self._insert(number, connector_id, VehicleOptions.read(stored["ev"]), restored=True)
            if stored.get("forced") is not None and parts.vehicle is not None:
                parts.vehicle.force(PilotState(stored["forced"]))
                parts.evse.pilot_changed(connector_id)
        self._restore_faults(number, stored)
        if stored.get("bay"):
            self.parking_bay(number, True)

    def _restore_faults(self, number: int, stored: dict[str, Any]) -> None:
        for connector_id, kind, about in stored.get("faults", ()):
            self.fault(number, int(connector_id), kind, active=True, **about)

    def stop(self) -> None:
        """Write the registers and let go of every timer; nothing is reported any more."""
        for parts in self._parts.values():
            parts.meter.collect()
            parts.evse.shut_down()
            if parts.vehicle is not None:
                parts.vehicle.unplug()
        self._memory.close()
        self._running = False

    def _state(self) -> dict[str, Any]:
        """What of the simulation survives a restart."""
        if not self.options.keep_on_restart:
            return {}
        state = {str(number): kept(parts) for number, parts in self._parts.items()}
        state["0"] = {"faults": [[0, kind, about] for kind, about in self._station_faults.items()]}
        return state

    # -- finding --------------------------------------------------------------------------------------------------

    def _evse(self, number: int) -> EvseParts:
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

    def indicate(self, number: int, state: str) -> None:
        """What lights would show; kept for whoever looks."""
        self.indications[number] = state

    def show(self, number: int, texts: tuple[str, ...]) -> None:
        """Show texts on a display."""
        self.displays[number].show(texts)

    def ev_session(self, number: int) -> dict[str, Any] | None:
        """What the EV heard over ISO 15118; None where the EVSE does not speak it."""
        controller = self.controllers.get(number)
        return controller.snapshot() if controller is not None else None

    def texts(self, number: int) -> tuple[str, ...]:
        """What a display shows; 0 is the station's."""
        return self.displays[number].texts

    def read_main_meter(self) -> Reading | None:
        """What the meter in front of all EVSEs says; None where there is none."""
        if not self.options.main_meter:
            return None
        return in_front_of([parts.evse.read_meter() for parts in self._parts.values()])

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
        self._memory.write()
        return self.snapshot(number)

    def _insert(self, number: int, connector_id: int, options: VehicleOptions, *, restored: bool = False) -> None:
        parts = self._evse(number)
        if self.options.meter_resets_on_plug and not restored:
            parts.meter.set_energy(0.0)
        parts.meter.begin_session()
        parts.plugged = connector_id
        self._replace(parts, options)
        parts.evse.pilot_changed(connector_id)

    def _replace(self, parts: EvseParts, options: VehicleOptions) -> None:
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

    def _vehicle_changed(self, parts: EvseParts) -> None:
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
        self._memory.write()
        return self.snapshot(number)

    def change_ev(self, number: int, values: dict[str, Any]) -> dict[str, Any]:
        """The EV changes: `state` ("B" to "F"; null: its own will), `fault` ("diode"; null: none), or other EV values.

        The battery keeps its charge unless `soc` is given.
        """
        parts = self._evse(number)
        if parts.vehicle is None:
            raise ValueError(f"no EV is plugged in at EVSE {number}; plug one in first")
        values = dict(values)
        free = ("state" in values, "fault" in values)
        state, fault = values.pop("state", None), values.pop("fault", None)
        if fault is not None and fault != "diode":
            raise ValueError(f"an EV has no fault {fault!r}; allowed are diode and null")
        if state is not None and state not in ("B", "C", "D", "E", "F"):
            raise ValueError(f"an EV has no state {state!r}; allowed are B, C, D, E, F and null")
        if values:
            options = VehicleOptions.read(values, parts.vehicle.options)
            parts.vehicle.change(options, options.soc if "soc" in values else None)
        if fault is not None:
            parts.vehicle.force(PilotState.E)
        elif state is not None:
            parts.vehicle.force(PilotState(state))
        elif any(free):
            parts.vehicle.force(None)
        parts.evse.pilot_changed(parts.plugged or 1)
        self._memory.write()
        return self.snapshot(number)

    def parking_bay(self, number: int, occupied: bool) -> dict[str, Any]:
        """The bay's sensor sees something, or no longer."""
        parts = self._evse(number)
        if not self._description[number - 1].bay_sensor:
            raise ValueError(f"EVSE {number} has no bay sensor; configure bay_sensor = true")
        if not isinstance(occupied, bool):
            raise ValueError("occupied must be true or false")
        parts.bay = occupied
        self._tell(lambda: self._listener.bay(number, occupied))
        self._memory.write()
        return self.snapshot(number)

    def present(self, value: str, token_type: str = "ISO14443", evse_ids: tuple[int, ...] = ()) -> None:
        """A token is held to the reader once."""
        if not isinstance(value, str) or not 0 < len(value) <= 255:
            raise ValueError("id must be a text of 1 to 255 characters")
        for number in evse_ids:
            self._evse(number)
        self._tell(lambda: self._listener.token(value, token_type, evse_ids))

    def fault(
        self, number: int, connector_id: int, kind: str, *, active: bool, info: str = "", vendor_code: str = ""
    ) -> None:
        """A fault comes or goes; connector 0 is the EVSE, EVSE 0 the station."""
        if not isinstance(kind, str) or kind not in FAULT_KINDS:
            raise ValueError(f"there is no fault {kind!r}; allowed are {', '.join(sorted(FAULT_KINDS))}")
        if number and connector_id:
            self._connector(number, connector_id)
        elif number:
            self._evse(number)
        elif connector_id:
            raise LookupError(f"EVSE 0 is the station and has no connector {connector_id}; use connector 0")
        about = {"info": info, "vendor_code": vendor_code}
        faults = self._evse(number).faults if number else self._station_faults
        key: Any = (connector_id, kind) if number else kind
        if active:
            faults[key] = about
        else:
            faults.pop(key, None)
        if active:
            # What endangers people opens the contactor here, before anybody above has heard of it.
            self._apply_fault(number, kind)
        if kind not in HARDWARE_FAULTS:
            self._tell(lambda: self._listener.fault(number, connector_id, kind, active=active, **about))
        if not active:
            self._apply_fault(number, kind)
        self._memory.write()

    def _apply_fault(self, number: int, kind: str) -> None:
        for parts in [self._evse(number)] if number else self._parts.values():
            apply_fault(parts, kind, set(self._station_faults))

    def set_meter(self, number: int, values: dict[str, Any]) -> dict[str, Any]:
        """What the meter will say: `energy_wh`, `power_w` (null: what flows), `frozen`, `signed` {start, end, now, public_key}.

        Either everything given is taken or nothing.
        """
        meter = self._evse(number).meter
        check_meter(values)
        meter.collect()
        if "frozen" in values:
            meter.state.frozen = values["frozen"]
        if "energy_wh" in values:
            meter.set_energy(float(values["energy_wh"]))
        if "power_w" in values:
            meter.force_power(None if values["power_w"] is None else float(values["power_w"]))
        if "signed" in values:
            signed = values["signed"]
            meter.state.signed_set = signed is not None
            given = signed or {}
            meter.state.signed_start, meter.state.signed_end = given.get("start"), given.get("end")
            meter.state.signed_now, meter.state.public_key = given.get("now"), given.get("public_key") or ""
        if meter.counts:
            self._memory.counted(number, float(meter.exact_wh))
        self._memory.write()
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
            "connected": parts.evse.plugged,
        }
