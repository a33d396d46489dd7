"""Restarting the station or one EVSE on the CSMS's wish: at once, or when nobody charges (B11, B12; 1.6 section 5.14)."""

import logging
from collections.abc import Callable

from ocpp.clock import Clock, Timer
from ocpp.core.availability import Availability
from ocpp.core.boot_reason import BootReason
from ocpp.core.charging import Charging
from ocpp.core.events import StopReason, Trigger
from ocpp.core.evse import Evse

FIRMWARE_UPDATE = "FirmwareUpdate"

DELIVERY_GRACE_S = 3.0
"""How long a reset waits for the outbox to deliver the ends of transactions (B12.FR.05: the rest follows later)."""

POLL_S = 0.2

EVSE_RESTART_S = 1.0
"""How long an EVSE that is reset stays without a pilot; an EV takes that for an unplugged cable (IEC 61851-1)."""

log = logging.getLogger(__name__)


class Resets:
    """Carries out accepted resets. `restart` ends or re-starts the program, as the station file says."""

    def __init__(
        self,
        clock: Clock,
        charging: Charging,
        boot_reason: BootReason,
        availability: Availability,
        *,
        restart: Callable[[str], None],
        undelivered: Callable[[], int],
    ) -> None:
        self._clock = clock
        self._charging = charging
        self._boot_reason = boot_reason
        self._availability = availability
        self._evses_to_restart: set[int] = set()
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

    def evse_now(self, evse: Evse, trigger: Trigger, stop_reason: StopReason) -> None:
        """End the transaction of an EVSE and restart it alone (B12.FR.08)."""
        self._charging.end_all(trigger, stop_reason, evse.id)
        self.evse_when_idle(evse)

    def evse_when_idle(self, evse: Evse) -> None:
        """Restart an EVSE as soon as no transaction is going on there (B12.FR.07)."""
        self._evses_to_restart.add(evse.id)
        self._restart_idle_evses()

    def _restart_idle_evses(self) -> None:
        for evse in self._charging.evses:
            if evse.id in self._evses_to_restart and not evse.in_use:
                self._evses_to_restart.remove(evse.id)
                self._restart_evse(evse)

    def _restart_evse(self, evse: Evse) -> None:
        log.warning("EVSE %d restarts", evse.id)
        self._availability.set_restarting(evse, True)
        self._clock.call_later(EVSE_RESTART_S, lambda: self._availability.set_restarting(evse, False))

    def for_firmware(self) -> None:
        """Restart to activate new firmware (L01.FR.32)."""
        self._begin(FIRMWARE_UPDATE)

    def _transaction_ended(self) -> None:
        self._restart_idle_evses()
        if self._scheduled_reason is not None and not self._charging.transactions:
            reason, self._scheduled_reason = self._scheduled_reason, None
            self._begin(reason)

    def _begin(self, boot_reason: str) -> None:
        if self._timer is not None:
            return
        self._boot_reason.leave(boot_reason)
        log.warning("the station restarts: %s", boot_reason)
        deadline = self._clock.monotonic() + DELIVERY_GRACE_S

        def poll() -> None:
            busy = bool(self._charging.transactions) or self._undelivered() > 0
            if busy and self._clock.monotonic() < deadline:
                self._timer = self._clock.call_later(POLL_S, poll)
                return
            self._restart(boot_reason)

        self._timer = self._clock.call_later(POLL_S, poll)
