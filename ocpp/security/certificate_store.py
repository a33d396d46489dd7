"""The certificates and private keys of the station, in files that survive a power cut and only their owner can read.

Imports `cryptography`: take it from `CertificateFolder.store`, which waits until a certificate is touched.

Folder by kind, one PEM file a certificate (or chain, its own certificate first), named by fingerprint; `keys/` holds
the private keys, named by their public key, so that a certificate finds its key.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path

import msgspec
from cryptography import x509

from ocpp.errors import SecurityError
from ocpp.security import certificates, private_files
from ocpp.security.certificate_folder import Kind
from ocpp.security.certificates import HashData, PrivateKey

MAX_PENDING_KEYS = 8
"""Keys whose certificate has not come; the oldest gives way."""


class Stored(msgspec.Struct, frozen=True, dict=True):
    """A certificate in the store, with its chain behind it."""

    kind: Kind
    path: Path

    @cached_property
    def chain(self) -> list[x509.Certificate]:
        """The certificates of the file; SecurityError when it is damaged."""
        return certificates.read_chain(self.path.read_bytes())

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate itself."""
        return self.chain[0]

    def issuer_of(self, index: int) -> x509.Certificate | None:
        """Who signed the certificate at that place of the chain, where the file tells."""
        subject = self.chain[index]
        return next((each for each in self.chain[index + 1 :] if certificates.issued(subject, each)), None)


class CertificateStore:
    """Certificates by kind, and private keys. The folder is made with the first certificate."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # -- certificates ---------------------------------------------------------------------------------------------

    def all(self, *kinds: Kind) -> list[Stored]:
        """Every certificate of the kinds given (without one: of all kinds), damaged files left out."""
        found = []
        for kind in kinds or tuple(Kind):
            for path in sorted((self.folder / kind).glob("*.pem")):
                stored = Stored(kind, path)
                try:
                    stored.chain  # noqa: B018  a damaged file shows here
                except (SecurityError, OSError):
                    continue
                found.append(stored)
        return found

    def holds(self, kind: Kind, certificate: x509.Certificate) -> bool:
        """Whether that very certificate is there."""
        return self._path(kind, certificate).exists()

    def put(self, kind: Kind, chain: Sequence[x509.Certificate]) -> Stored:
        """Keep a certificate with its chain; the same one again replaces it (M05.FR.17). OSError when it cannot."""
        path = self._path(kind, chain[0])
        self._write(path, certificates.pem_of(chain))
        return Stored(kind, path)

    def remove(self, stored: Stored) -> None:
        """Forget a certificate, and the key that only it used. OSError when it cannot be removed."""
        name = certificates.key_name(stored.certificate) if not stored.kind.root else None
        stored.path.unlink(missing_ok=True)
        private_files.synchronise(stored.path.parent)
        if name is not None and not any(name == certificates.key_name(each.certificate) for each in self._owned()):
            self._key_path(name).unlink(missing_ok=True)

    def find(self, wanted: HashData) -> list[tuple[Stored, int]]:
        """Where a certificate is: file, and place in its chain."""
        places = []
        for stored in self.all():
            for index, certificate in enumerate(stored.chain):
                issuer = self._issuer(stored, index)
                if certificates.same_certificate(certificates.hash_data(certificate, issuer, wanted.algorithm), wanted):
                    places.append((stored, index))
        return places

    def hash_data(self, stored: Stored, index: int = 0) -> HashData:
        """The hashes of a certificate in the store."""
        return certificates.hash_data(stored.chain[index], self._issuer(stored, index))

    def _issuer(self, stored: Stored, index: int) -> x509.Certificate | None:
        subject = stored.chain[index]
        if subject.issuer == subject.subject:
            return None
        roots = (each.certificate for each in self.all(*(kind for kind in Kind if kind.root)))
        return stored.issuer_of(index) or next((each for each in roots if certificates.issued(subject, each)), None)

    def newest(self, kind: Kind, now: datetime) -> list[Stored]:
        """The station's own certificates of a kind that are valid now and have their key, newest first (A02.FR.09).

        Of two that begin at the same moment the one stored later is the newer.
        """
        usable = [
            each
            for each in self.all(kind)
            if certificates.current(each.certificate, now) and self.key_file(each) is not None
        ]
        return sorted(usable, key=_age, reverse=True)

    def expired(self, kind: Kind, now: datetime) -> list[Stored]:
        """The station's own certificates of a kind that have run out and have their key, the last to run out first."""
        over = [
            each
            for each in self.all(kind)
            if each.certificate.not_valid_after_utc < now and self.key_file(each) is not None
        ]
        return sorted(over, key=lambda each: each.certificate.not_valid_after_utc, reverse=True)

    # -- keys -----------------------------------------------------------------------------------------------------

    def add_key(self, key: PrivateKey) -> str:
        """Keep a private key whose certificate is to come; gives its name. OSError when it cannot be kept."""
        name = certificates.key_name(key)
        self._write(self._key_path(name), certificates.key_pem(key))
        self._drop_old_pending(name)
        return name

    def key(self, name: str) -> PrivateKey | None:
        """A private key by its name."""
        path = self._key_path(name)
        return certificates.read_key(path.read_bytes()) if path.exists() else None

    def key_file(self, stored: Stored) -> Path | None:
        """The file with the private key of a certificate; None when there is none."""
        path = self._key_path(certificates.key_name(stored.certificate))
        return path if path.exists() else None

    def has_key_for(self, certificate: x509.Certificate) -> bool:
        """Whether the private key of a certificate is here."""
        return self._key_path(certificates.key_name(certificate)).exists()

    def _drop_old_pending(self, newest: str) -> None:
        used = {certificates.key_name(each.certificate) for each in self._owned()} | {newest}
        pending = [path for path in (self.folder / "keys").glob("*.pem") if path.stem not in used]
        pending.sort(key=lambda path: path.stat().st_mtime_ns)
        for path in pending[: max(0, len(pending) - MAX_PENDING_KEYS + 1)]:
            path.unlink(missing_ok=True)

    def _owned(self) -> list[Stored]:
        return self.all(Kind.STATION, Kind.V2G)

    # -- files ----------------------------------------------------------------------------------------------------

    def _key_path(self, name: str) -> Path:
        return self.folder / "keys" / f"{name}.pem"

    def _path(self, kind: Kind, certificate: x509.Certificate) -> Path:
        return self.folder / kind / f"{certificates.fingerprint(certificate)}.pem"

    def _write(self, path: Path, data: bytes) -> None:
        private_files.write(path, data)


def _age(stored: Stored) -> tuple[datetime, int]:
    return stored.certificate.not_valid_before_utc, stored.path.stat().st_mtime_ns
