"""`pilotwire cert list`: every certificate of a station, with its dates."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ocpp.security.certificate_folder import Kind
from ocpp.station.cert.installed import installed
from ocpp.station.configuration import Configuration

if TYPE_CHECKING:
    from ocpp.security.certificate_store import CertificateStore, Stored

PURPOSES = {
    Kind.CSMS_ROOT: "root of the CSMS",
    Kind.CSMS_FALLBACK: "root of the CSMS before",
    Kind.MANUFACTURER_ROOT: "root of firmware",
    Kind.MO_ROOT: "root of contracts",
    Kind.V2G_ROOT: "root towards EVs",
    Kind.OEM_ROOT: "root of EVs",
    Kind.STATION: "station, to the CSMS",
    Kind.V2G: "station, to EVs",
}

SOON_DAYS = 30
"""An end that near is a warning: certificates are renewed by then (A03.FR.02)."""


def days_left(end: datetime, now: datetime) -> str:
    """How long a certificate still holds, in words."""
    days = (end - now).days
    return f"expired {-days} days ago" if end < now else f"{days} days left"


def print_list(configuration: Configuration, now: datetime | None = None) -> int:
    """Print a table, a line each; 0, also where there is none."""
    now = now or datetime.now(UTC)
    with installed(configuration) as found:
        folder = found.folder
        rows = [_row(folder.store, stored, now) for stored in folder.store.all()] if folder.has(*Kind) else []
    if not rows:
        print("No certificates are installed; the CSMS is verified with the roots of the operating system.")
        return 0
    head = ("for", "subject", "signed by", "valid from", "until", "")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _row(store: "CertificateStore", stored: "Stored", now: datetime) -> tuple[str, ...]:
    certificate = stored.certificate
    remarks = [days_left(certificate.not_valid_after_utc, now)]
    if certificate.not_valid_before_utc > now:
        remarks = ["not valid yet"]
    if not stored.kind.root and store.key_file(stored) is None:
        remarks.append("its private key is missing")
    itself = certificate.subject == certificate.issuer
    return (
        PURPOSES[stored.kind],
        certificate.subject.rfc4514_string(),
        "itself" if itself else certificate.issuer.rfc4514_string(),
        f"{certificate.not_valid_before_utc:%Y-%m-%d}",
        f"{certificate.not_valid_after_utc:%Y-%m-%d}",
        ", ".join(remarks),
    )
