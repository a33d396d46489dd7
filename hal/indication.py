"""What the indicators of an EVSE show: what they were told, for as long as it is of interest, or what the EVSE does."""

import logging
from collections.abc import Callable, Mapping, Sequence

from hal.clock import Clock, Timer
from hal.evse import Evse
from hal.interfaces import Indicator

LOOK_S = 0.1
"""How often EVSEs are looked at."""

MOMENTARY_S = {"Authorizing": 30.0, "Accepted": 3.0, "Refused": 3.0, "PlugIn": 60.0}
"""States that say something about a moment, and how long they are shown when nothing else is told."""

log = logging.getLogger(__name__)


class Indication:
    """Of one EVSE. Times are monotonic seconds.

    A momentary state is shown for its time; "PlugIn" ends when a cable is in. A lasting one is shown until another one is
    told; before the first, what the EVSE itself does.
    """

    def __init__(self, evse: Evse) -> None:
        self._evse = evse
        self._momentary = ""
        self._until = 0.0
        self._lasting = ""

    def tell(self, state: str, now: float) -> None:
        """Show that."""
        seconds = MOMENTARY_S.get(state)
        if seconds is None:
            self._lasting, self._momentary = state, ""
        else:
            self._momentary, self._until = state, now + seconds

    def shown(self, now: float) -> str:
        """The state to show now. Faults come first: they are the EVSE's own."""
        evse = self._evse
        if evse.blocked_by:
            return "Faulted"
        if self._momentary == "PlugIn" and evse.plugged:
            self._momentary = ""
        if self._momentary and now < self._until:
            return self._momentary
        self._momentary = ""
        return self._lasting or _doing(evse)


def _doing(evse: Evse) -> str:
    if evse.energy_flows:
        return "Charging"
    if evse.plugged:
        return "Suspended" if evse.offered_a else "Finished"
    return "Available" if evse.available else "Unavailable"


class Indications:
    """Of all EVSEs of a station, from the event loop. `indicators` gives those of one EVSE."""

    def __init__(
        self, evses: Mapping[int, Evse], indicators: Callable[[int], Sequence[Indicator]], clock: Clock
    ) -> None:
        self._clock = clock
        self._indicators = {number: indicators(number) for number in evses}
        self._indications = {number: Indication(evse) for number, evse in evses.items()}
        self._shown: dict[int, str] = {}
        self._timer: Timer | None = None

    def start(self) -> None:
        """Show what there is, from now on."""
        self._look()

    def stop(self) -> None:
        """Show nothing new."""
        if self._timer is not None:
            self._timer.cancel()

    def tell(self, number: int, state: str) -> None:
        """Show a state at an EVSE; what was told before is shown anew."""
        self._indications[number].tell(state, self._clock.monotonic())
        self._shown.pop(number, None)
        self._show(number)

    def _look(self) -> None:
        if any(self._indicators.values()):
            self._timer = self._clock.call_later(LOOK_S, self._look)
        for number in self._indications:
            self._show(number)

    def _show(self, number: int) -> None:
        state = self._indications[number].shown(self._clock.monotonic())
        if self._shown.get(number) == state:
            return
        self._shown[number] = state
        for indicator in self._indicators[number]:
            try:
                indicator.indicate(state)
            except Exception as error:  # noqa: BLE001 - a lamp must not keep the others from showing
                log.error("EVSE %d: %s is not shown: %s", number, state, error)
