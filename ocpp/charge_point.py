"""The facade: one `ChargePoint`, whatever OCPP version the CSMS speaks.

Firmware reports what its hardware sees and implements `Hardware`, through which it is told what to do. Behind the
facade stand two strategies, 1.6 and 2.x; the connection decides which one (DESIGN section 2).
"""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from typing import TYPE_CHECKING, Any

from ocpp.connectivity import ConnectivityManager
from ocpp.connectivity.held_link import HeldLink
from ocpp.connectivity.profile import TLS_CLIENT_CERTIFICATE
from ocpp.core.alive import Alive, last_time
from ocpp.core.boot_reason import POWER_UP
from ocpp.core.grid import Grid
from ocpp.core.surroundings import Surroundings
from ocpp.errors import ConfigurationError, ConnectError, HandshakeRefused, StorageError
from ocpp.messages import catalogue
from ocpp.reporting import Reporting
from ocpp.rpc.permission import BootState
from ocpp.security.certificate_folder import CertificateFolder
from ocpp.security.event_log import AUTHENTICATION_FAILED, RESET, STARTUP
from ocpp.storage.state import StateRepository
from ocpp.vocabulary import term

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from ocpp.clock import Clock
    from ocpp.connectivity import ConnectionStatus, NetworkProfile
    from ocpp.connectivity.manager import OpenLink, SupervisedLink
    from ocpp.connectivity.secure_links import SecureLinks
    from ocpp.core.context import Context, Identity
    from ocpp.core.ev_link import EvCertificateAnswer, EvLink, EvNeeds, EvSchedule
    from ocpp.core.evse import Connector, Evse, Evses, Fault
    from ocpp.core.external_limits import ExternalLimit
    from ocpp.core.firmware_update import Installer, InstallOutcome
    from ocpp.core.hardware import DisplayText, Hardware, Indication, MeterReading, PowerLimit, Sample, SignedReading
    from ocpp.core.identity import AuthorizationInfo, AuthorizationStatus, IdToken
    from ocpp.core.introduction import Introduction
    from ocpp.core.log_upload import Lines
    from ocpp.core.monitor import Monitor, MonitorType, Origin
    from ocpp.core.schedule import Period, Schedule
    from ocpp.core.strategy import Strategy
    from ocpp.device_model import DeviceModel
    from ocpp.device_model.keys import KeyView
    from ocpp.storage.database import Database

__all__ = [
    "AuthorizationInfo",
    "AuthorizationStatus",
    "ChargePoint",
    "Connector",
    "DisplayText",
    "EvCertificateAnswer",
    "EvLink",
    "EvNeeds",
    "EvSchedule",
    "Evse",
    "Evses",
    "ExternalLimit",
    "Fault",
    "Grid",
    "Hardware",
    "IdToken",
    "Identity",
    "Indication",
    "InstallOutcome",
    "Installer",
    "MeterReading",
    "Monitor",
    "MonitorType",
    "Origin",
    "Period",
    "PowerLimit",
    "Sample",
    "Schedule",
    "SignedReading",
]


def __getattr__(name: str) -> Any:
    found = globals()[name] = term(name)
    return found


UNAUTHORIZED = 401

LAST_GOOD_KEY = "last_good_slot"
INTRODUCTION_LIMIT_S = 2.0
"""How long a station that starts waits at most to have introduced itself before it goes to work without: more than a
connection takes over a modem, and less than a driver minds."""

STOP_TIMEOUT_S = 3.0
"""How long `stop` waits for the closing handshake; SIGTERM promises five seconds in all."""

log = logging.getLogger(__name__)


class ChargePoint(Reporting):
    """A charging station as seen by its firmware.

    The reporting methods may be called as soon as the object exists, from the event loop's thread; they never block
    and never wait for the CSMS. `run` connects and serves until `stop`.

    A station has two parts. The first one, `Introduction`, is there at once and says to the CSMS what the station is. The
    second one, the domain and the blocks (`Strategy`), takes longer to make, and is made by `start` or by whatever first
    needs it. Whoever is in a hurry calls `run`, waits until it is `introduced`, and calls `start` then.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        evses: Evses,
        hardware: Hardware,
        profiles: Callable[[], Sequence[NetworkProfile]],
        model: DeviceModel,
        database: Database,
        clock: Clock,
        keys: KeyView | None = None,
        grid: Grid | None = None,
        diagnostics: Lines | None = None,
        installer: Installer | None = None,
        master_pass_choice: bool = False,
        ev_link: EvLink | None = None,
        monitors: Sequence[Monitor] = (),
        rng: random.Random | None = None,
        restart: Callable[[str], None] = lambda reason: None,
        open_link: OpenLink | None = None,
        on_frame: Callable[[bool, bytes], None] | None = None,
        certificates: CertificateFolder | None = None,
    ) -> None:
        """Certificates and keys are kept in `certificates`, by default in a folder beside the database.

        Raises ConfigurationError when there is no network profile, whose version decides how to work offline.
        """
        self._clock = clock
        self._database = database
        self._profiles = profiles
        self._state = StateRepository(database)
        self._listeners: list[Callable[[], None]] = []
        self._message_timeout_s = 30.0
        self._alive = Alive(self._state, clock, self._charges, database.path.parent)
        self._links: SecureLinks | None = None
        self._last_refusal: tuple[str, str] | None = None
        self._untold: list[Callable[[Context], None]] = [self._record_startup]
        """What happened before the domain was there; a handful at most, as an attempt that fails brings the domain."""
        self._introduced, self._started = asyncio.Event(), asyncio.Event()
        clock.not_before(last_time(self._state, database.path.parent))
        self._surroundings = Surroundings(
            identity=identity,
            clock=clock,
            rng=rng or random.SystemRandom(),
            model=model,
            database=database,
            evses=evses,
            hardware=hardware,
            run=uuid.uuid4().hex,
            message_timeout=lambda: self._message_timeout_s,
            restart=restart,
            certificates=certificates or CertificateFolder(database.path.parent / "certificates"),
            keys=keys,
            grid=grid or Grid(),
            diagnostics=diagnostics,
            installer=installer,
            master_pass_choice=master_pass_choice,
            ev_link=ev_link,
            monitors=monitors,
            on_frame=on_frame,
            changed=self._changed,
        )
        self.connectivity = ConnectivityManager(
            identity=identity.id,
            profiles=profiles,
            model=model,
            clock=clock,
            rng=self._surroundings.rng,
            open_link=open_link or self._secure_links(),
            attend=self._attend,
            major=self._settled_major,
            last_good=self._state.get(LAST_GOOD_KEY),
            connected=self._connected_with,
            failed=self._attempt_failed,
            exhausted=lambda: self._links.exhausted() if self._links is not None else None,
        )
        self._introduction = self._make_introduction(self._expected_major())
        self._made: Strategy | None = None

    # -- versions -------------------------------------------------------------------------------------------------

    def _expected_major(self) -> int:
        profiles = self._profiles()
        if not profiles:
            raise ConfigurationError("no network profile is configured; the station needs one to know its OCPP version")
        configured = profiles[0].version
        if self._state.get("configured_version") != configured.value:
            self._state.put("configured_version", configured.value)
            self._state.put("major", None)
            self._state.put("accepted", False)
        return self._settled_major() or configured.major

    def _settled_major(self) -> int | None:
        major = self._state.get("major")
        return int(major) if major is not None else None

    def _make_introduction(self, major: int) -> Introduction:
        if major == 1:
            from ocpp.v16.introduction import Introduction16

            return Introduction16(self._surroundings)
        from ocpp.v2.introduction import Introduction2

        return Introduction2(self._surroundings)

    @property
    def _strategy(self) -> Strategy:
        return self._made or self._make()

    def _make(self) -> Strategy:
        with self._database.transaction(durable=False):
            self._made = self._make_strategy()
        for tell in self._untold:
            tell(self._made.context)
        self._untold.clear()
        return self._made

    def _make_strategy(self) -> Strategy:
        if self._introduction.major == 1:
            from ocpp.v16.strategy import Strategy16

            strategy: Strategy = Strategy16(self._surroundings, self._introduction)
        else:
            from ocpp.v2.strategy import Strategy2

            strategy = Strategy2(self._surroundings, self._introduction)
        strategy.context.connectivity = self.connectivity
        context = strategy.context
        context.logs.trust = context.firmware.trust = self._trust_of_files
        context.firmware.reconnect = lambda: self.connectivity.reconnect("new firmware")
        context.certificates.root_in_use = lambda: self._links.root_in_use if self._links is not None else None
        context.signing.renewed = self._certificate_renewed
        return strategy

    def _tell(self, tell: Callable[[Context], None]) -> None:
        """Let the domain know, now or when it is there: nothing is made on the way to the BootNotification for this."""
        if self._made is None:
            self._untold.append(tell)
        else:
            tell(self._made.context)

    # -- security -------------------------------------------------------------------------------------------------

    def _secure_links(self) -> OpenLink:
        from ocpp.connectivity.secure_links import SecureLinks

        wildcards = self._surroundings.model.boolean("SecurityCtrlr/AllowCSMSTLSWildcards")
        self._links = SecureLinks(
            self._surroundings.certificates,
            self._clock,
            refused=self._refused,
            proved=lambda: self._tell(lambda context: context.certificates.drop_fallback()),
            wildcards=lambda: wildcards.value,
            migrating=lambda profile: self._state.get(LAST_GOOD_KEY) not in (None, profile.slot),
        )
        return self._links

    def _refused(self, event: str, text: str) -> None:
        """A security event at every attempt would flood the log: one in a row of equal ones is told."""
        if (event, text) != self._last_refusal:
            self._last_refusal = event, text
            self._tell(lambda context: context.security.record(event, text))

    def _connected_with(self, profile: NetworkProfile) -> None:
        self._last_refusal = None
        self._tell(lambda context: context.upgrade.connected(profile))
        own = self._links.own_in_use if self._links is not None else None
        if own is not None:
            self._tell(lambda context: context.signing.connected_with(own))
        try:
            if self._state.get(LAST_GOOD_KEY) != profile.slot:
                self._introduction.endpoint.boot_state = BootState.UNKNOWN  # introduced again (B10.FR.10)
                self._state.put(LAST_GOOD_KEY, profile.slot, durable=False)  # lost, it is found again
        except StorageError as error:
            log.error("the slot that worked last is not kept: %s", error)

    def _attempt_failed(self, profile: NetworkProfile, error: ConnectError) -> None:
        if isinstance(error, HandshakeRefused) and error.status == UNAUTHORIZED:
            self._refused(AUTHENTICATION_FAILED, str(error))
        if self._strategy.context.upgrade.failed(profile):
            self._strategy.endpoint.spawn(self.connectivity.reconnect("back to the security profile before"))
        self._introduced.set()

    def _trust_of_files(self) -> ssl.SSLContext:
        """For file transfers: the root certificates of the CSMS in use, and those of the system."""
        from ocpp.security import tls

        context = tls.client_context()
        for profile in self._profiles():
            if profile.slot == self.connectivity.status.slot and self._links is not None:
                roots, _ = self._links.trusted(profile)
                if roots:
                    context.load_verify_locations(cadata=roots)
        return context

    def _certificate_renewed(self) -> None:
        """A connection with security profile 3 is made again with the new certificate (A02.FR.08)."""
        slot = self.connectivity.status.slot
        if any(each.slot == slot and each.security_profile == TLS_CLIENT_CERTIFICATE for each in self._profiles()):
            from ocpp.core.credentials import RECONNECT_AFTER_S

            self._clock.call_later(RECONNECT_AFTER_S, self._reconnect_renewed)

    def _reconnect_renewed(self) -> None:
        self._strategy.endpoint.spawn(self.connectivity.reconnect("the station has a new certificate"))

    async def _switch(self, major: int) -> None:
        """The first CSMS ever met speaks the other major version (DESIGN section 2.2)."""
        self._introduced.set()
        await self._started.wait()
        log.warning("the CSMS speaks OCPP %s.x, not the expected version; starting over with it", major)
        old = self._strategy
        old.abandon()
        await old.close()
        self._introduction = self._make_introduction(major)
        self._made = self._make_strategy()
        self._strategy.outbox.drop_foreign()
        self._strategy.start()
        for evse in self.evses:
            for connector in evse.connectors:
                if connector.plugged:
                    connector.plugged = False
                    self.cable_plugged(evse.id, connector.id)

    async def _attend(self, link: SupervisedLink, profile: NetworkProfile) -> None:
        self._message_timeout_s = float(profile.message_timeout_s)
        model = self._surroundings.model
        model.integer("OCPPCommCtrlr/ActiveNetworkProfile").set(profile.slot)
        model.integer("OCPPCommCtrlr/MessageTimeout[Default]").set(profile.message_timeout_s)
        if link.version.major != self._introduction.major:
            await self._switch(link.version.major)
        introduction = self._introduction
        usable = link if self._started.is_set() else HeldLink(link, self._started, self._introduced.set)
        self._changed()
        try:
            await introduction.endpoint.attend(usable, catalogue(link.version), introduction.connected)
        finally:
            introduction.disconnected()
            self._changed()

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self, plugged: Iterable[tuple[int, int]] = ()) -> None:
        """Take up open transactions and begin metering; call once, with the connectors that are plugged already.

        Before or after `run`: until then the station hears nothing of what the CSMS says.
        """
        there = [self.evses[evse_id].connector(connector_id) for evse_id, connector_id in plugged]
        for connector in there:
            connector.plugged = True
        self._strategy.start()
        for connector in there:
            if self.evses[connector.evse_id].session is None:
                connector.plugged = False
                self.cable_plugged(connector.evse_id, connector.id)
        self._alive.start()
        self._introduction.endpoint.take_as_backlog()
        self._started.set()

    def complete(self) -> None:
        """Make the second part now, without taking anything up; `start` does it where it has not been done."""
        if self._made is None:
            self._make()

    def _record_startup(self, context: Context) -> None:
        reason = self._introduction.boot_reason.of_this_start
        if reason == POWER_UP:
            context.security.record(STARTUP)
        else:
            context.security.record(RESET, reason)

    async def run(self) -> None:
        """Connect and serve until `stop`."""
        await self.connectivity.run()

    async def introduced(self) -> None:
        """Return when the BootNotification is out, or cannot go out now: no connection, or INTRODUCTION_LIMIT_S are over.

        It is the moment to `start`: the way to the CSMS and back takes some time in any case.
        """
        timer = self._clock.call_later(INTRODUCTION_LIMIT_S, self._introduced.set)
        try:
            await self._introduced.wait()
        finally:
            timer.cancel()

    async def stop(self) -> None:
        """Close the connection and stop all timers; transactions stay open on disk."""
        try:
            await asyncio.wait_for(self.connectivity.stop(), STOP_TIMEOUT_S)
        except TimeoutError:
            log.warning("the CSMS did not complete the closing handshake")
        if self._made is not None:
            self._made.quiet()
        await self._introduction.endpoint.close()
        self._alive.stop()

    def _charges(self) -> bool:
        return self._made is not None and bool(self._made.charging.transactions)

    # -- what others want to know ---------------------------------------------------------------------------------

    @property
    def evses(self) -> Evses:
        """The station's EVSEs."""
        return self._surroundings.evses

    @property
    def connection(self) -> ConnectionStatus:
        """The state of the connection."""
        return self.connectivity.status

    @property
    def boot_status(self) -> str:
        """What the CSMS said to the last BootNotification of this run: Unknown, Pending, Rejected or Accepted."""
        return str(self._introduction.endpoint.boot_state)

    @property
    def master_pass_waits(self) -> bool:
        """Whether a master pass was presented and its holder has to choose what is stopped (C16.FR.01)."""
        return self._strategy.charging.admission.master_pass.waiting

    @property
    def external_limits(self) -> list[ExternalLimit]:
        """The limits of other systems than the CSMS."""
        return self._strategy.context.external_limits.limits

    @property
    def queued_messages(self) -> int:
        """Transaction-related messages waiting for the CSMS."""
        return len(self._introduction.outbox)

    @property
    def strategy(self) -> Strategy:
        """The version-specific side, for tests and diagnosis."""
        return self._strategy

    def connector_status(self, evse: Evse, connector: Connector) -> str:
        """The connector's status in the words of the version spoken."""
        return self._strategy.connector_status(evse, connector)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after anything changed that `evses` or `connection` show."""
        self._listeners.append(listener)

    def on_data_transfer(
        self, vendor_id: str, handler: Callable[[str | None, Any], Awaitable[tuple[str, Any]]]
    ) -> None:
        """Handle DataTransfer of a vendor: gets message id and data, returns status name and data."""
        self._surroundings.data_transfer[vendor_id] = handler

    async def transfer_data(self, vendor_id: str, message_id: str | None = None, data: Any = None) -> tuple[str, Any]:
        """Send vendor data (P02), for what OCPP has no message for; gives status name and data of the CSMS's answer.

        `vendor_id` is a name of yours in reversed DNS order. Raises RpcError: no connection, no answer, or a CALLERROR.
        """
        return await self._strategy.transfer_data(vendor_id, message_id, data)

    def _changed(self) -> None:
        self._alive.look()
        for listener in tuple(self._listeners):
            listener()
