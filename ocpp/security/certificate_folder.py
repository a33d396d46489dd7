"""Where the certificates are, and which kinds there are; what can be told without the library that reads them."""

import logging
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ocpp.errors import SecurityError
from ocpp.security import private_files, roots
from ocpp.security.roots import Root

if TYPE_CHECKING:
    from ocpp.security.certificate_store import CertificateStore

log = logging.getLogger(__name__)


class Kind(StrEnum):
    """What a certificate is for; the value names its folder."""

    CSMS_ROOT = "csms_root"
    MANUFACTURER_ROOT = "manufacturer_root"
    MO_ROOT = "mo_root"
    V2G_ROOT = "v2g_root"
    OEM_ROOT = "oem_root"
    STATION = "station"
    V2G = "v2g"
    CSMS_FALLBACK = "csms_fallback"
    """The CSMS root that a new one replaced, until the new one has proved itself (M05.FR.12-14)."""

    @property
    def root(self) -> bool:
        """Whether it is a certificate that others are measured by."""
        return self not in (Kind.STATION, Kind.V2G)


class CertificateFolder:
    """The folder of all certificates and keys; `store` reads and writes them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def store(self) -> "CertificateStore":
        """The store in this folder. Its first use imports `cryptography`, some 40 ms on a desktop, more on a board."""
        from ocpp.security.certificate_store import CertificateStore

        return CertificateStore(self.path)

    def roots(self, kind: Kind) -> list[Root]:
        """The root certificates of a kind, damaged files left out: they trust nobody."""
        found = []
        for path in sorted((self.path / kind).glob("*.pem")):
            try:
                found.append(roots.read(path.read_bytes())[0])
            except (SecurityError, OSError) as error:
                log.warning("the root certificate %s is left out: %s", path, error)
        return found

    def put_root(self, kind: Kind, root: Root) -> None:
        """Keep a root certificate; the same one again replaces it. OSError when it cannot be kept."""
        private_files.write(self.path / kind / f"{root.fingerprint}.pem", root.pem.encode())

    def has(self, *kinds: Kind) -> bool:
        """Whether there is any certificate of these kinds."""
        return any(next((self.path / kind).glob("*.pem"), None) is not None for kind in kinds)

    def count(self) -> int:
        """Certificates of all kinds together, a chain counting as one."""
        return sum(1 for kind in Kind for _ in (self.path / kind).glob("*.pem"))
