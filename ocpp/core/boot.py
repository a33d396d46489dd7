"""Introducing the station to the CSMS, and staying in touch: BootNotification and Heartbeat of every version."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from ocpp.core.context import Context
from ocpp.errors import RpcError
from ocpp.rpc.permission import BootState
from ocpp.security.event_log import TIME_SET

DEFAULT_RETRY_S = 60.0
"""Wait before the next BootNotification when the CSMS names none or does not answer (B02.FR.07, B03.FR.05)."""

DEFAULT_HEARTBEAT_S = 300
"""Used when neither the CSMS nor the configuration names an interval."""

A_DAY_S = 86400.0
"""However much else is sent, a heartbeat brings the CSMS's time once a day (G02.FR.07)."""

MAX_INTERVAL_S = 7 * 86400.0

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
        context: Context,
        *,
        introduce: Callable[[str], Awaitable[BootAnswer]],
        beat: Callable[[], Awaitable[datetime]],
        heartbeat_interval: Callable[[], int],
        set_heartbeat_interval: Callable[[int], None],
    ) -> None:
        self._context = context
        self._introduce = introduce
        self._beat = beat
        self._heartbeat_interval = heartbeat_interval
        self._set_heartbeat_interval = set_heartbeat_interval
        self._reason: str | None = None
        self._not_before = 0.0
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._reporting_threshold = context.model.integer("ClockCtrlr/TimeAdjustmentReportingThreshold")

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
        context = self._context
        try:
            if context.rpc.boot_state is not BootState.ACCEPTED:
                await self._boot()
            context.signals.accepted.emit()
            context.rpc.wake()
            await self._heartbeats()
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("boot or heartbeat failed unexpectedly")

    async def _boot(self) -> None:
        if self._reason is None:
            self._reason = self._context.resets.boot_reason()
        while self._context.rpc.boot_state is not BootState.ACCEPTED:
            await self._pause(self._not_before - self._context.clock.monotonic())
            wait = await self._attempt(self._reason)
            self._not_before = self._context.clock.monotonic() + wait

    async def _attempt(self, reason: str) -> float:
        context = self._context
        try:
            answer = await self._introduce(reason)
        except RpcError as error:
            log.warning("BootNotification was not answered (%s); again in %.0f s", error, DEFAULT_RETRY_S)
            return DEFAULT_RETRY_S
        self.synchronise(answer.current_time)
        context.rpc.boot_state = answer.state
        if answer.state is BootState.ACCEPTED:
            log.info("the CSMS has accepted the station")
            if answer.interval_s > 0:
                self._set_heartbeat_interval(answer.interval_s)
            return 0.0
        wait = min(float(answer.interval_s), MAX_INTERVAL_S) if answer.interval_s > 0 else DEFAULT_RETRY_S
        log.warning("the CSMS answers %s; next BootNotification in %.0f s", answer.state, wait)
        return wait

    def synchronise(self, utc: datetime) -> None:
        """Take the CSMS's time (B01.FR.06)."""
        correction = self._context.clock.synchronise(utc)
        if correction:
            log.info("clock corrected by %+.0f s", correction)
            if abs(correction) > self._reporting_threshold.value:
                self._context.security.record(TIME_SET, f"corrected by {correction:+.0f} s")
            self._context.time_set(utc)
            self._context.charging.clock_changed()

    async def _heartbeats(self) -> None:
        """One after every interval in which nothing else was sent, and at least one a day (G02.FR.05, .07)."""
        clock, rpc = self._context.clock, self._context.rpc
        began = beaten = clock.monotonic()
        while True:
            interval = min(float(self._heartbeat_interval() or DEFAULT_HEARTBEAT_S), MAX_INTERVAL_S)
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
        timer = self._context.clock.call_later(seconds, self._wake.set)
        due = self._context.clock.monotonic() + seconds
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
        return self._context.clock.monotonic() < due
