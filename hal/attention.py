"""Parts that need somebody's attention, though no contactor has to open at once: readers and locks that do not work."""

from collections.abc import Callable

import msgspec

from hal.clock import Clock, Timer

LOOK_S = 0.5
"""How often they are looked at."""

Tell = Callable[[int, str, str, bool], object]
"""EVSE, kind of fault, what is wrong, whether it came or went."""


class _Watched(msgspec.Struct):
    checks: dict[str, Callable[[float], str]] = msgspec.field(default_factory=dict)
    told: bool = False


class Attention:
    """Looks at parts from the event loop and tells when the first of a kind at an EVSE fails, and when none does."""

    def __init__(self, tell: Tell, clock: Clock) -> None:
        self._tell = tell
        self._clock = clock
        self._watched: dict[tuple[int, str], _Watched] = {}
        self._timer: Timer | None = None

    def watch(self, evse_id: int, kind: str, name: str, check: Callable[[float], str]) -> None:
        """Look at a part: `check` takes monotonic time and gives what is wrong, or "", at once."""
        self._watched.setdefault((evse_id, kind), _Watched()).checks[name] = check

    def start(self) -> None:
        """Begin to look."""
        self._timer = self._clock.call_later(LOOK_S, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self.start()
        now = self._clock.monotonic()
        for (evse_id, kind), watched in self._watched.items():
            reasons = [f"{name}: {reason}" for name, check in watched.checks.items() if (reason := _seen(check, now))]
            if bool(reasons) is not watched.told:
                watched.told = bool(reasons)
                self._tell(evse_id, kind, "; ".join(reasons), watched.told)


def _seen(check: Callable[[float], str], now: float) -> str:
    try:
        return check(now)
    except Exception as error:  # noqa: BLE001 - what cannot be looked at is wrong
        return str(error)
