"""Which certificates end soon; roots are read with Python's own TLS, so that nothing else is imported for them."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

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
    for path in sorted((folder.path / kind).glob("*.pem")):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(path)
        except (OSError, ssl.SSLError):
            continue  # a damaged file trusts nobody; `pilotwire cert list` leaves it out as well
        for each in context.get_ca_certs():
            subject = ", ".join("=".join(map(str, pair)) for part in each["subject"] for pair in part)
            yield subject, datetime.fromtimestamp(ssl.cert_time_to_seconds(str(each["notAfter"])), UTC)


def _own(folder: CertificateFolder, kind: Kind) -> Iterator[tuple[str, datetime]]:
    """The newest one counts: those before it are kept as a fall-back only."""
    stored = folder.store.all(kind)
    if stored:
        last = max(stored, key=lambda each: each.certificate.not_valid_after_utc).certificate
        yield last.subject.rfc4514_string(), last.not_valid_after_utc
