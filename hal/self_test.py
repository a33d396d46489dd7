"""The self test of a residual current monitor, step by step. No input or output, no clock."""

from enum import Enum, auto


class Phase(Enum):
    """Where a test is."""

    TRIPPING = auto()
    """The test output is on; the monitor has to trip."""
    CLEARING = auto()
    """It is off; the monitor has to let go."""
    GOOD = auto()
    FAILED = auto()


class SelfTest:
    """One test. `step` is called every some ms with what the monitor shows."""

    def __init__(self, now: float, *, response_s: float, recovery_s: float) -> None:
        self.phase = Phase.TRIPPING
        self.reason = ""
        """Why it failed."""
        self._recovery_s = recovery_s
        self._deadline = now + response_s

    @property
    def drives(self) -> bool:
        """Whether the test output is on."""
        return self.phase is Phase.TRIPPING

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self.phase in (Phase.GOOD, Phase.FAILED)

    def step(self, now: float, tripped: bool) -> None:
        """Go on with what the monitor shows now."""
        if self.phase is Phase.TRIPPING and tripped:
            self.phase = Phase.CLEARING
            self._deadline = now + self._recovery_s
        elif self.phase is Phase.CLEARING and not tripped:
            self.phase = Phase.GOOD
        elif not self.done and now > self._deadline:
            self.reason = "it did not trip" if self.phase is Phase.TRIPPING else "it did not let go"
            self.phase = Phase.FAILED

    def fail(self, reason: str) -> None:
        """It cannot be carried out."""
        self.phase, self.reason = Phase.FAILED, reason
