"""Switching an EVSE between one phase and three. The EV must not see that under load."""

from hal.interfaces import PhaseSwitch

PAUSE_S = 5.0
"""From switching to the next offer: on-board chargers let their input discharge and look at the mains anew."""


class PhaseChange:
    """What is wanted, and whether the offer has to wait for it. Without a switch nothing ever waits."""

    def __init__(self, switch: PhaseSwitch | None) -> None:
        self._switch = switch
        self._wanted = switch.phases if switch is not None else 3
        self._switched_at: float | None = None

    def want(self, phases: int) -> None:
        """Use so many from now on; two are three here."""
        self._wanted = 1 if phases == 1 else 3

    @property
    def pending(self) -> bool:
        """Whether to switch, which has to wait until the contactor is open."""
        return self._switch is not None and self._switch.phases != self._wanted

    def holds(self, now: float) -> bool:
        """Whether nothing may be offered."""
        return self.pending or (self._switched_at is not None and now - self._switched_at < PAUSE_S)

    def carry_out(self, now: float) -> None:
        """Switch; the contactor is open. Raises HardwareError."""
        if self._switch is not None:
            self._switch.use(self._wanted)
            self._switched_at = now
