"""Which messages may be sent in which boot state (B01.FR.08, B02.FR.02, B03.FR.02; 1.6 section 4.2)."""

from enum import StrEnum

BOOT_ACTION = "BootNotification"


class BootState(StrEnum):
    """What the CSMS said to the last BootNotification of this run."""

    UNKNOWN = "Unknown"
    PENDING = "Pending"
    REJECTED = "Rejected"
    ACCEPTED = "Accepted"

    def permits(self, action: str, *, requested: bool) -> bool:
        """Whether a call may go out; `requested` means that the CSMS asked for it (trigger message, report)."""
        if self is BootState.ACCEPTED or action == BOOT_ACTION:
            return True
        return requested and self is BootState.PENDING

    @property
    def answers_calls(self) -> bool:
        """A rejected station answers every call with SecurityError (B03.FR.08)."""
        return self is not _REJECTED


_REJECTED = BootState.REJECTED  # asked for with every call; members of an enumeration are slow to look up
