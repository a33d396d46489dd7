"""What an EVSE tells its listener, each change once."""

from collections.abc import Callable

from hal.clock import Clock
from hal.iec61851 import PilotMachine
from hal.interfaces import EvseListener

PILOT_FAULT = "EVCommunicationError"

MAX_INFO = 50
"""Characters of a fault's information (1.6 StatusNotification.info)."""


class Reports:
    """Tells on the loop's next turn: what a report leads to must not happen inside a command."""

    def __init__(self, evse_id: int, clock: Clock, listener: EvseListener) -> None:
        self._id = evse_id
        self._clock = clock
        self._listener = listener
        self.silent = False
        """Nothing is told any more."""
        self.connector_id = 1
        """Where the cable is."""
        self._energy: tuple[bool, bool] = (False, False)
        self._plug = False
        self._line_fault: int | None = None

    def state(self, machine: PilotMachine) -> None:
        """Plug, the EV's wish, whether current flows, and the line."""
        now = (machine.plugged and machine.requests_energy, machine.closed)
        if machine.plugged is not self._plug:
            self._plug = machine.plugged
            self._energy = (False, False)
            tell = self._listener.plugged if machine.plugged else self._listener.unplugged
            connector_id = self.connector_id
            self._tell(lambda: tell(self._id, connector_id))
        if now != self._energy:
            self._energy = now
            self._tell(lambda: self._listener.ev_state(self._id, requests_energy=now[0], energy_flows=now[1]))
        self._line(machine)

    def _line(self, machine: PilotMachine) -> None:
        faulty, reported = machine.line_fault, self._line_fault
        if faulty and reported is None:
            self._line_fault = self.connector_id if machine.plugged else 0
            self.fault(self._line_fault, PILOT_FAULT, f"control pilot in state {machine.state}", active=True)
        elif not faulty and reported is not None:
            self._line_fault = None
            self.fault(reported, PILOT_FAULT, "", active=False)

    def fault(self, connector_id: int, kind: str, info: str, *, active: bool) -> None:
        """A fault came or went; connector 0 is the EVSE."""
        self._tell(
            lambda: self._listener.fault(
                self._id, connector_id, kind, active=active, info=info[:MAX_INFO], vendor_code=""
            )
        )

    def _tell(self, report: Callable[[], None]) -> None:
        if not self.silent:
            self._clock.call_later(0.0, lambda: None if self.silent else report())
