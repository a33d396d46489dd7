"""Whether a chain of certificates holds (RFC 5280 section 6.1), for what it is shown for.

Of own making, since nothing at hand serves: OpenSSL, by way of `ssl`, checks a chain in a handshake alone, with the key of
its leaf; `cryptography.x509.verification` is made for the web and refuses what the specification admits (P-224, leaves that
name nobody but in their subject, old roots of version 1, certificates that begin later), and has had policies to
change that only since a release that boards need not have. What it does without is left out on purpose: a chain with name
or policy constraints that are critical is refused, never half understood.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from ocpp.errors import SecurityError
from ocpp.security.certificates import check_strength, current, is_authority, issued, period, self_signed

MAX_STEPS = 50
"""Certificates that are looked at on all ways up together; authorities that signed one another make two or three ways."""

_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)
"""Extensions that may be critical: any policy is good here, the others are looked at or bind nobody."""


T = TypeVar("T", bound=x509.ExtensionType)


class Purpose(Enum):
    """What the first certificate of a chain is used for; a chain that says what it is for has to say this."""

    ANY = None
    FIRMWARE = ExtendedKeyUsageOID.CODE_SIGNING
    CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
    """Of the station towards the CSMS."""
    SERVER = ExtendedKeyUsageOID.SERVER_AUTH
    """Of the station towards EVs."""


def check_root(certificate: x509.Certificate, now: datetime) -> None:
    """SecurityError unless it can serve as a root: an authority in its validity period, strong, and its own issuer."""
    check_authority(certificate, now)
    if not self_signed(certificate):
        raise SecurityError("it is not a root certificate: another one signed it")


def check_authority(certificate: x509.Certificate, now: datetime) -> None:
    """SecurityError unless others may be measured by it: an authority in its validity period, and strong."""
    with _readable():
        if not is_authority(certificate):
            raise SecurityError("it is not a certificate of an authority")
        _check_issuer(certificate, 0, Purpose.ANY)
        _check_each(certificate, now)


def check_chain(
    chain: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    now: datetime,
    *,
    purpose: Purpose = Purpose.ANY,
    future: bool = False,
) -> list[x509.Certificate]:
    """The way from `chain[0]` to one of the roots; SecurityError when there is none, or a step does not hold.

    The certificates behind the first may come in any order. `future` admits a first certificate that becomes valid
    later. Without roots it is enough that the chain itself holds.
    """
    complaint: SecurityError | None = None
    with _readable():
        for path in _Ways(roots).up([chain[0]], list(chain[1:])):
            try:
                _check_path(path, now, purpose, future=future)
            except SecurityError as error:
                complaint = complaint or error
            else:
                return path
    raise complaint or SecurityError(f"no installed root certificate signed {_name(chain[0])}")


class _Ways:
    """Every way up whose signatures hold: to a root, or, where there are no roots, as far as it leads."""

    def __init__(self, roots: Sequence[x509.Certificate]) -> None:
        self._roots = roots
        self._steps = 0

    def up(self, path: list[x509.Certificate], rest: list[x509.Certificate]) -> Iterator[list[x509.Certificate]]:
        """From the end of a path, by the certificates of `rest`."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            return
        last = path[-1]
        if last in self._roots:
            yield path
            return
        for root in self._roots:
            if issued(last, root):
                yield [*path, root]
        above = [each for each in rest if issued(last, each)]
        for each in above:
            yield from self.up([*path, each], [other for other in rest if other != each])
        if not self._roots and not above and (not rest or self_signed(last)):
            yield path


def _check_path(path: list[x509.Certificate], now: datetime, purpose: Purpose, *, future: bool) -> None:
    leaf = path[0]
    below = 0
    """Authorities under the one that is looked at, those left out that renew themselves (self-issued)."""
    for certificate in path[1:]:
        _check_issuer(certificate, below, purpose, anchor=certificate is path[-1])
        below += certificate.subject != certificate.issuer
    for certificate in path:
        _check_each(certificate, now, later=future and certificate is leaf)
    _check_leaf(leaf, purpose)


def _check_each(certificate: x509.Certificate, now: datetime, *, later: bool = False) -> None:
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise SecurityError(f"{_name(certificate)} demands {extension.oid.dotted_string}, which is not known here")
    if not (later and now <= certificate.not_valid_after_utc) and not current(certificate, now):
        raise SecurityError(period(certificate))
    check_strength(certificate)


def _check_issuer(certificate: x509.Certificate, below: int, purpose: Purpose, *, anchor: bool = True) -> None:
    """That it may sign the one below it. Version 1, which knows no extensions, is good for an installed root only."""
    if not is_authority(certificate) or (certificate.version is x509.Version.v1 and not anchor):
        raise SecurityError(f"{_name(certificate)} may not sign certificates")
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        raise SecurityError(f"{_name(certificate)} may not sign certificates: its key is for something else")
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is not None and constraints.path_length is not None and below > constraints.path_length:
        raise SecurityError(
            f"{_name(certificate)} may have {constraints.path_length} authorities below it, not {below}"
        )
    _check_purpose(certificate, purpose)


def _check_leaf(certificate: x509.Certificate, purpose: Purpose) -> None:
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        raise SecurityError(f"the key of {_name(certificate)} is not for signatures")
    _check_purpose(certificate, purpose)


def _check_purpose(certificate: x509.Certificate, purpose: Purpose) -> None:
    usage = _extension(certificate, x509.ExtendedKeyUsage)
    if usage is None or purpose.value is None:
        return
    if purpose.value not in usage and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE not in usage:
        raise SecurityError(f"{_name(certificate)} is not for this purpose ({purpose.name.lower()})")


def _extension(certificate: x509.Certificate, kind: type[T]) -> T | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


@contextmanager
def _readable() -> Iterator[None]:
    """What cannot be read does not hold: extensions that are broken or there twice, keys and algorithms of no known kind."""
    try:
        yield
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise SecurityError(f"a certificate cannot be read: {error}") from error
