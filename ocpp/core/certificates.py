"""The certificates the CSMS manages: installing, deleting and listing them (M03, M04, M05; white paper M03 to M05)."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from ocpp.clock import Clock
from ocpp.device_model import DeviceModel
from ocpp.errors import SecurityError
from ocpp.security.certificate_folder import CertificateFolder, Kind
from ocpp.security.expiry import ending

if TYPE_CHECKING:
    from cryptography import x509

    from ocpp.security.certificate_store import CertificateStore, Stored
    from ocpp.security.certificates import HashData

ACCEPTED, REJECTED, FAILED, NOT_FOUND = "Accepted", "Rejected", "Failed", "NotFound"

A_DAY = timedelta(days=1)

log = logging.getLogger(__name__)


class Outcome(msgspec.Struct, frozen=True):
    """What became of a wish of the CSMS: status and reason code of OCPP, and the reason in words."""

    status: str
    reason: str = ""
    text: str = ""


class Installed(msgspec.Struct, frozen=True):
    """A certificate as the CSMS is told of it; `children` are the authorities in its chain."""

    kind: Kind
    data: "HashData"
    children: "tuple[HashData, ...]" = ()


class Certificates:
    """What is installed, within the limit of SecurityCtrlr/CertificateEntries."""

    def __init__(self, folder: CertificateFolder, model: DeviceModel, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._entries = model.integer("SecurityCtrlr/CertificateEntries")
        limit = model.entry("SecurityCtrlr/CertificateEntries").definition.high
        self._limit = int(limit) if limit is not None else 0
        self._successor_only = model.boolean("SecurityCtrlr/AdditionalRootCertificateCheck")
        self.root_in_use: Callable[[], str | None] = lambda: None
        """Gives the fingerprint of the root that the CSMS of this connection was verified with."""
        self._warned: dict[str, datetime] = {}
        self._entries.set(folder.count())

    @property
    def store(self) -> "CertificateStore":
        """Certificates and keys in their files."""
        return self._folder.store

    def now(self) -> datetime:
        """The time that validity is measured by, UTC."""
        return self._clock.now()

    def has(self, *kinds: Kind) -> bool:
        """Whether there is a certificate of these kinds that is valid now; of the station's own with its key."""
        if not self._folder.has(*kinds):
            return False
        from ocpp.security import certificates

        now = self.now()
        return any(
            certificates.current(each.certificate, now) and (kind.root or self.store.key_file(each) is not None)
            for kind in kinds
            for each in self.store.all(kind)
        )

    def has_any(self, *kinds: Kind) -> bool:
        """Whether there is any file of these kinds; needs no library to tell."""
        return self._folder.has(*kinds)

    def changed(self) -> None:
        """Files came or went: tell the device model."""
        self._entries.set(self._folder.count())

    def warn_of_ends(self) -> None:
        """Log what ends soon or has ended, each certificate once a day at the most."""
        now = self.now()
        for kind, name, end in ending(self._folder, now):
            if now - self._warned.get(name, now - A_DAY) >= A_DAY:
                self._warned[name] = now
                log.warning(
                    "certificate (%s) %s %s on %s", kind.value, name, "ends" if end > now else "ended", end.date()
                )

    # -- install --------------------------------------------------------------------------------------------------

    def install(self, kind: Kind, pem: str) -> Outcome:
        """M05: take a root certificate."""
        from ocpp.security import certificates, chains

        try:
            chain = certificates.read_chain(pem)
            if len(chain) != 1:
                raise SecurityError(f"{len(chain)} certificates instead of one")
            if self._is_successor(kind, chain[0]):
                chains.check_authority(chain[0], self.now())
            else:
                chains.check_root(chain[0], self.now())
        except SecurityError as error:
            log.warning("certificate refused (%s): %s", kind.value, error)
            return Outcome(REJECTED, "InvalidCertificate", str(error))
        outcome = self._room(kind, chain[0]) or self._successor(kind, chain[0]) or self._write(kind, chain[0])
        self.changed()
        return outcome

    def _room(self, kind: Kind, certificate: "x509.Certificate") -> Outcome | None:
        if self._folder.count() < self._limit or self.store.holds(kind, certificate):
            return None
        log.warning("certificate refused (%s): %d are installed, more are not possible", kind.value, self._limit)
        return Outcome(REJECTED, "OutOfStorage", f"{self._limit} certificates are installed already")

    def _successor(self, kind: Kind, certificate: "x509.Certificate") -> Outcome | None:
        """With AdditionalRootCertificateCheck a new CSMS root replaces the one that signed it (M05.FR.09-12)."""
        if kind is not Kind.CSMS_ROOT or not self._successor_only.value:
            return None
        before = self.store.all(Kind.CSMS_ROOT)
        if not before or self.store.holds(kind, certificate):
            return None
        if not self._is_successor(kind, certificate):
            log.warning("CSMS root certificate refused: the one before has not signed it")
            return Outcome(REJECTED, "InvalidCertificate", "not signed by the CSMS root certificate it would replace")
        outcome = self._write(kind, certificate)
        if outcome.status == ACCEPTED:
            self.drop_fallback()
            for each in before:
                self.store.put(Kind.CSMS_FALLBACK, each.chain)
                self.store.remove(each)
        return outcome

    def _is_successor(self, kind: Kind, certificate: "x509.Certificate") -> bool:
        """Whether it may be a root although it is not its own issuer: the CSMS root that it is to replace has signed it."""
        from ocpp.security import certificates

        return (
            kind is Kind.CSMS_ROOT
            and self._successor_only.value
            and any(certificates.issued(certificate, each.certificate) for each in self.store.all(Kind.CSMS_ROOT))
        )

    def _write(self, kind: Kind, certificate: "x509.Certificate") -> Outcome:
        try:
            self.store.put(kind, [certificate])
        except OSError as error:
            log.error("certificate cannot be kept: %s", error)
            return Outcome(FAILED, "InternalError", "the certificate cannot be written")
        log.info("certificate installed (%s): %s", kind.value, certificate.subject.rfc4514_string())
        return Outcome(ACCEPTED)

    def drop_fallback(self) -> None:
        """The new CSMS root works: the one before it goes (M05.FR.12; 2.x M05.FR.13)."""
        if not self._folder.has(Kind.CSMS_FALLBACK):
            return
        for each in self.store.all(Kind.CSMS_FALLBACK):
            self.store.remove(each)
            log.info("the former CSMS root certificate is removed: %s", each.certificate.subject.rfc4514_string())
        self.changed()

    # -- delete ---------------------------------------------------------------------------------------------------

    def delete(self, wanted: "HashData") -> Outcome:
        """M04: the station's own certificate and the root in use stay (M04.FR.05-06)."""
        found = [(stored, index) for stored, index in self.store.find(wanted)]
        if not found:
            return Outcome(NOT_FOUND, "NotFound")
        if any(stored.kind is Kind.STATION for stored, _ in found):
            return Outcome(FAILED, "UnsupportedRequest", "the station's own certificate cannot be deleted")
        for stored, _ in found:
            if stored.kind in (Kind.CSMS_ROOT, Kind.CSMS_FALLBACK) and stored.path.stem == self.root_in_use():
                return Outcome(
                    FAILED, "UnsupportedRequest", "the connection to the CSMS is verified with this certificate"
                )
        try:
            for stored, _ in found:
                self.store.remove(stored)
                log.info("certificate deleted: %s", stored.certificate.subject.rfc4514_string())
        except OSError as error:
            log.error("certificate cannot be deleted: %s", error)
            return Outcome(FAILED, "InternalError", "the certificate cannot be removed")
        finally:
            self.changed()
        return Outcome(ACCEPTED)

    # -- list -----------------------------------------------------------------------------------------------------

    def installed(self, *kinds: Kind) -> Iterator[Installed]:
        """M03: what there is of these kinds."""
        for stored in self.store.all(*kinds):
            children = self._children(stored) if stored.kind is Kind.V2G else ()
            yield Installed(stored.kind, self.store.hash_data(stored), children)

    def _children(self, stored: "Stored") -> "tuple[HashData, ...]":
        return tuple(self.store.hash_data(stored, index) for index in range(1, len(stored.chain)))
