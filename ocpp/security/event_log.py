"""The security event log: every event is kept, the critical ones reach the CSMS (A04; 1.6 security white paper)."""

import logging
from collections.abc import Awaitable, Callable

from ocpp.clock import Clock
from ocpp.errors import CallError, RpcError, StorageError
from ocpp.storage.security_events import SecurityEvent, SecurityEventRepository

STARTUP = "StartupOfTheDevice"
RESET = "ResetOrReboot"
TIME_SET = "SettingSystemTime"
TAMPER = "TamperDetectionActivated"

AUTHENTICATION_FAILED = "FailedToAuthenticateAtCsms"

CRITICAL = frozenset(
    {
        "FirmwareUpdated",
        "DiscardedRenewedClientCertificate",
        "InvalidChargingStationCertificate",
        "InvalidCsmsCertificate",
        "InvalidFirmwareSignature",
        "InvalidFirmwareSigningCertificate",
        "InvalidTLSCipherSuite",
        "InvalidTLSVersion",
        "MaintenanceLoginAccepted",
        "MaintenanceLoginFailed",
        "MemoryExhaustion",
        "SecurityLogWasCleared",
        TAMPER,
        RESET,
        STARTUP,
        TIME_SET,
    }
)
"""Events of the standard list that the CSMS must be told of (Part 2 appendix 1)."""

MAX_INFO_LENGTH = 255
"""Of techInfo, in every version."""

Send = Callable[[SecurityEvent], Awaitable[None]]
"""Tells the CSMS about an event; raises RpcError when that fails."""

log = logging.getLogger(__name__)


class SecurityLog:
    """Records events, and delivers the critical ones in order, once the CSMS takes them."""

    def __init__(self, events: SecurityEventRepository, clock: Clock) -> None:
        self._events = events
        self._clock = clock
        self._delivering = False
        self._first_of_run = events.last_position() + 1
        self.recorded: Callable[[], None] = lambda: None
        """Called after a critical event; the protocol's side delivers then."""
        clock.on_first_synchronisation(self._correct_times, "security events")

    def _correct_times(self, correction_s: float) -> None:
        """Those of this run, whichever version was spoken then; and older ones of a clock that was never near the present."""
        window = self._clock.unset_window(self._clock.unix() - correction_s)
        try:
            self._events.correct_times(
                0 if self._clock.began or not window[0] else self._first_of_run, correction_s, window
            )
        except StorageError as error:
            log.error("the times of security events are not put right: %s", error)

    def record(self, event_type: str, info: str = "", *, critical: bool | None = None) -> None:
        """Note an event; `critical` decides for a vendor's own, which are not unless said so."""
        tell = event_type in CRITICAL if critical is None else critical
        log.info("security event %s%s", event_type, f": {info}" if info else "")
        try:
            self._events.add(event_type, self._clock.unix(), info[:MAX_INFO_LENGTH], tell=tell)
        except StorageError as error:
            log.error("security event %s is not kept: %s", event_type, error)
            return
        if tell:
            self.recorded()

    async def deliver(self, send: Send) -> None:
        """Tell the CSMS what it does not know, oldest first, until nothing is left or it cannot be reached."""
        if self._delivering:
            return
        self._delivering = True
        try:
            while events := self._events.unsent(1):
                try:
                    await send(events[0])
                except CallError as refusal:
                    log.info("the CSMS does not take security event %s: %s", events[0].type, refusal)
                self._events.mark_sent(events[0].position)
        except (RpcError, StorageError) as error:
            log.info("security events wait for the next connection: %s", error)
        finally:
            self._delivering = False
