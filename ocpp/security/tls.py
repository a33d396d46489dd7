"""TLS contexts for the CSMS connection, and plain words for what goes wrong with them.

TLS 1.2 or later with the suites the security profiles ask for (A00.FR.317-319; white paper section 2.4); the CSMS's
certificate is always verified.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ocpp.errors import SecurityError, TlsFailure

CIPHERS_TLS12 = ":".join(
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
    ]
)
"""A00.FR.318 names the ECDSA and RSA suites; the ECDHE-RSA ones are what today's servers offer beside them."""

WILDCARD = -1
"""Among the verification errors of OpenSSL: one that it has not."""

_VERIFY_ERRORS = {
    9: ("the CSMS's certificate is not valid yet", "check the station's clock"),
    10: ("the CSMS's certificate has expired", "renew it on the CSMS; if it is new, check the station's clock"),
    18: ("the CSMS's certificate is self-signed", "set ca_file to the root certificate that signed it"),
    19: ("the chain of the CSMS ends in an unknown root certificate", "set ca_file to that root certificate"),
    20: (
        "the issuer of the CSMS's certificate is not known",
        "set ca_file to its root certificate, and let the CSMS send its intermediate certificates",
    ),
    21: ("the CSMS sends a certificate without its intermediates", "let the CSMS send the whole chain"),
    23: ("the CSMS's certificate was revoked", "replace it on the CSMS"),
    62: ("the CSMS's certificate is for another host name", "use the name in the certificate as host of the url"),
    WILDCARD: (
        "the CSMS's certificate names no host but a wildcard",
        "use a certificate with the host's full name, or set SecurityCtrlr.AllowCSMSTLSWildcards",
    ),
    64: ("the CSMS's certificate is for another IP address", "use the name in the certificate as host of the url"),
}

_REASONS = {
    "WRONG_VERSION_NUMBER": ("the CSMS does not speak TLS on this port", "use ws:// or the CSMS's TLS port"),
    "HTTP_REQUEST": ("the CSMS does not speak TLS on this port", "use ws:// or the CSMS's TLS port"),
    "UNSUPPORTED_PROTOCOL": ("the CSMS offers only TLS versions older than 1.2", "enable TLS 1.2 on the CSMS"),
    "TLSV1_ALERT_PROTOCOL_VERSION": ("the CSMS refuses the TLS versions offered", "enable TLS 1.2 on the CSMS"),
    "SSLV3_ALERT_HANDSHAKE_FAILURE": (
        "the CSMS refused the TLS handshake: no common cipher suite, or no client certificate",
        "enable TLS 1.2 or later with an ECDHE suite and AES-GCM there, or use security profile 3 if it asks for that",
    ),
    "NO_SHARED_CIPHER": ("no common cipher suite", "enable an ECDHE suite with AES-GCM on the CSMS"),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": ("the CSMS wants a client certificate", "use security profile 3"),
    "TLSV1_ALERT_UNKNOWN_CA": (
        "the CSMS does not trust the station's certificate",
        "install the station's root certificate on the CSMS",
    ),
    "SSLV3_ALERT_BAD_CERTIFICATE": ("the CSMS refuses the station's certificate", "check its subject and validity"),
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": ("the station's certificate has expired", "renew it"),
    "UNEXPECTED_EOF_WHILE_READING": ("the CSMS closed the connection during the TLS handshake", "see the CSMS's log"),
}

INVALID_CSMS_CERTIFICATE = "InvalidCsmsCertificate"

_EVENTS = {
    "UNSUPPORTED_PROTOCOL": "InvalidTLSVersion",
    "TLSV1_ALERT_PROTOCOL_VERSION": "InvalidTLSVersion",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "InvalidTLSCipherSuite",
    "NO_SHARED_CIPHER": "InvalidTLSCipherSuite",
}
"""The security events that failures are (A00.FR.315, .322, .419, .426)."""


def client_context(
    *,
    ca_file: str | None = None,
    ca_data: str | None = None,
    partial_chain: bool = False,
    verify_hostname: bool = True,
    wildcards: bool = True,
    cert_file: str | None = None,
    key_file: str | None = None,
    key_password: str | None = None,
) -> ssl.SSLContext:
    """A context that trusts the given root certificates only, or the system's where none are given.

    `partial_chain` takes a given certificate as the end of a chain although another one signed it, as a CSMS root is
    that was signed by the one before (white paper 7.1). Without `wildcards` the certificate has to bear the host's
    full name.
    Raises SecurityError when a file is missing or holds no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file, cadata=ca_data)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS_TLS12)
        context.check_hostname = verify_hostname
        if verify_hostname and not wildcards:
            context.sslobject_class = _WithFullName
        # Python 3.13 began to ask for more than the security profiles do; a CSMS must not fail on some stations only.
        context.verify_flags &= ~(ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)
        if partial_chain:
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if cert_file:
            context.load_cert_chain(cert_file, key_file, key_password)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(str(Path(name)) for name in (ca_file, cert_file, key_file) if name)
        raise SecurityError(f"certificate or key cannot be used ({files}): {error}") from error
    return context


class _WithFullName(ssl.SSLObject):
    """A connection that ends with the handshake when the peer's certificate fits by a wildcard only (A00.FR.309)."""

    def do_handshake(self) -> None:
        """See `ssl.SSLObject.do_handshake`."""
        super().do_handshake()
        host = (self.server_hostname or "").casefold()
        names = _host_names(self.getpeercert() or {})
        if any("*" in name for name in names) and host not in names:
            error = ssl.SSLCertVerificationError(1, f"wildcard certificate for {host}")
            error.verify_code, error.verify_message = WILDCARD, "wildcard certificate"
            raise error


def _host_names(certificate: Mapping[str, Any]) -> set[str]:
    """The DNS names of a certificate; its common name where it has none."""
    names = {value.casefold() for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"}
    subject = (part for parts in certificate.get("subject", ()) for part in parts)
    return names or {value.casefold() for kind, value in subject if kind == "commonName"}


def verified_root(connection: ssl.SSLObject | ssl.SSLSocket | None) -> bytes | None:
    """The certificate (DER) at the end of the peer's verified chain."""
    if connection is None:
        return None
    if hasattr(connection, "get_verified_chain"):  # Python 3.13
        chain = connection.get_verified_chain()
        return bytes(chain[-1]) if chain else None
    inner: Any = getattr(connection, "_sslobj", None)
    if inner is None or not hasattr(inner, "get_verified_chain"):
        return None
    chain = inner.get_verified_chain()
    encoding_der = 2  # the library's own constant is private before Python 3.13
    return bytes(chain[-1].public_bytes(encoding_der)) if chain else None


def hung_up() -> TlsFailure:
    """The CSMS ended the handshake without a word."""
    return TlsFailure(
        "the CSMS closed the connection during the TLS handshake",
        "does it speak TLS on that port, share a cipher suite, and accept the station's certificate? see the CSMS's log",
    )


def explained(error: ssl.SSLError) -> TlsFailure:
    """The failure in plain words, with what to do about it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        known = _VERIFY_ERRORS.get(error.verify_code)
        if known is None:
            known = (f"the CSMS's certificate was refused: {error.verify_message}", "see docs/common/connectivity.md")
        return TlsFailure(*known, event=INVALID_CSMS_CERTIFICATE)
    known = _REASONS.get(error.reason or "")
    if known is not None:
        return TlsFailure(*known, event=_EVENTS.get(error.reason or "", ""))
    return TlsFailure(f"TLS failed: {error.reason or error}", "see docs/common/connectivity.md")
