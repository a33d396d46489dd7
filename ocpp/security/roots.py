"""Root certificates, read with Python's own TLS: a station that only trusts them imports nothing else for it.

What they say beyond name and end, who signed them and how strong they are is read by `ocpp.security.certificates`.
"""

import hashlib
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from ocpp.errors import SecurityError

MAX_CHAIN = 10
"""Certificates of one text; a hierarchy has three or four."""

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class Root(msgspec.Struct, frozen=True):
    """A certificate that others are measured by."""

    der: bytes
    subject: str
    """"" where it is no certificate of an authority."""
    end: datetime | None
    """UTC; None where it is no certificate of an authority."""

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
    found = _BLOCK.findall(text)
    if not 1 <= len(found) <= MAX_CHAIN:
        raise SecurityError(f"the text holds {len(found)} PEM certificates, not 1 to {MAX_CHAIN}")
    return found


def read(pem: str | bytes) -> list[Root]:
    """The certificates of a PEM text in its order; SecurityError when there is none, or one cannot be read."""
    return [_root(block) for block in blocks(pem)]


def _root(block: str) -> Root:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        der = ssl.PEM_cert_to_DER_cert(block)
        context.load_verify_locations(cadata=der)
    except (ValueError, ssl.SSLError) as error:
        raise SecurityError(f"a certificate cannot be read: {error}") from error
    for known in context.get_ca_certs():
        end = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(known["notAfter"])), UTC)
        return Root(der, _name(known), end)
    return Root(der, "", None)


def _name(known: Mapping[str, Any]) -> str:
    return ", ".join("=".join(map(str, pair)) for part in known["subject"] for pair in part)
