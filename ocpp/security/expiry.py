"""Which certificates end soon."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from ocpp.security.certificate_folder import CertificateFolder, Kind

WARN_BEFORE = timedelta(days=30)
"""How long before its end a certificate is warned of."""


def ending(folder: CertificateFolder, now: datetime) -> Iterator[tuple[Kind, str, datetime]]:
    """Kind, name and end (UTC) of every certificate that has run out or will within `WARN_BEFORE`."""
    for kind in Kind:
        if folder.has(kind):
            for name, end in _roots(folder, kind) if kind.root else _own(folder, kind):
                if end - now < WARN_BEFORE:
                    yield kind, name, end


def _roots(folder: CertificateFolder, kind: Kind) -> Iterator[tuple[str, datetime]]:
    for root in folder.roots(kind):
        if root.end is not None:
            yield root.subject, root.end


def _own(folder: CertificateFolder, kind: Kind) -> Iterator[tuple[str, datetime]]:
    """The newest one counts: those before it are kept as a fall-back only."""
    stored = folder.store.all(kind)
    if stored:
        last = max(stored, key=lambda each: each.certificate.not_valid_after_utc).certificate
        yield last.subject.rfc4514_string(), last.not_valid_after_utc
