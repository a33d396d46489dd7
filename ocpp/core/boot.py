"""Introducing the station to the CSMS, and staying in touch: BootNotification and Heartbeat of every version."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from ocpp.clock import Clock
from ocpp.core.boot_reason import BootReason
from ocpp.core.context import Signals
from ocpp.errors import RpcError
from ocpp.rpc.endpoint import Endpoint
from ocpp.rpc.permission import BootState

DEFAULT_RETRY_S = 60.0
"""Wait before the next BootNotification when the CSMS names none or does not answer (B02.FR.07, B03.FR.05)."""

DEFAULT_HEARTBEAT_S = 300
"""Used when neither the CSMS nor the configuration names an interval."""

A_DAY_S = 86400.0
"""However much else is sent, a heartbeat brings the CSMS's time once a day (G02.FR.07)."""

MAX_INTERVAL_S = 7 * 86400

RESTART_AFTER_S = 60.0
"""How long until boot or heartbeat is tried again after an error that nobody foresaw."""

log = logging.getLogger(__name__)


class BootAnswer(msgspec.Struct, frozen=True):
    """What the CSMS said to a BootNotification."""

    state: BootState
    interval_s: int
    current_time: datetime


class Boot:
    """The boot and heartbeat loop of one connection after another."""

    def __init__(
        self,
        clock: Clock,
        rpc: Endpoint,
        signals: Signals,
        boot_reason: BootReason,
        *,
        introduce: Callable[[str], Awaitable[BootAnswer]],
        beat: Callable[[], Awaitable[datetime]],
        heartbeat_interval: Callable[[], int],
        set_heartbeat_interval: Callable[[int], None],
    ) -> None:
        self._clock = clock
        self._rpc = rpc
        self._signals = signals
        self._boot_reason = boot_reason
        self._introduce = introduce
        self._beat = beat
        self._heartbeat_interval = heartbeat_interval
        self._set_heartbeat_interval = set_heartbeat_interval
        self._reason: str | None = None
        self._not_before = 0.0
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self.clock_corrected: Callable[[datetime, float], None] = lambda utc, correction_s: None
        """Hears of every correction of the clock: the CSMS's time, and by how much it was corrected."""

    def connected(self) -> None:
        """A connection is open: introduce the station, unless it is known already (OCPP-J section 5.3)."""
        self._wake.clear()
        self._task = asyncio.ensure_future(self._run())

    def disconnected(self) -> None:
        """The connection is gone."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def again(self) -> None:
        """The CSMS asks for a BootNotification now (F06; 1.6 section 5.17)."""
        self._not_before = 0.0
        self._reason = "Triggered"
        self._wake.set()

    def interval_changed(self) -> None:
        """The heartbeat interval is another one."""
        self._wake.set()

    async def _run(self) -> None:
        """Boot, tell that the station is accepted, keep in touch; whatever goes wrong is told, and done again later."""
        told = False
        while True:
            try:
                if self._rpc.boot_state is not BootState.ACCEPTED:
                    await self._boot()
                if not told:
                    told = True
                    self._signals.accepted.emit()
                    self._rpc.wake()
                await self._heartbeats()
            except Exception:
                log.exception("boot or heartbeat failed unexpectedly; again in %.0f s", RESTART_AFTER_S)
                await self._clock.sleep(RESTART_AFTER_S)

    async def _boot(self) -> None:
        if self._reason is None:
            self._reason = self._boot_reason.take()
        while self._rpc.boot_state is not BootState.ACCEPTED:
            await self._pause(self._not_before - self._clock.monotonic())
            wait = await self._attempt(self._reason)
            self._not_before = self._clock.monotonic() + wait
        self._signals.introduced.emit()

    async def _attempt(self, reason: str) -> float:
        try:
            answer = await self._introduce(reason)
        except RpcError as error:
            log.warning("BootNotification was not answered (%s); again in %.0f s", error, DEFAULT_RETRY_S)
            return DEFAULT_RETRY_S
        self.synchronise(answer.current_time)
        self._rpc.boot_state = answer.state
        if answer.state is BootState.ACCEPTED:
            log.info("the CSMS has accepted the station")
            if answer.interval_s > 0:
                self._set_heartbeat_interval(min(answer.interval_s, MAX_INTERVAL_S))
            return 0.0
        wait = float(min(answer.interval_s, MAX_INTERVAL_S)) if answer.interval_s > 0 else DEFAULT_RETRY_S
        log.warning("the CSMS answers %s; next BootNotification in %.0f s", answer.state, wait)
        return wait

    def synchronise(self, utc: datetime) -> None:
        """Take the CSMS's time (B01.FR.06)."""
        correction = self._clock.synchronise(utc)
        if correction:
            log.info("clock corrected by %+.0f s", correction)
            self.clock_corrected(utc, correction)

    async def _heartbeats(self) -> None:
        """One after every interval in which nothing else was sent, and at least one a day (G02.FR.05, .07)."""
        clock, rpc = self._clock, self._rpc
        began = beaten = clock.monotonic()
        while True:
            interval = float(min(self._heartbeat_interval() or DEFAULT_HEARTBEAT_S, MAX_INTERVAL_S))
            due = max(began, rpc.sent_at) + interval
            wait = min(due, max(beaten + A_DAY_S, began + interval)) - clock.monotonic()
            if wait > 0:
                if await self._pause(wait):
                    began = clock.monotonic()
                continue
            await self.beat()
            began = beaten = clock.monotonic()

    async def beat(self) -> None:
        """Send a heartbeat and take the time it brings."""
        try:
            self.synchronise(await self._beat())
        except RpcError as error:
            log.info("heartbeat was not answered: %s", error)

    async def _pause(self, seconds: float) -> bool:
        """Wait; True when woken early."""
        if seconds <= 0:
            return False
        self._wake.clear()
        timer = self._clock.call_later(seconds, self._wake.set)
        due = self._clock.monotonic() + seconds
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
        return self._clock.monotonic() < due
