"""Why the program was started, as the one before left it on disk; the BootNotification tells it once."""

import logging

from ocpp.errors import StorageError
from ocpp.storage.state import StateRepository

BOOT_REASON_KEY = "boot_reason"
POWER_UP = "PowerUp"

log = logging.getLogger(__name__)


class BootReason:
    """A boot reason of OCPP 2.x (BootReasonEnumType), from one program to the next."""

    def __init__(self, state: StateRepository) -> None:
        self._state = state
        self.of_this_start = str(state.get(BOOT_REASON_KEY, POWER_UP))

    def leave(self, reason: str) -> None:
        """The program ends for `reason`. Raises StorageError."""
        self._state.put(BOOT_REASON_KEY, reason)

    def take(self) -> str:
        """Why the program was started; the next start will not tell the same reason again."""
        if self.of_this_start != POWER_UP:
            try:
                self._state.put(BOOT_REASON_KEY, POWER_UP)
            except StorageError as error:
                log.error("the boot reason %s may be told twice: %s", self.of_this_start, error)
        return self.of_this_start
