"""One EVSE: pilot, contactor, lock and meter working together, safely."""

import logging
from collections.abc import Callable

from hal.clock import Clock, Timer
from hal.errors import HardwareError
from hal.iec61851 import CONNECTED, PilotDecision, PilotMachine, PilotState
from hal.interfaces import Contactor, ControlPilot, EvseListener, Lock, Meter, Reading

log = logging.getLogger(__name__)

CONTACTOR_FAULT = "PowerSwitchFailure"
METER_FAULT = "PowerMeterFailure"


class Evse:
    """Takes commands from above, reports to a listener, and opens the contactor on its own whenever it must.

    Whoever drives the parts calls `pilot_changed` when the line shows something new.
    """

    def __init__(
        self,
        evse_id: int,
        *,
        pilot: ControlPilot,
        contactor: Contactor,
        meter: Meter,
        locks: dict[int, Lock],
        clock: Clock,
        listener: EvseListener,
        ventilated: bool = False,
    ) -> None:
        self.id = evse_id
        self._pilot = pilot
        self._contactor = contactor
        self._meter = meter
        self._locks = locks
        self._clock = clock
        self._listener = listener
        self._machine = PilotMachine(ventilated=ventilated)
        self._timer: Timer | None = None
        self._connector_id = 1
        self._reported: tuple[bool, bool] = (False, False)
        self._reported_plug = False
        self._blocked = False
        self._last_reading = Reading(())

    # -- commands -------------------------------------------------------------------------------------------------

    def allow_energy(self, limit_a: float) -> None:
        """Offer up to `limit_a` A per phase; below 6 A nothing can be offered and the EV is paused."""
        self._guarded(lambda: self._offer(None if self._blocked else limit_a))

    def stop_energy(self) -> None:
        """Withdraw the offer; the contactor opens when the EV has let go, three seconds later at the latest."""
        self._guarded(lambda: self._offer(None))

    def cut(self) -> None:
        """Open the contactor now, under load if need be."""
        self._machine.offer(None, self._clock.monotonic())
        self._machine.closed = False
        self._contactor.open()
        self._pilot.offer(None)
        self._report()

    def set_available(self, available: bool) -> None:
        """Out of service: nothing is offered and the line is put into state F."""
        self._blocked = not available
        self._guarded(lambda: self._offer(None) if self._blocked else None)
        self._pilot.fail(self._blocked and self._machine.state not in CONNECTED)

    async def lock(self, connector_id: int) -> bool:
        """Lock the cable; True where there is nothing to lock."""
        lock = self._locks.get(connector_id)
        return await lock.lock() if lock is not None else True

    async def unlock(self, connector_id: int) -> bool:
        """Release the cable; True where there is nothing to release."""
        lock = self._locks.get(connector_id)
        return await lock.unlock() if lock is not None else True

    def locked(self, connector_id: int) -> bool:
        """What the lock's feedback says; False where there is none."""
        lock = self._locks.get(connector_id)
        return lock.locked if lock is not None else False

    def has_lock(self, connector_id: int) -> bool:
        """Whether the connector has a lock."""
        return connector_id in self._locks

    def read_meter(self) -> Reading:
        """The newest reading; the last good one while the meter fails, which is reported as a fault."""
        try:
            self._last_reading = self._meter.read()
        except HardwareError as error:
            log.warning("EVSE %d: meter: %s", self.id, error)
            self._fault(METER_FAULT, str(error))
        return self._last_reading

    @property
    def pilot_state(self) -> PilotState:
        """The state the line is in."""
        return self._machine.state

    @property
    def offered_a(self) -> float:
        """The current offered now; 0 for none."""
        return self._machine.offered_a or 0.0

    @property
    def energy_flows(self) -> bool:
        """Whether the power path is closed."""
        return self._machine.closed

    # -- what the parts show --------------------------------------------------------------------------------------

    def pilot_changed(self, connector_id: int = 1) -> None:
        """The line may show another state, at that connector."""
        if self._machine.state not in CONNECTED:
            self._connector_id = connector_id
        self._guarded(lambda: self._carry_out(self._machine.see(self._pilot.state, self._clock.monotonic())))

    # -- details --------------------------------------------------------------------------------------------------

    def _offer(self, current_a: float | None) -> None:
        decision = self._machine.offer(current_a, self._clock.monotonic())
        self._pilot.offer(self._machine.offered_a)
        self._carry_out(decision)

    def _carry_out(self, decision: PilotDecision) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if decision.open:
            self._contactor.open()
        elif decision.close:
            self._contactor.close()
        elif decision.open_by is not None:
            wait = max(0.0, decision.open_by - self._clock.monotonic())
            self._timer = self._clock.call_later(wait, self._deadline)
        self._report()

    def _deadline(self) -> None:
        self._guarded(lambda: self._carry_out(self._machine.decide(self._clock.monotonic())))

    def _guarded(self, action: Callable[[], None]) -> None:
        """Any exception near a contactor opens it."""
        try:
            action()
        except Exception as error:
            log.exception("EVSE %d: contactor opened after an error", self.id)
            self._machine.closed = False
            self._contactor.open()
            self._fault(CONTACTOR_FAULT, str(error))

    def _report(self) -> None:
        plugged = self._machine.state in CONNECTED
        now = (self._machine.state in CONNECTED and self._machine.requests_energy, self._machine.closed)
        if plugged is not self._reported_plug:
            self._reported_plug = plugged
            self._reported = (False, False)
            tell = self._listener.plugged if plugged else self._listener.unplugged
            connector_id = self._connector_id
            self._clock.call_later(0.0, lambda: tell(self.id, connector_id))
        if now != self._reported:
            self._reported = now
            self._clock.call_later(
                0.0, lambda: self._listener.ev_state(self.id, requests_energy=now[0], energy_flows=now[1])
            )

    def _fault(self, kind: str, info: str) -> None:
        self._clock.call_later(
            0.0, lambda: self._listener.fault(self.id, 0, kind, active=True, info=info[:50], vendor_code="")
        )
