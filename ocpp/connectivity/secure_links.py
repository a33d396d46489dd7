"""Opening connections with the certificates of the store: which are trusted, which one is shown, what is tried next."""

import hashlib
import logging
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from ocpp.clock import Clock
from ocpp.connectivity.profile import TLS_CLIENT_CERTIFICATE, NetworkProfile
from ocpp.connectivity.websocket import WebSocketLink, open_link
from ocpp.errors import ConnectError, SecurityError, TlsFailure
from ocpp.security import tls
from ocpp.security.certificate_folder import CertificateFolder, Kind
from ocpp.versions import OcppVersion

MAX_CERTIFICATES_TRIED = 3
"""Certificates of the station that one attempt shows, newest first: the one before may still work (A02.FR.10)."""

log = logging.getLogger(__name__)


class SecureLinks:
    """Opens the link of a network profile; remembers which root certificate proved the CSMS.

    `refused` hears of every security event that a failed attempt is, `proved` of every connection with the CSMS root
    in force, after which its predecessor may go (M05.FR.13); `migrating` tells whether a profile leads to another CSMS
    than the last one, which has to prove itself with the root in force (M05.FR.15). `wildcards` tells whether a 2.x CSMS
    may show a certificate for any host of a domain; in 1.6 it always may.

    With several certificates of the station, a 1.6 attempt shows one after the other, newest first (A02.FR.10 of the
    white paper); a 2.x attempt shows the newest, until `exhausted` says that every profile failed with it; then the
    one before, and so on in turn (A02.FR.28).
    """

    def __init__(
        self,
        folder: CertificateFolder,
        clock: Clock,
        *,
        refused: Callable[[str, str], None] = lambda event, text: None,
        proved: Callable[[], None] = lambda: None,
        migrating: Callable[[NetworkProfile], bool] = lambda profile: False,
        wildcards: Callable[[], bool] = lambda: False,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._refused = refused
        self._proved = proved
        self._migrating = migrating
        self._wildcards = wildcards
        self._turn = 0
        self.own_in_use: str | None = None
        """Name in the store of the station's certificate that the last connection was made with."""
        self.root_in_use: str | None = None
        """Fingerprint of the root certificate that the CSMS of the last connection was verified with."""

    async def __call__(self, profile: NetworkProfile, identity: str, versions: Sequence[OcppVersion]) -> WebSocketLink:
        """See `ocpp.connectivity.manager.OpenLink`."""
        if not profile.secure:
            self.root_in_use = self.own_in_use = None
            return await open_link(profile, identity, versions)
        failure: TlsFailure | None = None
        for trusted in (Kind.CSMS_ROOT, Kind.CSMS_FALLBACK):
            if trusted is Kind.CSMS_FALLBACK and not self._worth_falling_back(profile, failure):
                break
            for own in self._own(profile):
                try:
                    return await self._open(profile, identity, versions, trusted, own)
                except TlsFailure as error:
                    failure = failure or error
                    if error.event == tls.INVALID_CSMS_CERTIFICATE:
                        break
        assert failure is not None
        if failure.event:
            self._refused(failure.event, str(failure))
        raise failure

    def exhausted(self) -> None:
        """Every profile was tried in vain: the next certificate of the station is shown from now on (2.x, A02.FR.28)."""
        self._turn += 1

    def _worth_falling_back(self, profile: NetworkProfile, failure: TlsFailure | None) -> bool:
        """The CSMS may still have the certificate of the root before (M05.FR.13; 2.x M05.FR.14)."""
        refused = failure is not None and failure.event == tls.INVALID_CSMS_CERTIFICATE
        return refused and not self._migrating(profile) and self._folder.has(Kind.CSMS_FALLBACK)

    async def _open(
        self,
        profile: NetworkProfile,
        identity: str,
        versions: Sequence[OcppVersion],
        trusted: Kind,
        own: tuple[str, str, str | None] | None,
    ) -> WebSocketLink:
        try:
            context = self._context(profile, trusted, own)
        except (SecurityError, OSError) as error:
            raise ConnectError(str(error), "check the certificates of the station") from error
        link = await open_link(profile, identity, versions, context)
        self._turn = 0
        self.own_in_use = Path(own[0]).stem if own is not None else None
        root = link.verified_root
        self.root_in_use = hashlib.sha256(root).hexdigest() if root is not None else None
        if trusted is Kind.CSMS_ROOT:
            self._proved()
        else:
            log.warning("the CSMS still shows a certificate of the former root; that one is kept")
        return link

    def _context(
        self, profile: NetworkProfile, trusted: Kind, own: tuple[str, str, str | None] | None
    ) -> ssl.SSLContext:
        roots, partial = self.trusted(profile, trusted)
        cert_file, key_file, password = own or (None, None, None)
        return tls.client_context(
            ca_data=roots,
            partial_chain=partial,
            verify_hostname=profile.verify_hostname,
            wildcards=profile.version.major == 1 or self._wildcards(),
            cert_file=cert_file,
            key_file=key_file,
            key_password=password,
        )

    def context_for(self, profile: NetworkProfile) -> ssl.SSLContext:
        """The TLS context that the next attempt begins with. ConnectError or SecurityError when there is none."""
        return self._context(profile, Kind.CSMS_ROOT, self._own(profile)[0])

    def trusted(self, profile: NetworkProfile, kind: Kind = Kind.CSMS_ROOT) -> tuple[str | None, bool]:
        """The roots as PEM, None for the operating system's; and whether one may be that another one has signed.

        Every certificate of the store was taken as a root, whoever signed it; where it is its own issuer it makes no
        difference to say so. SecurityError when roots are stored of which none can be read: nobody decided to trust the
        operating system's in their place.
        """
        given = _read(Path(profile.ca_file)) if profile.ca_file is not None else ""
        if not self._folder.has(kind):
            return given or None, False
        roots = given + "".join(root.pem for root in self._folder.roots(kind))
        if not roots:
            raise SecurityError(f"none of the root certificates in {self._folder.path / kind} can be read")
        return roots, True

    def _own(self, profile: NetworkProfile) -> list[tuple[str, str, str | None] | None]:
        """Certificate and key files to show in this attempt, best first; None alone where the profile shows none."""
        if profile.security_profile != TLS_CLIENT_CERTIFICATE:
            return [None]
        found: list[tuple[str, str, str | None] | None] = []
        if self._folder.has(Kind.STATION):
            store, now = self._folder.store, self._clock.now()
            # One that has run out is shown for want of a better one: the CSMS decides (A00.FR.430).
            usable = store.newest(Kind.STATION, now) or store.expired(Kind.STATION, now)
            for stored in usable[:MAX_CERTIFICATES_TRIED]:
                found.append((str(stored.path), str(store.key_file(stored)), None))
        if profile.cert_file is not None and profile.key_file is not None:
            found.append((profile.cert_file, profile.key_file, profile.key_password))
        if not found:
            raise ConnectError(
                "security profile 3 needs a certificate of the station",
                "name one in the station file ([certificates] station), or let the CSMS sign one",
            )
        return found if profile.version.major == 1 else [found[self._turn % len(found)]]


def _read(ca_file: Path) -> str:
    """The root certificates of a file; one that holds none must not lead to the operating system's."""
    try:
        text = ca_file.read_text("ascii", "replace")
    except OSError as error:
        raise SecurityError(f"certificate or key cannot be used ({ca_file}): {error.strerror}") from error
    if "BEGIN CERTIFICATE" not in text:
        raise SecurityError(f"certificate or key cannot be used ({ca_file}): it holds no certificate")
    return text
