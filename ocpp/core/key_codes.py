"""Key codes can be guessed: after every wrong one the next is taken only later (C04.FR.06)."""

from ocpp.clock import Clock

KEY_CODE = "KeyCode"

FIRST_WAIT_S = 2.0
"""After the first wrong code: as long as a driver needs to type the right one."""

LONGEST_WAIT_S = 300.0
"""At this pace a code of four digits takes a month to find."""


class KeyCodeGuard:
    """Wrong key codes in a row, and how long no other one is taken."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wait = 0.0
        self._closed_until = 0.0

    @property
    def closed(self) -> bool:
        """Whether no key code is taken at the moment."""
        return self._clock.monotonic() < self._closed_until

    def tried(self, *, accepted: bool) -> None:
        """A key code was right, or not: each wrong one doubles the wait."""
        self._wait = 0.0 if accepted else min(max(FIRST_WAIT_S, 2 * self._wait), LONGEST_WAIT_S)
        self._closed_until = self._clock.monotonic() + self._wait
