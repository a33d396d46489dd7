"""Keeps the station connected: profiles by priority, version offer, back-off, fall-back, supervision."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from ocpp.clock import Clock
from ocpp.connectivity.backoff import Backoff
from ocpp.connectivity.profile import NetworkProfile
from ocpp.device_model import DeviceModel
from ocpp.errors import ConnectError, HandshakeRefused, SubprotocolRefused
from ocpp.rpc.endpoint import Received
from ocpp.versions import OcppVersion

PONG_TIMEOUT_S = 20.0
"""A pong that has not come by then means that the connection is dead, whatever TCP says."""

PROVED_AFTER_S = 60.0
"""A connection that lasts so long begins the waits anew; those that are accepted and die at once are failures in a row."""

NOT_ABOUT_VERSIONS = frozenset({401, 403, 404, 429, 502, 503, 504})
"""HTTP statuses that say nothing about the versions offered; any other refusal is retried with the expected one."""

WITHOUT_PROFILE_S = 60.0
"""How often it is looked whether there is a network profile by now."""

QUIET_AFTER = 5
"""Failures in a row after which only every tenth is logged as a warning."""

log = logging.getLogger(__name__)


class SupervisedLink(Protocol):
    """An open connection that can be probed and dropped."""

    version: OcppVersion

    async def send(self, frame: bytes) -> None:
        """See `ocpp.rpc.endpoint.Link`."""

    async def receive(self) -> Received:
        """See `ocpp.rpc.endpoint.Link`."""

    async def ping(self) -> None:
        """Return when a pong has come."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in an orderly way."""

    def abort(self) -> None:
        """Drop it."""


OpenLink = Callable[[NetworkProfile, str, Sequence[OcppVersion]], Awaitable[SupervisedLink]]
Attend = Callable[[SupervisedLink, NetworkProfile], Awaitable[None]]


class ConnectionStatus(msgspec.Struct):
    """What people want to know about the connection. `state`: "offline", "connecting", "waiting", "connected"."""

    state: str = "offline"
    url: str = ""
    slot: int | None = None
    version: OcppVersion | None = None
    since: datetime | None = None
    last_error: str = ""
    attempts: int = 0


class ConnectivityManager:
    """One connection at a time, for as long as `run` runs.

    `profiles` are those to try, best first; `stored` is the profile of any slot, named by the order of priority or not.
    """

    def __init__(
        self,
        *,
        identity: str,
        profiles: Callable[[], Sequence[NetworkProfile]],
        model: DeviceModel,
        clock: Clock,
        rng: random.Random,
        open_link: OpenLink,
        attend: Attend,
        major: Callable[[], int | None] = lambda: None,
        last_good: int | None = None,
        stored: Callable[[int], NetworkProfile | None] = lambda slot: None,
        connected: Callable[[NetworkProfile], None] = lambda profile: None,
        failed: Callable[[NetworkProfile, ConnectError], None] = lambda profile, error: None,
        exhausted: Callable[[], None] = lambda: None,
    ) -> None:
        self._identity = identity
        self._profiles = profiles
        self._clock = clock
        self._open_link = open_link
        self._attend = attend
        self._major = major
        self._connected = connected
        self._failed = failed
        self._exhausted = exhausted
        self._backoff = Backoff(
            _value(model.integer("OCPPCommCtrlr/RetryBackOffWaitMinimum")),
            _value(model.integer("OCPPCommCtrlr/RetryBackOffRandomRange")),
            _value(model.integer("OCPPCommCtrlr/RetryBackOffRepeatTimes")),
            rng,
        )
        self._attempts_per_profile = model.integer("OCPPCommCtrlr/NetworkProfileConnectionAttempts")
        self._ping_interval = model.integer("OCPPCommCtrlr/WebSocketPingInterval")
        self._up = asyncio.Event()
        self._up.set()
        self._retry_now = asyncio.Event()
        self._stopped = False
        self._link: SupervisedLink | None = None
        self._index = 0
        self._failures_here = 0
        self._last_good = last_good
        self._stored = stored
        self._falling_back = False
        self._single_version: set[int] = set()
        self.status = ConnectionStatus()

    async def run(self) -> None:
        """Connect, serve, reconnect; until `stop`. Whatever goes wrong in between is told, and followed by the next attempt."""
        while not self._stopped:
            wait = None
            try:
                await self._wait_until_up()
                wait = await self._connect_once()
            except Exception as error:
                self.status.last_error = f"{type(error).__name__}: {error}"
                log.exception("the connection failed in a way that nobody foresaw; it is tried again")
            await self._pause(self._backoff.next() if wait is None else wait)

    async def _connect_once(self) -> float | None:
        """One attempt, and the connection if one comes of it; gives how long to wait then, None: as the back-off says."""
        profile = self._choose()
        if profile is None:
            self.status.last_error = "no network profile is configured"
            log.error("no network profile is configured: the station works offline")
            return WITHOUT_PROFILE_S
        link = await self._try(profile)
        if link is not None:
            await self._serve(link, profile)
        return None

    async def stop(self, code: int = 1001, reason: str = "the station stops") -> None:
        """Close the connection and end `run`."""
        self._stopped = True
        self._retry_now.set()
        self._up.set()
        if self._link is not None:
            await self._link.close(code, reason)

    async def reconnect(self, reason: str = "reconnecting") -> None:
        """Close the connection and connect again at once, beginning with the first profile (A05.FR.05, B10.FR.04)."""
        self._index = self._failures_here = 0
        self._falling_back = False
        self._backoff.reset()
        self._retry_now.set()
        if self._link is not None:
            await self._link.close(1000, reason)

    async def set_up(self, up: bool) -> None:
        """Take the network away or give it back; with it, connect at once."""
        if up:
            self._up.set()
            self._retry_now.set()
            return
        self._up.clear()
        if self._link is not None:
            self._link.abort()

    @property
    def up(self) -> bool:
        """Whether the network is there, as far as `set_up` knows."""
        return self._up.is_set()

    # -- attempts -------------------------------------------------------------------------------------------------

    def _choose(self) -> NetworkProfile | None:
        profiles = self._profiles()
        if not profiles:
            return None
        if self._index >= len(profiles):
            self._exhausted()
            self._index, self._falling_back = 0, not self._falling_back
        return (self._worked_last(profiles) if self._falling_back else None) or profiles[self._index]

    def _worked_last(self, profiles: Sequence[NetworkProfile]) -> NetworkProfile | None:
        """Every profile failed: back to the one that worked last, whether or not the order of priority still names it; when
        that was tried, all again (B10.FR.07-09).
        """
        named = [profile for profile in profiles if profile.slot == self._last_good]
        if named or self._last_good is None:
            return named[0] if named else None
        return self._stored(self._last_good)

    async def _try(self, profile: NetworkProfile) -> SupervisedLink | None:
        self.status.state, self.status.url, self.status.slot = "connecting", profile.shown_url, profile.slot
        self.status.attempts += 1
        try:
            link = await self._open(profile)
        except ConnectError as error:
            self._note_failure(profile, error)
            return None
        except Exception as error:
            if self._failures_here == 0:
                log.exception("an attempt to connect failed in a way that nobody foresaw")
            self._note_failure(profile, ConnectError(f"{type(error).__name__}: {error}", "check the network profile"))
            return None
        if not self._up.is_set() or self._stopped:
            link.abort()
            return None
        return link

    def _note_failure(self, profile: NetworkProfile, error: ConnectError) -> None:
        self.status.last_error = str(error)
        failures = self._backoff.failures + 1
        loud = failures <= QUIET_AFTER or failures % 10 == 0
        log.log(
            logging.WARNING if loud else logging.DEBUG,
            "no connection to %s (slot %d, failure %d in a row): %s",
            profile.shown_url,
            profile.slot,
            failures,
            error,
        )
        self._failures_here += 1
        self._failed(profile, error)
        if self._failures_here >= max(1, self._attempts_per_profile.value):
            self._index = len(self._profiles()) if self._falling_back else self._index + 1
            self._failures_here = 0

    async def _open(self, profile: NetworkProfile) -> SupervisedLink:
        versions = self._offer(profile)
        try:
            return await self._open_link(profile, self._identity, versions)
        except (SubprotocolRefused, HandshakeRefused) as error:
            if len(versions) == 1 or (isinstance(error, HandshakeRefused) and error.status in NOT_ABOUT_VERSIONS):
                raise
            log.info("%s; trying with %s alone", error, profile.version.subprotocol)
        link = await self._open_link(profile, self._identity, (profile.version,))
        self._single_version.add(profile.slot)
        return link

    def _offer(self, profile: NetworkProfile) -> tuple[OcppVersion, ...]:
        """What to offer: never the other major version once one was accepted (DESIGN section 2.3)."""
        if profile.slot in self._single_version:
            return (profile.version,)
        major = self._major()
        offer = tuple(version for version in profile.versions if major is None or version.major == major)
        return offer or (profile.version,)

    # -- a connection ---------------------------------------------------------------------------------------------

    async def _serve(self, link: SupervisedLink, profile: NetworkProfile) -> None:
        self._link = link
        proof = self._clock.call_later(PROVED_AFTER_S, self._backoff.reset)
        self._failures_here = 0
        self._falling_back = False
        self._last_good = profile.slot
        supervision = asyncio.ensure_future(self._supervise(link))
        try:
            self._connected(profile)
            self.status.state, self.status.version = "connected", link.version
            self.status.since, self.status.last_error = self._clock.now(), ""
            log.info("connected to %s, speaking OCPP %s", profile.shown_url, link.version)
            await self._attend(link, profile)
        finally:
            proof.cancel()
            supervision.cancel()
            await asyncio.gather(supervision, return_exceptions=True)
            self._link = None
            link.abort()  # where it was given up by us, it is still open
            self.status.state, self.status.version = "offline", None
            self.status.since = self._clock.now()
            log.info("connection to %s ended", profile.shown_url)

    async def _supervise(self, link: SupervisedLink) -> None:
        """Ping as configured; a missing pong ends the connection (half-open TCP)."""
        while True:
            interval = self._ping_interval.value
            if interval <= 0:
                await self._clock.sleep(60.0)
                continue
            await self._clock.sleep(interval)
            if not await self._answers(link):
                log.warning("no pong within %g s: the connection is dead", PONG_TIMEOUT_S)
                self.status.last_error = "the CSMS does not answer pings"
                link.abort()
                return

    async def _answers(self, link: SupervisedLink) -> bool:
        pong = asyncio.ensure_future(link.ping())
        deadline = asyncio.ensure_future(self._clock.sleep(PONG_TIMEOUT_S))
        try:
            await asyncio.wait({pong, deadline}, return_when=asyncio.FIRST_COMPLETED)
            # A ping that ended with an error is the receiving side's news, not ours.
            return pong.done()
        finally:
            for task in (pong, deadline):
                task.cancel()
            await asyncio.gather(pong, deadline, return_exceptions=True)

    # -- waiting --------------------------------------------------------------------------------------------------

    async def _wait_until_up(self) -> None:
        if not self._up.is_set():
            self.status.state = "offline"
            await self._up.wait()
            self._backoff.reset()

    async def _pause(self, seconds: float) -> None:
        if self._stopped:
            return
        self.status.state = "waiting"
        timer = self._clock.call_later(seconds, self._retry_now.set)
        try:
            await self._retry_now.wait()
        finally:
            timer.cancel()
            self._retry_now.clear()


class _HasInteger(Protocol):
    @property
    def value(self) -> int: ...


def _value(handle: _HasInteger) -> Callable[[], int]:
    return lambda: handle.value
