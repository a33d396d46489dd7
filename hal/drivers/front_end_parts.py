"""The parts behind a front end, which are views on its newest state."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from hal.drivers.thermometers import Thermometer, ThermometerOptions
from hal.errors import BusError, ContactorBusy, ContactorError
from hal.front_end import NO_CODE, NO_TEMPERATURE, STEADY, Order, Shows, State
from hal.iec61851 import PilotState, duty_for_current
from hal.residual_current import Monitor

if TYPE_CHECKING:
    from hal.drivers.front_end import FrontEndOptions, SerialFrontEnd

FRESH_S = 0.2
"""A state that is older says nothing any more."""

DISAGREES_S = 0.5
"""As for a contactor on GPIO."""

SETTLING_S = 0.03
"""A command has been carried out and confirmed after so long: the front end tells its state every 20 ms."""

DUTY_TOLERANCE = 20
"""In 0.01 %."""

RESPONSE_S, RECOVERY_S, INTERVAL_S = 1.0, 2.0, 24 * 3600.0
"""Of the residual current monitor's test."""


def fresh(front_end: "SerialFrontEnd") -> bool:
    """Whether the newest state is new enough."""
    return front_end.bench.clock.monotonic() - front_end.seen_at <= FRESH_S


def newest(front_end: "SerialFrontEnd") -> State:
    """The state, unless it is too old: BusError."""
    state = front_end.state
    if state is None or not fresh(front_end):
        raise BusError(f"{front_end.name} is silent")
    return state


class FrontEndPilot:
    """See `hal.interfaces.ControlPilot` and `hal.parts.Part`."""

    def __init__(self, front_end: "SerialFrontEnd", *, ventilated: bool) -> None:
        self._front_end = front_end
        self.name = f"pilot of {front_end.name}"
        self.ventilated = ventilated
        self.changed: Callable[[], object] = lambda: None
        self._state = PilotState.A

    def offer(self, current_a: float | None) -> None:
        """See `ControlPilot.offer`."""
        self._front_end.offer(STEADY if current_a is None else math.floor(duty_for_current(current_a) * 100))

    def fail(self, failed: bool) -> None:
        """See `ControlPilot.fail`."""
        self._front_end.order(Order.FAIL, failed)

    @property
    def state(self) -> PilotState:
        """See `ControlPilot.state`; confirmed by the front end."""
        return self._state

    @property
    def seen_at(self) -> float:
        """When the newest state came."""
        return self._front_end.seen_at

    def see(self, state: State) -> None:
        """The front end shows a state."""
        found = PilotState(state.pilot)
        if found is not self._state:
            self._state = found
            self.changed()

    def wrong(self, now: float) -> str:
        """See `Part`; the safety loop's look also lets the front end hear of the station."""
        front_end = self._front_end
        front_end.watched(now)
        unheeded = front_end.unheeded(now)
        if unheeded:
            return unheeded
        state, wish = front_end.state, front_end.wish
        if state is None or Order.FAIL in wish.orders or not front_end.settled:
            return ""
        apart = abs(state.duty - wish.duty) > DUTY_TOLERANCE
        return f"the front end offers {state.duty / 100:.1f} % instead of {wish.duty / 100:.1f} %" if apart else ""


class FrontEndContactor:
    """See `hal.interfaces.Contactor` and `hal.parts.Part`."""

    def __init__(self, front_end: "SerialFrontEnd", options: "FrontEndOptions") -> None:
        self._front_end = front_end
        self.name = f"contactor of {front_end.name}"
        self.switches_phases = options.switches_phases
        self._told_by = Shows.CLOSED if options.feedback else Shows.DRIVEN
        self._mains = options.mains
        self._pause_s = options.pause_s
        self._clock = front_end.bench.clock
        self._opened_at = -math.inf
        self._told_at = self._agreed_at = self._clock.monotonic()

    def close(self) -> None:
        """See `Contactor.close`; ContactorError while the front end is silent."""
        wait = self._opened_at + self._pause_s - self._clock.monotonic()
        if wait > 0:
            raise ContactorBusy(f"{self.name} may not close again for another {wait:.1f} s", wait)
        self._state()
        if not self._front_end.settled:  # it closes only after it has seen the order to open
            raise ContactorBusy(f"{self.name} is still being told something else", SETTLING_S)
        self._told_at = self._clock.monotonic()
        self._front_end.order(Order.CLOSE, True)

    def open(self) -> None:
        """See `Contactor.open`: told at once; a front end that does not hear it opens by itself."""
        if Order.CLOSE in self._front_end.wish.orders:
            self._opened_at = self._told_at = self._clock.monotonic()
        self._front_end.order(Order.CLOSE, False)

    @property
    def closed(self) -> bool:
        """What the feedback says. A silent front end counts as open when it was told so; else ContactorError."""
        if Order.CLOSE not in self._front_end.wish.orders and not fresh(self._front_end):
            return False
        return self._told_by in self._state().shows

    def _state(self) -> State:
        try:
            return newest(self._front_end)
        except BusError as error:
            raise ContactorError(str(error)) from error

    @property
    def phases(self) -> int:
        """See `PhaseSwitch.phases`."""
        return 1 if Order.ONE_PHASE in self._front_end.wish.orders else 3

    def use(self, phases: int) -> None:
        """See `PhaseSwitch.use`."""
        if Order.CLOSE in self._front_end.wish.orders:
            raise ContactorError(f"{self.name}: phases are switched only while it is open")
        self._front_end.order(Order.ONE_PHASE, phases == 1)

    def wrong(self, now: float) -> str:
        """See `Part`: it has not done what it was told, or has opened by itself; silence is the pilot's matter."""
        state, told = self._front_end.state, Order.CLOSE in self._front_end.wish.orders
        if state is None or not fresh(self._front_end) or (self._told_by in state.shows) is told:
            self._agreed_at = now
        if now - max(self._agreed_at, self._told_at) < DISAGREES_S:
            return ""
        return "the contactor is open and should be closed" if told else "the contactor is welded"

    def unpowered(self, now: float) -> str:
        """See `Part`."""
        state = self._front_end.state
        return "no mains voltage" if self._mains and state is not None and Shows.MAINS not in state.shows else ""


class FrontEndProximity:
    """See `hal.interfaces.Proximity`."""

    def __init__(self, front_end: "SerialFrontEnd") -> None:
        self.name = f"cable at {front_end.name}"
        self.changed: Callable[[], object] = lambda: None
        self.rating_a: float | None = None

    def see(self, state: State) -> None:
        """The front end shows a state."""
        rating = None if state.cable in (0, NO_CODE) else float(state.cable)
        if rating != self.rating_a:
            self.rating_a = rating
            self.changed()


class FrontEndThermometer(Thermometer):
    """See `hal.drivers.thermometers.Thermometer`."""

    def __init__(self, front_end: "SerialFrontEnd", options: ThermometerOptions) -> None:
        super().__init__(front_end.bench, options)
        self._front_end = front_end
        self.thread = front_end.thread

    def sample(self) -> None:
        """See `Thermometer.sample`; before the first state there is nothing to say."""
        if self._front_end.state is not None:
            super().sample()

    def measure(self) -> float:
        """See `Thermometer.measure`."""
        tenths = newest(self._front_end).temperature
        if tenths == NO_TEMPERATURE:
            raise BusError(f"{self._front_end.name} measures no temperature")
        return tenths / 10.0


class FrontEndMonitor(Monitor):
    """See `hal.residual_current.Monitor`. That the front end is silent is the pilot's matter."""

    def __init__(self, front_end: "SerialFrontEnd") -> None:
        self._front_end = front_end
        super().__init__(
            f"monitor of {front_end.name}",
            front_end.bench.clock,
            trip=_Flag(front_end, Shows.TRIPS),
            test=_TestOrder(front_end),
            fault=_Flag(front_end, Shows.MONITOR_FAULT),
            response_s=RESPONSE_S,
            recovery_s=RECOVERY_S,
            interval_s=INTERVAL_S,
        )

    def wrong(self, now: float) -> str:
        """See `Monitor.wrong`."""
        if fresh(self._front_end):
            return super().wrong(now)
        return "residual current" if self.tripped else ""

    def step(self) -> None:
        """See `Monitor.step`; a test does not begin while the front end is silent."""
        if self._test is not None or fresh(self._front_end):
            super().step()


class _Flag:
    """A signal that is a flag of the state."""

    def __init__(self, front_end: "SerialFrontEnd", flag: Shows) -> None:
        self._front_end, self._flag = front_end, flag

    def read(self) -> bool:
        """See `Signal.read`."""
        return self._flag in newest(self._front_end).shows


class _TestOrder:
    """A command that is a flag of the wish."""

    def __init__(self, front_end: "SerialFrontEnd") -> None:
        self._front_end = front_end

    def write(self, level: bool) -> None:
        """See `Command.write`."""
        self._front_end.order(Order.TEST, level)
