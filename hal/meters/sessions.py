"""Tells a meter that signs when a session begins and when energy has ceased to flow, and waits for its signature."""

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from hal.clock import Clock, Timer
from hal.interfaces import EvseListener

SIGN_S = 3.0
"""How long what happened is held back for a signature; a meter takes up to two seconds."""

log = logging.getLogger(__name__)

MAX_HELD = 16
"""Events that are held back; with more, an EV or a cable chatters, and nothing waits for signatures any more."""

Signing = Callable[[Callable[[], object]], object]


class SigningMeter(Protocol):
    """A meter that signs readings; `done` is called in the loop, whether it signed or not."""

    def begin_session(self, done: Callable[[], object]) -> None:
        """A cable was plugged in."""

    def end_energy(self, done: Callable[[], object]) -> None:
        """Energy has ceased to flow; it may go on later."""

    def end_session(self) -> None:
        """The cable is out."""


class SignedSessions:
    """An `EvseListener` of one EVSE in front of another.

    "Plugged in" and "energy has ceased to flow" are passed on when the meter has signed, and what comes after them in
    order, so that whoever begins or ends a transaction by them finds the signature in the reading. Faults never wait.
    """

    def __init__(self, listener: EvseListener, meter: SigningMeter, clock: Clock) -> None:
        self._listener = listener
        self._meter = meter
        self._clock = clock
        self._held: deque[tuple[Signing | None, Callable[[], object]]] = deque()
        self._ticket: object | None = None
        self._timer: Timer | None = None
        self._flowed = False

    def plugged(self, evse_id: int, connector_id: int) -> None:
        """See `EvseListener`."""
        self._tell(self._meter.begin_session, partial(self._listener.plugged, evse_id, connector_id))

    def unplugged(self, evse_id: int, connector_id: int) -> None:
        """See `EvseListener`."""
        self._meter.end_session()
        self._tell(None, partial(self._listener.unplugged, evse_id, connector_id))

    def ev_state(self, evse_id: int, *, requests_energy: bool, energy_flows: bool) -> None:
        """See `EvseListener`."""
        ceased = self._flowed and not energy_flows
        self._flowed = energy_flows
        told = partial(self._listener.ev_state, evse_id, requests_energy=requests_energy, energy_flows=energy_flows)
        self._tell(self._meter.end_energy if ceased else None, told)

    def __getattr__(self, name: str) -> Any:
        """Everything else that a listener hears goes on at once."""
        return getattr(self._listener, name)

    def _tell(self, sign: Signing | None, told: Callable[[], object]) -> None:
        self._held.append((sign, told))
        if len(self._held) > MAX_HELD:
            log.warning("more happens at an EVSE than its meter can sign")
            self._end_wait()
            while self._held:
                self._pass_on()
        elif len(self._held) == 1:
            self._next()

    def _next(self) -> None:
        while self._held:
            sign, _ = self._held[0]
            if sign is not None:
                self._ticket = ticket = object()
                self._timer = self._clock.call_later(SIGN_S, partial(self._signed, ticket))
                sign(partial(self._signed, ticket))
                return
            self._pass_on()

    def _signed(self, ticket: object) -> None:
        if ticket is not self._ticket:
            return  # too late: it was passed on without
        self._end_wait()
        try:
            self._pass_on()
        finally:
            self._next()

    def _end_wait(self) -> None:
        self._ticket = None
        if self._timer is not None:
            self._timer.cancel()

    def _pass_on(self) -> None:
        _, told = self._held.popleft()
        told()
