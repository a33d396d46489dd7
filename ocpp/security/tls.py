"""TLS contexts for the CSMS connection, and plain words for what goes wrong with them.

TLS 1.2 or later with the suites the security profiles ask for (A00.FR.317-319; white paper section 2.4); the CSMS's
certificate is always verified.
"""

import ssl
from pathlib import Path

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


def client_context(
    *,
    ca_file: str | None = None,
    ca_data: str | None = None,
    verify_hostname: bool = True,
    cert_file: str | None = None,
    key_file: str | None = None,
    key_password: str | None = None,
) -> ssl.SSLContext:
    """A context that trusts the given root certificates only, or the system's where none are given.

    Raises SecurityError when a file is missing or holds no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file, cadata=ca_data)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS_TLS12)
        context.check_hostname = verify_hostname
        # Python 3.13 began to ask for more than the security profiles do; a CSMS must not fail on some stations only.
        context.verify_flags &= ~(ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)
        if cert_file:
            context.load_cert_chain(cert_file, key_file, key_password)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(str(Path(name)) for name in (ca_file, cert_file, key_file) if name)
        raise SecurityError(f"certificate or key cannot be used ({files}): {error}") from error
    return context


def hung_up() -> TlsFailure:
    """The CSMS ended the handshake without a word."""
    return TlsFailure(
        "the CSMS closed the connection during the TLS handshake",
        "does it speak TLS on that port, and share a cipher suite? see the CSMS's log",
    )


def explained(error: ssl.SSLError) -> TlsFailure:
    """The failure in plain words, with what to do about it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        known = _VERIFY_ERRORS.get(error.verify_code)
        if known is not None:
            return TlsFailure(*known)
        return TlsFailure(
            f"the CSMS's certificate was refused: {error.verify_message}", "see docs/common/connectivity.md"
        )
    known = _REASONS.get(error.reason or "")
    if known is not None:
        return TlsFailure(*known)
    return TlsFailure(f"TLS failed: {error.reason or error}", "see docs/common/connectivity.md")
