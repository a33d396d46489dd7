"""New certificates for the station: asking the CSMS for one, and taking it (A02, A03)."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from ocpp.clock import Clock, Timer
from ocpp.core.certificates import ACCEPTED, REJECTED, Certificates, Outcome
from ocpp.device_model import DeviceModel
from ocpp.errors import RpcError, SecurityError
from ocpp.security.certificate_folder import Kind
from ocpp.security.event_log import SecurityLog
from ocpp.storage.state import StateRepository

if TYPE_CHECKING:
    from ocpp.security.certificate_store import Stored

RENEW_BEFORE = timedelta(days=30)
"""How long before its end the station asks for a new certificate (A03.FR.02: one month)."""

KEEP_FOR = timedelta(days=30)
"""How long a certificate that a newer one replaced is kept as fall-back (A02.FR.10)."""

MOST_WITHOUT_A_CONNECTION = 3
"""Certificates kept until a connection with security profile 3 tells which one serves."""

CHECK_INTERVAL_S = 6 * 3600.0
"""How often the dates of the certificates are looked at."""

MAX_TIMER_S = 86400.0

INVALID = "InvalidChargingStationCertificate"
DISCARDED = "DiscardedRenewedClientCertificate"
RENEWAL_KEY = "certificate_renewal"

Send = Callable[[Kind, str], Awaitable[bool]]
"""Sends a signing request; whether the CSMS accepts it. Raises RpcError when it cannot be sent."""

log = logging.getLogger(__name__)


class CertificateSigning:
    """Signing requests and their answers.

    `repeats` is off where the version forbids it (white paper A02, A03). `lingers`: a certificate may begin in the
    future, and the one before is kept for a month (white paper A02.FR.08-10); otherwise it is valid at once, and the
    one that does not serve goes with the first connection (2.x with errata, A02.FR.06, .10).
    """

    def __init__(
        self,
        certificates: Certificates,
        model: DeviceModel,
        clock: Clock,
        state: StateRepository,
        security: SecurityLog,
        serial_number: str,
    ) -> None:
        self._certificates = certificates
        self._clock = clock
        self._state = state
        self._security = security
        self._serial_number = serial_number
        self._organization = model.text("SecurityCtrlr/OrganizationName")
        self._secc = tuple(
            model.text(f"ISO15118Ctrlr/{name}") for name in ("SeccId", "OrganizationName", "CountryName")
        )
        self._wait_minimum = model.integer("SecurityCtrlr/CertSigningWaitMinimum")
        self._repeat_times = model.integer("SecurityCtrlr/CertSigningRepeatTimes")
        self._largest = model.integer("SecurityCtrlr/MaxCertificateChainSize")
        self._repeat: dict[Kind, Timer] = {}
        self._check: Timer | None = None
        self._activation: Timer | None = None
        self._in_force: str | None = None
        self.repeats = True
        self.lingers = True
        self.send: Send | None = None
        self.spawn: Callable[[Awaitable[None]], object] = lambda work: None
        self.renewed: Callable[[], None] = lambda: None
        """Called when another certificate than before is the one to connect with (A02.FR.08)."""
        self.v2g_renewed: Callable[[], None] = lambda: None
        """Called when there is a new certificate towards EVs (M06.FR.07)."""
        self.v2g_refused: Callable[[], None] = lambda: None
        """Called when the CSMS does not have a certificate towards EVs signed (A02.FR.21)."""

    # -- asking ---------------------------------------------------------------------------------------------------

    async def request(self, kind: Kind = Kind.STATION, attempt: int = 0) -> None:
        """Make a key pair and have it signed; A02.FR.17-19 ask again when no certificate comes."""
        from ocpp.security import certificates

        self._cancel(kind)
        if self.send is None:
            return
        try:
            key = certificates.new_key()
            self._certificates.store.add_key(key)
        except OSError as error:
            log.error("no signing request: the key cannot be kept: %s", error)
            return
        request = certificates.signing_request(key, *self._subject(kind))
        try:
            accepted = await self.send(kind, request)
        except RpcError as error:
            log.warning("the signing request was not answered: %s", error)
            return
        if not accepted:
            log.warning("the CSMS does not take the signing request")
            if kind is Kind.V2G:
                self.v2g_refused()
            return
        self._note_renewal(kind)
        self._ask_again_later(kind, attempt)

    def _subject(self, kind: Kind) -> tuple[str, ...]:
        """Common name, organization and country; towards EVs the SECC's own (A02.FR.13)."""
        if kind is Kind.V2G:
            name, organization, country = (each.value for each in self._secc)
            return name or self._serial_number, organization or self._organization.value, country
        return self._serial_number, self._organization.value

    def _ask_again_later(self, kind: Kind, attempt: int) -> None:
        if not self.repeats or attempt >= self._repeat_times.value or self._wait_minimum.value <= 0:
            return
        wait = min(self._wait_minimum.value * 2.0**attempt, MAX_TIMER_S)
        self._repeat[kind] = self._clock.call_later(wait, lambda: self.spawn(self.request(kind, attempt + 1)))

    def _cancel(self, kind: Kind) -> None:
        timer = self._repeat.pop(kind, None)
        if timer is not None:
            timer.cancel()

    # -- taking ---------------------------------------------------------------------------------------------------

    def signed(self, pem: str, kind: Kind = Kind.STATION) -> Outcome:
        """CertificateSigned: check the chain (A02.FR.06) and keep it; a bad one is an event (A02.FR.07)."""
        from ocpp.security import certificates, chains

        self._cancel(kind)
        if len(pem) > self._largest.value:
            return Outcome(REJECTED, "TooLargeElement", f"the chain is longer than {self._largest.value} characters")
        store = self._certificates.store
        try:
            chain = certificates.read_chain(pem)
            if certificates.is_authority(chain[0]):
                raise SecurityError("the first certificate is that of an authority")
            if not store.has_key_for(chain[0]):
                raise SecurityError("the station has no private key for it")
            self._check_name(certificates.common_name(chain[0]), kind)
            roots = [each.certificate for each in store.all(*self._roots(kind))]
            purpose = chains.Purpose.SERVER if kind is Kind.V2G else chains.Purpose.CLIENT
            chains.check_chain(chain, roots, self._certificates.now(), purpose=purpose, future=self.lingers)
        except SecurityError as error:
            log.error("the new certificate is refused: %s", error)
            self._security.record(INVALID, str(error))
            return Outcome(REJECTED, "InvalidCertificate", str(error))
        return self._keep(kind, pem)

    def _check_name(self, name: str, kind: Kind) -> None:
        """A00.FR.511: the certificate is this station's."""
        wanted = self._subject(kind)[0]
        if name != wanted:
            raise SecurityError(f"it is for {name or 'nobody'}, not for {wanted}")

    @staticmethod
    def _roots(kind: Kind) -> tuple[Kind, ...]:
        return (Kind.V2G_ROOT,) if kind is Kind.V2G else (Kind.CSMS_ROOT, Kind.CSMS_FALLBACK)

    def _keep(self, kind: Kind, pem: str) -> Outcome:
        from ocpp.security import certificates

        chain = certificates.read_chain(pem)
        try:
            self._certificates.store.put(kind, chain)
        except OSError as error:
            log.error("the new certificate cannot be kept: %s", error)
            return Outcome(REJECTED, "InternalError", "the certificate cannot be written")
        self._certificates.changed()
        log.info("new certificate: %s", chain[0].subject.rfc4514_string())
        self.review()
        if kind is Kind.V2G:
            self.v2g_renewed()
        return Outcome(ACCEPTED)

    # -- dates ----------------------------------------------------------------------------------------------------

    def review(self) -> None:
        """Look at all dates: certificates that begin, run out (A03) or are of no more use; and look again later."""
        for timer in (self._check, self._activation):
            if timer is not None:
                timer.cancel()
        self._check = self._clock.call_later(CHECK_INTERVAL_S, self.review)
        self._certificates.warn_of_ends()
        usable: list[Stored] = []
        if self._certificates.has_any(Kind.STATION):
            self._await_activation()
            usable = self._certificates.store.newest(Kind.STATION, self._certificates.now())
        before, self._in_force = self._in_force, usable[0].path.stem if usable else ""
        if before is not None and self._in_force not in ("", before):
            self.renewed()
        if usable:
            self._prune(usable)
            self._renew(usable[0])

    def _await_activation(self) -> None:
        now = self._certificates.now()
        starts = [
            each.certificate.not_valid_before_utc
            for each in self._certificates.store.all(Kind.STATION)
            if each.certificate.not_valid_before_utc > now
        ]
        wait = (min(starts) - now).total_seconds() if starts else None
        if wait is not None and wait <= CHECK_INTERVAL_S:
            self._activation = self._clock.call_later(wait + 1, self.review)

    def connected_with(self, name: str) -> None:
        """The CSMS takes the certificate of that name: where they do not linger, all others go (A02.FR.10, .29)."""
        if self.lingers:
            return
        stored = self._certificates.store.all(Kind.STATION)
        if len(stored) < 2 or name not in [each.path.stem for each in stored]:
            return
        newest = self._certificates.store.newest(Kind.STATION, self._certificates.now())[0]
        for each in stored:
            if each.path.stem == name:
                continue
            log.info("the station's certificate %s is discarded", each.certificate.serial_number)
            self._certificates.store.remove(each)
            if each.path == newest.path:
                self._security.record(DISCARDED, f"serial number {newest.certificate.serial_number}")
        self._in_force = name
        self._certificates.changed()

    def _prune(self, usable: "list[Stored]") -> None:
        if not self.lingers:
            for each in usable[MOST_WITHOUT_A_CONNECTION:]:
                self._certificates.store.remove(each)
            return
        since = usable[0].certificate.not_valid_before_utc
        if self._certificates.now() - since > KEEP_FOR:
            for each in usable[1:]:
                self._certificates.store.remove(each)
            self._certificates.changed()

    def _renew(self, newest: "Stored") -> None:
        ends = newest.certificate.not_valid_after_utc
        if ends - self._certificates.now() > RENEW_BEFORE or self._state.get(RENEWAL_KEY) == newest.path.stem:
            return
        log.warning("the station's certificate ends on %s; asking for a new one", f"{ends:%Y-%m-%d}")
        self.spawn(self.request())

    def _note_renewal(self, kind: Kind) -> None:
        """Asked once and accepted is enough for one certificate; the CSMS may ask for more (A03.FR.19)."""
        usable = self._certificates.store.newest(kind, self._certificates.now())
        if kind is Kind.STATION and usable:
            self._state.put(RENEWAL_KEY, usable[0].path.stem)

    def stop(self) -> None:
        """No timers any more."""
        for timer in (self._check, self._activation, *self._repeat.values()):
            if timer is not None:
                timer.cancel()
