"""Restarting the station on the CSMS's wish: at once, or when nobody charges any more (B11, B12; 1.6 section 5.14)."""

import logging
from collections.abc import Callable

from ocpp.clock import Clock, Timer
from ocpp.core.charging import Charging
from ocpp.core.events import StopReason, Trigger
from ocpp.errors import StorageError
from ocpp.storage.state import StateRepository

BOOT_REASON_KEY = "boot_reason"
POWER_UP = "PowerUp"
FIRMWARE_UPDATE = "FirmwareUpdate"

DELIVERY_GRACE_S = 3.0
"""How long a reset waits for the outbox to deliver the ends of transactions (B12.FR.05: the rest follows later)."""

POLL_S = 0.2

log = logging.getLogger(__name__)


class Resets:
    """Carries out accepted resets. `restart` ends or re-starts the program, as the station file says."""

    def __init__(
        self,
        clock: Clock,
        charging: Charging,
        state: StateRepository,
        *,
        restart: Callable[[str], None],
        undelivered: Callable[[], int],
    ) -> None:
        self._clock = clock
        self._charging = charging
        self._state = state
        self._restart = restart
        self._undelivered = undelivered
        self._scheduled_reason: str | None = None
        self._timer: Timer | None = None
        charging.on_transaction_end.append(self._transaction_ended)

    @property
    def scheduled(self) -> bool:
        """Whether a reset waits for the last transaction to end; nobody may begin a new one."""
        return self._scheduled_reason is not None

    def now(self, boot_reason: str, trigger: Trigger, stop_reason: StopReason) -> None:
        """End every transaction, give their last messages a moment, and restart."""
        self._charging.end_all(trigger, stop_reason)
        self._begin(boot_reason)

    def when_idle(self, boot_reason: str) -> None:
        """Restart as soon as no transaction is going on."""
        self._scheduled_reason = boot_reason
        self._transaction_ended()

    def for_firmware(self) -> None:
        """Restart to activate new firmware (L01.FR.32)."""
        self._begin(FIRMWARE_UPDATE)

    def _transaction_ended(self) -> None:
        if self._scheduled_reason is not None and not self._charging.transactions:
            reason, self._scheduled_reason = self._scheduled_reason, None
            self._begin(reason)

    def _begin(self, boot_reason: str) -> None:
        if self._timer is not None:
            return
        self._state.put(BOOT_REASON_KEY, boot_reason)
        log.warning("the station restarts: %s", boot_reason)
        deadline = self._clock.monotonic() + DELIVERY_GRACE_S

        def poll() -> None:
            busy = bool(self._charging.transactions) or self._undelivered() > 0
            if busy and self._clock.monotonic() < deadline:
                self._timer = self._clock.call_later(POLL_S, poll)
                return
            self._restart(boot_reason)

        self._timer = self._clock.call_later(POLL_S, poll)

    @property
    def next_boot_reason(self) -> str:
        """What `boot_reason` will say."""
        return str(self._state.get(BOOT_REASON_KEY, POWER_UP))

    def boot_reason(self) -> str:
        """Why the program was started; asked once, then forgotten."""
        reason = self.next_boot_reason
        try:
            self._state.put(BOOT_REASON_KEY, POWER_UP)
        except StorageError as error:
            log.error("the boot reason %s may be told twice: %s", reason, error)
        return reason
