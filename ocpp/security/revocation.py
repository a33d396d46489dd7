"""Whether a certificate was revoked, as its own OCSP responder says (RFC 6960; white paper 2.6.3, L01.FR.25).

A responder that cannot be asked, or whose answer proves nothing, revokes nothing: a station must not depend on it. Both
are logged.
"""

import asyncio
import http.client
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from ocpp import blocking
from ocpp.errors import SecurityError
from ocpp.security import certificates

TIMEOUT_S = 8.0
"""The CSMS waits for an answer meanwhile; less than any message timeout in use."""

TOTAL_S = 10.0
"""For the whole answer, however slowly it comes."""

MAX_RESPONSE_BYTES = 64 * 1024
CLOCK_TOLERANCE = timedelta(minutes=10)

Ask = Callable[[str, bytes], Awaitable[bytes]]
"""Posts an OCSP request (DER) to a URL and gives the response; OSError when that fails."""

log = logging.getLogger(__name__)


async def ask_over_http(url: str, request: bytes) -> bytes:
    """See `Ask`."""
    try:
        return await asyncio.wait_for(blocking.in_thread(partial(_post, url, request)), TOTAL_S)
    except TimeoutError:
        raise OSError(f"no whole answer within {TOTAL_S:g} s") from None


def _post(url: str, body: bytes) -> bytes:
    if not url.lower().startswith(("http://", "https://")):
        raise OSError(f"{url} is no HTTP address")
    place = urlsplit(url)
    secure = place.scheme.lower() == "https"
    connection = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(
        place.hostname or "", place.port, timeout=TIMEOUT_S
    )
    headers = {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}
    try:
        connection.request("POST", place._replace(scheme="", netloc="", fragment="").geturl() or "/", body, headers)
        with connection.getresponse() as answer:
            if answer.status != http.HTTPStatus.OK:
                raise OSError(f"{url} answers HTTP {answer.status}")
            return answer.read(MAX_RESPONSE_BYTES)
    except http.client.HTTPException as error:
        raise OSError(f"{url}: {error!r}") from error
    finally:
        connection.close()


async def is_revoked(
    certificate: x509.Certificate, issuer: x509.Certificate, now: datetime, ask: Ask = ask_over_http
) -> bool:
    """Whether the responder that the certificate names says, provably and now, that it was revoked."""
    url = certificates.ocsp_responder(certificate)
    if not url:
        return False
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA256()).build()
    try:
        answer = await ask(url, request.public_bytes(serialization.Encoding.DER))
        return _revoked(ocsp.load_der_ocsp_response(answer), certificate, issuer, now)
    except (OSError, ValueError, SecurityError) as error:
        log.warning("whether %s was revoked is not known: %s", certificate.subject.rfc4514_string(), error)
        return False


def _revoked(
    response: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime
) -> bool:
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise SecurityError(f"the responder answers {response.response_status.name}")
    if response.serial_number != certificate.serial_number:
        raise SecurityError("the answer is about another certificate")
    end = response.next_update_utc
    if response.this_update_utc - CLOCK_TOLERANCE > now or (end is not None and end + CLOCK_TOLERANCE < now):
        raise SecurityError("the answer is not of now")
    _check_signature(response, _signer(response.certificates, issuer, now))
    return response.certificate_status is ocsp.OCSPCertStatus.REVOKED


def _signer(shown: Sequence[x509.Certificate], issuer: x509.Certificate, now: datetime) -> x509.Certificate:
    """The issuer itself, or a responder it has delegated to (RFC 6960 section 4.2.2.2)."""
    for each in shown:
        if each == issuer:
            return each
        try:
            usage = each.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            continue
        if (
            ExtendedKeyUsageOID.OCSP_SIGNING in usage
            and certificates.current(each, now)
            and certificates.issued(each, issuer)
        ):
            return each
    return issuer


def _check_signature(response: ocsp.OCSPResponse, signer: x509.Certificate) -> None:
    key, algorithm = signer.public_key(), response.signature_hash_algorithm
    if algorithm is None:
        raise SecurityError("the answer is signed in a way that is not known")
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        else:
            raise SecurityError("the responder's key is neither RSA nor elliptic curve")
    except InvalidSignature:
        raise SecurityError("the answer is not signed by the issuer or a responder of it") from None
