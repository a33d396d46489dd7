"""The control pilot of IEC 61851-1: states, duty cycle and current, and when the contactor may be closed.

No input or output: `PilotMachine` takes what the line shows and says what to do.
"""

from enum import StrEnum

import msgspec

MIN_CURRENT_A = 6.0
"""The least a PWM can offer (duty cycle 10 %)."""

MAX_CURRENT_A = 80.0
"""The most (duty cycle 96 %)."""

DIGITAL_DUTY = 5.0
"""Duty cycle that asks for digital communication (ISO 15118)."""

STOP_REACTION_S = 3.0
"""Annex A, table A.6: an EV has this long to stop drawing after the PWM has gone."""


class PilotState(StrEnum):
    """States of the control pilot (IEC 61851-1 Annex A)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"


CONNECTED = frozenset({PilotState.B, PilotState.C, PilotState.D})
"""An EV is there and the line is sound."""

FAULTY = frozenset({PilotState.E, PilotState.F})
"""The line is not sound, or the EVSE itself shows that it is out of service; whether an EV is there cannot be seen."""

LOW_RANGE_END_A = 51.0
HIGH_RANGE_START_A = 52.5
"""Both are 85 %: table A.8 leaves a gap that no duty cycle can offer; less is safe, more is not."""


def offerable(current_a: float | None) -> float | None:
    """The current if a PWM can offer it; None below 6 A, and for what is no number."""
    return current_a if current_a is not None and current_a >= MIN_CURRENT_A else None


def duty_for_current(current_a: float) -> float:
    """Duty cycle in % that offers a current, never more; 100 (no PWM) below what can be offered."""
    if offerable(current_a) is None:
        return 100.0
    if current_a < HIGH_RANGE_START_A:
        return min(current_a, LOW_RANGE_END_A) / 0.6
    return min(current_a, MAX_CURRENT_A) / 2.5 + 64.0


def current_for_duty(duty: float) -> float:
    """Current in A that a duty cycle in % allows (table A.8); 0 where charging is not allowed."""
    if not 8.0 <= duty <= 97.0:
        return 0.0
    if duty < 10.0:
        return MIN_CURRENT_A
    if duty <= 85.0:
        return duty * 0.6
    return min((duty - 64.0) * 2.5, MAX_CURRENT_A)


class PilotDecision(msgspec.Struct, frozen=True):
    """What has to be done now. `open_by`: monotonic time by which the contactor is opened under load at the latest."""

    close: bool
    open: bool
    open_by: float | None = None


class PilotMachine:
    """Decides about the contactor from pilot state and offer.

    Closed only in C (and D, where the place is ventilated) while current is offered; opened at once when the EV is gone
    or the line is faulty; opened when the EV has let go, or after `STOP_REACTION_S`, when the offer is withdrawn.
    An offer ends with the connection it was made to: outside B, C and D there is none.
    """

    def __init__(self, *, ventilated: bool = False) -> None:
        self.ventilated = ventilated
        self.state = PilotState.A
        self.plugged = False
        self.offered_a: float | None = None
        self.closed = False
        self._withdrawn_at: float | None = None

    def offer(self, current_a: float | None, now: float) -> PilotDecision:
        """The offer changes; None or less than 6 A: nothing is offered."""
        offered = offerable(current_a) if self.state in CONNECTED else None
        if offered is None and self.offered_a is not None:
            self._withdrawn_at = now
        elif offered is not None:
            self._withdrawn_at = None
        self.offered_a = offered
        return self.decide(now)

    def see(self, state: PilotState, now: float) -> PilotDecision:
        """The line shows a state. E and F do not tell whether the EV is still there: only A means unplugged."""
        self.state = state
        if state in CONNECTED:
            self.plugged = True
            return self.decide(now)
        if state is PilotState.A:
            self.plugged = False
        return self.offer(None, now)

    def cut(self) -> None:
        """The contactor has been opened under load: nothing is offered, nothing is closed."""
        self.offered_a = None
        self._withdrawn_at = None
        self.closed = False

    def not_closed(self) -> None:
        """The contactor could not be closed yet; decide again later."""
        self.closed = False

    @property
    def line_fault(self) -> bool:
        """Whether the line is faulty; F without an EV is what an EVSE out of service shows."""
        return self.state is PilotState.E or (self.state is PilotState.F and self.plugged)

    @property
    def requests_energy(self) -> bool:
        """Whether the EV is ready to draw here."""
        return self.state is PilotState.C or (self.state is PilotState.D and self.ventilated)

    def decide(self, now: float) -> PilotDecision:
        """What has to be done with the contactor; call again at `open_by`."""
        if not self.requests_energy:
            return self._open()
        if self.offered_a is not None:
            closing = not self.closed
            self.closed = True
            return PilotDecision(close=closing, open=False)
        if not self.closed:
            return PilotDecision(close=False, open=False)
        deadline = (self._withdrawn_at if self._withdrawn_at is not None else now) + STOP_REACTION_S
        if now >= deadline:
            return self._open()
        return PilotDecision(close=False, open=False, open_by=deadline)

    def _open(self) -> PilotDecision:
        was_closed, self.closed = self.closed, False
        return PilotDecision(close=False, open=was_closed)
