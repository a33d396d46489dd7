"""X.509 certificates: reading, hashing and checking them, and asking for new ones (Part 2 block A; white paper 2.6).

Imported, with `cryptography`, when a certificate is touched and not before. Whether a chain holds is told by `chains`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from ocpp.errors import SecurityError
from ocpp.security.roots import blocks

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

LEAST_RSA_BITS = 2048
LEAST_EC_BITS = 224
"""A00.FR.501-503 (2.x: A00.FR.502-504): security like a symmetric key of 112 bits."""

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}

_WEAK_HASHES = (hashes.MD5, hashes.SHA1)


class HashData(msgspec.Struct, frozen=True):
    """What identifies a certificate without showing it (CertificateHashDataType); hexadecimal, lower case."""

    algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str


def read_chain(pem: str | bytes) -> list[x509.Certificate]:
    """The certificates of a PEM text in its order; SecurityError when there is none, or one cannot be read."""
    try:
        return [x509.load_pem_x509_certificate(block.encode()) for block in blocks(pem)]
    except ValueError as error:
        raise SecurityError(f"a certificate cannot be read: {error}") from error


def pem_of(certificates: Iterable[x509.Certificate]) -> bytes:
    """The certificates as PEM, one after the other."""
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 over the certificate, hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def key_name(key: PrivateKey | x509.Certificate) -> str:
    """What a key pair is called: SHA-256 over its public key."""
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _digest(public, "SHA256").hex()


def hash_data(certificate: x509.Certificate, issuer: x509.Certificate | None, algorithm: str = "SHA256") -> HashData:
    """The hashes of a certificate, as OCSP computes them (RFC 6960 section 4.1.1); a root is its own issuer."""
    key = (issuer or certificate).public_key()
    info = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return HashData(
        algorithm,
        _digest(certificate.issuer.public_bytes(), algorithm).hex(),
        _digest(_bit_string(info), algorithm).hex(),
        f"{certificate.serial_number:x}",
    )


def same_certificate(one: HashData, other: HashData) -> bool:
    """Whether both name the same certificate; hexadecimal digits may come in either case, numbers with zeros."""

    def canonical(data: HashData) -> tuple[str, ...]:
        serial = data.serial_number.casefold().lstrip("0")
        return data.algorithm, data.issuer_name_hash.casefold(), data.issuer_key_hash.casefold(), serial

    return canonical(one) == canonical(other)


def _digest(data: bytes, algorithm: str) -> bytes:
    digest = hashes.Hash(_HASHES[algorithm]())
    digest.update(data)
    return digest.finalize()


def _bit_string(public_key_info: bytes) -> bytes:
    """The key itself, out of a DER SubjectPublicKeyInfo: the content of its BIT STRING, behind the count of unused bits."""
    _, body = _element(public_key_info)
    _, after_algorithm = _element(body, rest=True)
    _, bits = _element(after_algorithm)
    return bits[1:]


def _element(der: bytes, *, rest: bool = False) -> tuple[int, bytes]:
    """Tag and content of the first DER element; with `rest`, what comes behind it instead of the content."""
    length, start = der[1], 2
    if length & 0x80:
        octets = length & 0x7F
        length, start = int.from_bytes(der[2 : 2 + octets], "big"), 2 + octets
    return der[0], der[start + length :] if rest else der[start : start + length]


def current(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether the validity period covers `now` (UTC)."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it may sign others."""
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        # Version 1 certificates know no extensions; some old roots are of that kind.
        return certificate.version is x509.Version.v1
    except ValueError:
        return False


def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `issuer` signed it."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def self_signed(certificate: x509.Certificate) -> bool:
    """Whether it is its own issuer."""
    return certificate.issuer == certificate.subject and issued(certificate, certificate)


def check_strength(certificate: x509.Certificate) -> None:
    """SecurityError when its key is shorter than A00.FR.501-503 allow, or it was signed over a weak hash."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
        raise SecurityError(f"the RSA key has {key.key_size} bits; at least {LEAST_RSA_BITS} are needed")
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < LEAST_EC_BITS:
        raise SecurityError(f"the elliptic-curve key has {key.key_size} bits; at least {LEAST_EC_BITS} are needed")
    if isinstance(certificate.signature_hash_algorithm, _WEAK_HASHES):
        raise SecurityError(f"it was signed over {certificate.signature_hash_algorithm.name}, which is not safe")


def period(certificate: x509.Certificate) -> str:
    """What to say of one that is not valid now."""
    return (
        f"{certificate.subject.rfc4514_string()} is valid from {certificate.not_valid_before_utc:%Y-%m-%d} "
        f"to {certificate.not_valid_after_utc:%Y-%m-%d}"
    )


def common_name(certificate: x509.Certificate) -> str:
    """The CN of the subject, "" without one."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


# -- keys ---------------------------------------------------------------------------------------------------------


def ocsp_responder(certificate: x509.Certificate) -> str:
    """The address of the certificate's OCSP responder; "" when it names none."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return ""
    for each in access:
        if each.access_method == AuthorityInformationAccessOID.OCSP:
            return str(each.access_location.value)
    return ""


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key pair for a certificate to come: P-256, which every TLS stack and small board takes."""
    return ec.generate_private_key(ec.SECP256R1())


def read_key(pem: bytes, password: str | None = None) -> PrivateKey:
    """A private key; SecurityError when it cannot be read or is of another kind than RSA or elliptic curve."""
    try:
        key = serialization.load_pem_private_key(pem, password.encode() if password else None)
    except (ValueError, TypeError) as error:
        raise SecurityError(f"the private key cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise SecurityError("the private key is neither RSA nor elliptic curve")
    return key


def key_pem(key: PrivateKey) -> bytes:
    """The private key as it is kept: PKCS #8 without a password, for a file that only its owner can read."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def signing_request(key: PrivateKey, common_name: str, organization: str, country: str = "") -> str:
    """A certificate signing request, PEM (A02.FR.03); the subject is what A00.FR.509 and .511 ask for.

    `country`: ISO 3166-1, two letters, as certificates towards EVs have it.
    """
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    if country:
        names.append(x509.NameAttribute(NameOID.COUNTRY_NAME, country))
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=isinstance(key, rsa.RSAPrivateKey),
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name(names))
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return request.public_bytes(serialization.Encoding.PEM).decode()


# -- signatures over files ----------------------------------------------------------------------------------------


def check_signature(certificate: x509.Certificate, signature: bytes, digest: bytes) -> None:
    """SecurityError unless `signature` is the certificate's over a SHA-256 digest.

    RSA-PSS, RSA PKCS #1 v1.5 and ECDSA are known (L01.FR.04; ECSchnorr, which the text also names, has no library).
    """
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    prehashed = Prehashed(hashes.SHA256())
    key = certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, digest, ec.ECDSA(prehashed))
        elif isinstance(key, rsa.RSAPublicKey):
            _check_rsa(key, signature, digest, prehashed)
        else:
            raise SecurityError("the certificate's key is neither RSA nor elliptic curve")
    except InvalidSignature:
        raise SecurityError("the signature is not that of the certificate over this file") from None


def _check_rsa(key: rsa.RSAPublicKey, signature: bytes, digest: bytes, prehashed: object) -> None:
    algorithm = cast(hashes.HashAlgorithm, prehashed)
    try:
        key.verify(signature, digest, padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO), algorithm)
    except InvalidSignature:
        key.verify(signature, digest, padding.PKCS1v15(), algorithm)
