"""`pilotwire cert doctor`: why a TLS connection to the configured CSMS fails, or will fail, in plain words.

Looks at clock, certificates and every network profile, and shakes hands with each CSMS; it never sends an OCPP message
or a password, so that a running station keeps its connection.
"""

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

import msgspec
from cryptography import x509

from ocpp.clock import SystemClock
from ocpp.connectivity import NetworkProfile
from ocpp.connectivity.profile import TLS_CLIENT_CERTIFICATE
from ocpp.connectivity.secure_links import SecureLinks
from ocpp.errors import ConnectError, SecurityError, TlsFailure
from ocpp.security import certificates, tls
from ocpp.security.certificate_folder import Kind
from ocpp.station.cert.installed import Installed, installed
from ocpp.station.cert.listing import PURPOSES, SOON_DAYS
from ocpp.station.configuration import Configuration

SANE_SINCE = datetime(2025, 1, 1, tzinfo=UTC)
"""A clock before this was never set: no certificate will be valid."""

STEP_TIMEOUT_S = 10.0
REFUSAL_WAIT_S = 1.0
"""TLS 1.3 refuses a client certificate after the handshake; a CSMS that says nothing for so long has taken it."""


class Level(StrEnum):
    """How bad a finding is."""

    FINE = "ok"
    WARNING = "warning"
    PROBLEM = "PROBLEM"


class Finding(msgspec.Struct, frozen=True):
    """Something the doctor saw; `hint` says what to do about it."""

    level: Level
    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"  {self.level:8} {self.text}" + (f"\n           -> {self.hint}" if self.hint else "")


def print_findings(configuration: Configuration) -> int:
    """Print everything found; 1 when there is a problem."""
    problems = 0
    for heading, findings in examine(configuration, datetime.now(UTC)):
        print(heading)
        for finding in findings:
            problems += finding.level is Level.PROBLEM
            print(finding)
    print(f"{problems} problem(s) found." if problems else "No problem found.")
    return 1 if problems else 0


def examine(configuration: Configuration, now: datetime) -> Iterator[tuple[str, list[Finding]]]:
    """Headings and findings, one subject after the other."""
    with installed(configuration) as found:
        yield "Clock", [check_clock(now)]
        yield "Certificates", list(check_store(found, now))
        for profile in found.profiles:
            heading = f"Slot {profile.slot}: {profile.url} (OCPP {profile.version}, security profile"
            yield f"{heading} {profile.security_profile})", list(check_profile(configuration, found, profile, now))


def check_clock(now: datetime) -> Finding:
    """Whether validity periods can be judged at all."""
    if now < SANE_SINCE:
        text = f"the clock says {now:%Y-%m-%d %H:%M} UTC and was never set: every certificate seems not valid yet"
        return Finding(Level.PROBLEM, text, "set it by NTP or an RTC, or connect once with a profile without TLS")
    return Finding(Level.FINE, f"{now:%Y-%m-%d %H:%M:%S} UTC")


def check_store(found: Installed, now: datetime) -> Iterator[Finding]:
    """Dates, strength and keys of what is installed."""
    if not found.folder.has(*Kind):
        yield Finding(Level.FINE, "none are installed; the CSMS is verified with the roots of the operating system")
        return
    for stored in found.folder.store.all():
        certificate, name = (
            stored.certificate,
            f"{PURPOSES[stored.kind]}: {stored.certificate.subject.rfc4514_string()}",
        )
        end = certificate.not_valid_after_utc
        if not stored.kind.root and found.folder.store.key_file(stored) is None:
            yield Finding(Level.PROBLEM, f"{name}: its private key is missing", "have a new certificate signed")
        elif certificate.not_valid_before_utc > now:
            yield Finding(Level.WARNING, f"{name}: valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} on")
        elif end < now:
            yield Finding(Level.PROBLEM, f"{name}: expired on {end:%Y-%m-%d}", "install its successor")
        elif end - now < timedelta(days=SOON_DAYS):
            yield Finding(Level.WARNING, f"{name}: ends on {end:%Y-%m-%d}", "renew it now")
        else:
            yield from _strength(name, certificate, end)


def _strength(name: str, certificate: x509.Certificate, end: datetime) -> Iterator[Finding]:
    try:
        certificates.check_strength(certificate)
        yield Finding(Level.FINE, f"{name}: until {end:%Y-%m-%d}")
    except SecurityError as error:
        yield Finding(Level.PROBLEM, f"{name}: {error}", "have a stronger one made")


# -- a network profile ------------------------------------------------------------------------------------------------


def check_profile(
    configuration: Configuration, found: Installed, profile: NetworkProfile, now: datetime
) -> Iterator[Finding]:
    """What can be said about a profile before and by shaking hands."""
    if not profile.secure:
        yield Finding(Level.WARNING, "no TLS: everything, a password too, travels in clear text; trusted networks only")
        yield from asyncio.run(reach(profile))
        return
    if profile.security_profile == TLS_CLIENT_CERTIFICATE:
        yield from check_own(configuration, found, now)
    if not found.folder.has(Kind.CSMS_ROOT):
        yield Finding(Level.WARNING, "no root of the CSMS is installed: those of the operating system are trusted")
    if not profile.verify_hostname:
        yield Finding(Level.WARNING, "the host name in the CSMS's certificate is not checked (verify_hostname)")
    yield from asyncio.run(shake_hands(found, profile, now))


def check_own(configuration: Configuration, found: Installed, now: datetime) -> Iterator[Finding]:
    """Whether there is a certificate to show (security profile 3)."""
    usable = found.folder.store.newest(Kind.STATION, now) if found.folder.has(Kind.STATION) else []
    if not usable:
        yield Finding(
            Level.PROBLEM,
            "security profile 3 needs a certificate of the station that is valid now, with its private key",
            "name one under [certificates] station, or let the CSMS sign one over security profile 2",
        )
        return
    name = certificates.common_name(usable[0].certificate)
    wanted = configuration.station["serial_number"] or configuration.station["id"]
    if name == wanted:
        yield Finding(Level.FINE, f"the certificate of {name} is shown, signed by {_signer(usable[0].certificate)}")
    else:
        text = f"the certificate shown is that of {name!r}, the station is {wanted!r}"
        yield Finding(Level.WARNING, text, "a CSMS may compare the name with the serial number (A00.FR.511)")


async def reach(profile: NetworkProfile) -> list[Finding]:
    """Name and port, without TLS."""
    try:
        await _connect(profile, None)
    except ConnectError as error:
        return [Finding(Level.PROBLEM, *_words(error))]
    return [Finding(Level.FINE, "the CSMS's port answers")]


async def shake_hands(found: Installed, profile: NetworkProfile, now: datetime) -> list[Finding]:
    """Name, port, then TLS as the station would."""
    try:
        context = SecureLinks(found.folder, SystemClock()).context_for(profile)
        secure = await _connect(profile, context)
    except TlsFailure as error:
        seen = await _shown(profile)
        return [Finding(Level.PROBLEM, *_words(error)), *seen]
    except ConnectError as error:
        return [Finding(Level.PROBLEM, *_words(error))]
    return list(_judge(secure, now)) if secure is not None else []


def _judge(secure: ssl.SSLObject, now: datetime) -> Iterator[Finding]:
    suite = secure.cipher()
    yield Finding(Level.FINE, f"the handshake succeeds: {secure.version()}, {suite[0] if suite else '?'}")
    leaf = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")
    end = leaf.not_valid_after_utc
    soon = end - now < timedelta(days=SOON_DAYS)
    text = f"the CSMS's certificate {leaf.subject.rfc4514_string()}, signed by {_signer(leaf)}, ends on {end:%Y-%m-%d}"
    yield Finding(Level.WARNING if soon else Level.FINE, text, "let the CSMS renew it" if soon else "")
    root = tls.verified_root(secure)
    if root is not None:
        top = x509.load_der_x509_certificate(root)
        yield Finding(Level.FINE, f"it leads to the root {top.subject.rfc4514_string()}")


async def _shown(profile: NetworkProfile) -> list[Finding]:
    """What the CSMS shows, looked at without trusting it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        secure = await _connect(profile, context, patient=False)
    except ConnectError:
        return []
    if secure is None:
        return []
    leaf = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")
    period = f"{leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d}"
    names = ", ".join(_host_names(leaf)) or "no host names"
    return [
        Finding(
            Level.WARNING,
            f"the CSMS shows {leaf.subject.rfc4514_string()}, signed by {_signer(leaf)}, valid from {period}, for {names}",
        )
    ]


def _host_names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(each.value) for each in names]


def _signer(certificate: x509.Certificate) -> str:
    return "itself" if certificate.subject == certificate.issuer else certificate.issuer.rfc4514_string()


def _words(error: ConnectError) -> tuple[str, str]:
    text = str(error)
    return text.removesuffix(f" ({error.hint})") if error.hint else text, error.hint


async def _connect(
    profile: NetworkProfile, context: ssl.SSLContext | None, *, patient: bool = True
) -> ssl.SSLObject | None:
    """Connect and hang up; gives what TLS agreed upon. Raises ConnectError in the words of the station's own log."""
    from ocpp.connectivity.websocket import explained

    address = urlsplit(profile.url)
    port = address.port or (443 if profile.secure else 80)
    try:
        async with asyncio.timeout(STEP_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(address.hostname, port, ssl=context)
        try:
            if context is not None and patient:
                await _await_refusal(reader)
            secure: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
            return secure
        finally:
            writer.transport.abort()
    except (OSError, TimeoutError) as error:
        raise explained(error, profile.url) from error


async def _await_refusal(reader: asyncio.StreamReader) -> None:
    try:
        async with asyncio.timeout(REFUSAL_WAIT_S):
            gone = await reader.read(1) == b""
    except TimeoutError:
        return
    if gone:
        raise tls.hung_up()
