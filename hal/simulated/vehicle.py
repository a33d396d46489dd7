"""A virtual EV: asks for energy like a car, obeys the pilot, fills its battery."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import asdict

from hal.clock import Clock, Timer
from hal.iec61851 import PilotState

RAMP_A_PER_S = 8.0
"""How fast on-board chargers raise their current."""

TAPER_FROM_SOC = 80.0
"""Above this state of charge the battery takes less and less."""

TAPER_LEAST = 0.05
"""What is left of the current just before the battery is full."""

FULL_SOC = 100.0
TICK_S = 1.0
"""How often current and state of charge are computed while energy flows and something changes."""

STEADY_TICK_S = 60.0
"""And while nothing changes."""

NOMINAL_VOLTAGE_V = 230.0


class VehicleOptions(msgspec.Struct):
    """What kind of EV is plugged in. `requests_energy` False: it never asks by itself."""

    max_current_a: float = 32.0
    phases: int = 3
    battery_wh: float = 60000.0
    soc: float = 20.0
    delay_s: float = 1.0
    requests_energy: bool = True

    @classmethod
    def read(cls, values: dict[str, Any], base: "VehicleOptions | None" = None) -> "VehicleOptions":
        """Options from plain values, on top of `base`; ValueError says what is wrong and what is allowed."""
        known = set(cls.__struct_fields__)
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"an EV has no {', '.join(unknown)}; allowed are {', '.join(sorted(known))}")
        start = asdict(base) if base is not None else {}
        options = cls(**{**start, **values})
        options._check()
        return options

    def _check(self) -> None:
        limits = {
            "max_current_a": (0, 1000),
            "phases": (1, 3),
            "battery_wh": (1, 10_000_000),
            "soc": (0, 100),
            "delay_s": (0, 86400),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ValueError(f"{name} = {value!r} must be a number from {low} to {high}")
        if not isinstance(self.phases, int):
            raise ValueError(f"phases = {self.phases!r} must be 1, 2 or 3")
        if not isinstance(self.requests_energy, bool):
            raise ValueError("requests_energy must be true or false")


class Vehicle:
    """An EV at the end of a cable. `offered_a` is what the pilot tells it; `current_a` what it draws per phase."""

    def __init__(self, options: VehicleOptions, clock: Clock, changed: Callable[[], None]) -> None:
        self.options = options
        self.soc = options.soc
        self.current_a = 0.0
        self.state = PilotState.B
        self.offered_a = 0.0
        self._clock = clock
        self._changed = changed
        self._powered = False
        self._forced: PilotState | None = None
        self._timer: Timer | None = None
        self._ticker: Timer | None = None
        self._tick_due = 0.0
        self._since = clock.monotonic()
        self.phases_available = 3

    @property
    def phases(self) -> int:
        """How many phases it draws from."""
        return min(self.options.phases, self.phases_available)

    @property
    def power_w(self) -> float:
        """What it draws now."""
        return self.current_a * self.phases * NOMINAL_VOLTAGE_V

    @property
    def full(self) -> bool:
        """Whether the battery takes nothing more."""
        return self.soc >= FULL_SOC

    @property
    def forced(self) -> PilotState | None:
        """The state it was put into; None while it has its own will."""
        return self._forced

    def force(self, state: PilotState | None) -> None:
        """Put the pilot into a state, whatever the EV would do; None gives it its own will back."""
        self._cancel_timer()
        self._forced = state
        self.state = state if state is not None else PilotState.B
        self._reconsider()
        if self.offered_a > 0:
            self._wait_and_ask()

    def change(self, options: VehicleOptions, soc: float | None = None) -> None:
        """Become another kind of EV while plugged in; the battery keeps its charge unless `soc` is given."""
        self.metered()
        self.options = options
        if soc is not None:
            self.soc = soc
        if self._forced is None:
            if not options.requests_energy:
                self._cancel_timer()
                self._set_state(PilotState.B)
            elif self.offered_a > 0 and self.state is PilotState.B and self._timer is None:
                self._wait_and_ask()
        self._reconsider()

    def offer(self, current_a: float) -> None:
        """The pilot's duty cycle changed."""
        before, self.offered_a = self.offered_a, current_a
        if before <= 0 < current_a:
            self._wait_and_ask()
        elif current_a <= 0:
            self._cancel_timer()
            if self._forced is None:
                self._set_state(PilotState.B)
        self._reconsider()

    def power(self, closed: bool) -> None:
        """The contactor opened or closed."""
        self._powered = closed
        self._reconsider()

    def unplug(self) -> None:
        """Gone: no more timers."""
        self._cancel_timer()
        self._cancel_ticker()

    def _wait_and_ask(self) -> None:
        if not self.options.requests_energy or self.full or self._forced is not None:
            return
        self._cancel_timer()
        self._timer = self._clock.call_later(self.options.delay_s, self._ask)

    def _ask(self) -> None:
        self._timer = None
        if self.offered_a > 0 and not self.full:
            self._set_state(PilotState.C)

    def _set_state(self, state: PilotState) -> None:
        if state is not self.state:
            self.state = state
            self._reconsider()
            self._changed()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _target_a(self) -> float:
        drawing = self._powered and self.state in (PilotState.C, PilotState.D) and self.offered_a > 0
        if not drawing or self.full:
            return 0.0
        limit = min(self.options.max_current_a, self.offered_a)
        if self.soc > TAPER_FROM_SOC:
            limit *= max(TAPER_LEAST, (FULL_SOC - self.soc) / (FULL_SOC - TAPER_FROM_SOC))
        return limit

    def advance(self) -> float:
        """Bring the battery up to now; gives the energy in Wh that flowed since the last time."""
        now = self._clock.monotonic()
        elapsed, self._since = now - self._since, now
        room = (FULL_SOC - self.soc) / 100.0 * self.options.battery_wh
        energy = self.power_w * elapsed / 3600.0
        if energy >= room:
            self.soc = FULL_SOC
            return room
        self.soc += 100.0 * energy / self.options.battery_wh
        return energy

    def _reconsider(self) -> None:
        self._changed_current()
        self._schedule_tick()

    def _schedule_tick(self) -> None:
        """A tick comes when it is needed: one that waits for longer gives way, one that comes sooner stays."""
        if self.current_a == self._target_a() == 0:
            self._cancel_ticker()
            return
        wait = self._next_tick()
        due = self._clock.monotonic() + wait
        if self._ticker is None or due < self._tick_due:
            self._cancel_ticker()
            self._tick_due = due
            self._ticker = self._clock.call_later(wait, self._tick)

    def _cancel_ticker(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None

    def _tick(self) -> None:
        self._ticker = None
        self._changed_current(ramp=True)
        if self.full and self.state is PilotState.C and self._forced is None:
            self._set_state(PilotState.B)
        self._schedule_tick()

    def _next_tick(self) -> float:
        """Often while the current ramps or tapers; a steady current only needs to notice the full battery."""
        if self.current_a != self._target_a() or self.soc > TAPER_FROM_SOC:
            return TICK_S
        taper_wh = max(0.0, (TAPER_FROM_SOC - self.soc) / 100.0 * self.options.battery_wh)
        return max(TICK_S, min(STEADY_TICK_S, taper_wh / max(self.power_w, 1.0) * 3600.0))

    def _changed_current(self, *, ramp: bool = False) -> None:
        self.metered()
        target = self._target_a()
        if target <= self.current_a:
            self.current_a = target
        elif ramp:
            self.current_a = min(target, self.current_a + RAMP_A_PER_S * TICK_S)

    def metered(self) -> None:
        """Hand what flowed to the meter; replaced by whoever meters this EV."""
        self.advance()
