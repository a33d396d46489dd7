"""Root certificates, read with Python's own TLS: a station that only trusts them imports nothing else for it.

What they say beyond name and end, who signed them and how strong they are is read by `ocpp.security.certificates`.
"""

import hashlib
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from ocpp.errors import SecurityError

MAX_CHAIN = 10
"""Certificates of one text; a hierarchy has three or four."""

REMEMBERED = 32
"""Certificates that are not read again: every connection asks for the roots, each takes a TLS context to read."""

_BLOCK = r"(?s)-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Root(msgspec.Struct, frozen=True):
    """A certificate that others are measured by."""

    der: bytes
    subject: str
    """"" where it is no certificate of an authority."""
    not_after: str
    """As Python's TLS writes it; "" where it is no certificate of an authority."""

    @property
    def end(self) -> datetime | None:
        """Until when it holds, UTC; None where it is no certificate of an authority."""
        if not self.not_after:
            return None
        month, day, clock, year, _ = self.not_after.split()  # Jan  1 00:00:00 2030 GMT, whatever the locale
        hour, minute, second = clock.split(":")
        return datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC)

    @property
    def pem(self) -> str:
        """As text."""
        return ssl.DER_cert_to_PEM_cert(self.der)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the certificate, hexadecimal."""
        return hashlib.sha256(self.der).hexdigest()


def blocks(pem: str | bytes) -> list[str]:
    """The certificates of a PEM text, each with its frame; SecurityError when there is none, or too many."""
    text = pem.decode("ascii", "replace") if isinstance(pem, bytes) else pem
    found: list[str] = re.findall(_BLOCK, text)
    if not 1 <= len(found) <= MAX_CHAIN:
        raise SecurityError(f"the text holds {len(found)} PEM certificates, not 1 to {MAX_CHAIN}")
    return found


def read(pem: str | bytes) -> list[Root]:
    """The certificates of a PEM text in its order; SecurityError when there is none, or one cannot be read."""
    return [_root(block) for block in blocks(pem)]


@lru_cache(maxsize=REMEMBERED)
def _root(block: str) -> Root:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        der = ssl.PEM_cert_to_DER_cert(block)
        context.load_verify_locations(cadata=der)
    except (ValueError, ssl.SSLError) as error:
        raise SecurityError(f"a certificate cannot be read: {error}") from error
    for known in context.get_ca_certs():
        return Root(der, _name(known), str(known["notAfter"]))
    return Root(der, "", "")


def _name(known: Mapping[str, Any]) -> str:
    return ", ".join("=".join(map(str, pair)) for part in known["subject"] for pair in part)
