"""A network connection profile: where the CSMS is, and how it is talked to."""

import msgspec

from ocpp.connectivity import address
from ocpp.errors import ConfigurationError
from ocpp.versions import OcppVersion

MAX_IDENTITY_LENGTH = 48
"""OCPP-J 2.x section 3.1.1."""

MIN_MESSAGE_TIMEOUT_S, MAX_MESSAGE_TIMEOUT_S = 1, 3600
"""Below, no answer could ever be in time; beyond, one message that is lost would hold everything up for hours."""

MAX_SHOWN_URL = 200
"""Characters of a URL in a message about it."""

PLAIN, BASIC, TLS_BASIC, TLS_CLIENT_CERTIFICATE = 0, 1, 2, 3
"""Security profiles; 0 has no authentication at all and is for tests on one machine."""


class NetworkProfile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One configuration slot (NetworkConnectionProfileType, and what the station file adds to it).

    `version` is the one expected; `offer` are those offered in the handshake, best first. Files are PEM.
    """

    slot: int
    url: str
    version: OcppVersion
    offer: tuple[OcppVersion, ...] = ()
    security_profile: int = BASIC
    password: str | None = None
    interface: str = "Wired0"
    message_timeout_s: int = 30
    identity: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    key_password: str | None = None
    verify_hostname: bool = True

    def __repr__(self) -> str:
        """Without the secrets: this may end up in a log."""
        return f"NetworkProfile(slot={self.slot}, url={self.shown_url!r}, version={self.version.value!r})"

    @property
    def versions(self) -> tuple[OcppVersion, ...]:
        """What the handshake offers, best first; default: the expected version and those of the same major."""
        if self.offer:
            return self.offer
        same_major = [version for version in reversed(OcppVersion) if version.major == self.version.major]
        return tuple(same_major)

    @property
    def timeout_s(self) -> float:
        """How long an answer is waited for; a stored value that makes no sense is the nearest that does."""
        return float(min(max(self.message_timeout_s, MIN_MESSAGE_TIMEOUT_S), MAX_MESSAGE_TIMEOUT_S))

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.url.lower().startswith("wss://")

    def connection_url(self, identity: str) -> str:
        """The connection URL: the endpoint URL with the percent-encoded identity in it (OCPP-J section 3.1.1)."""
        return address.for_station(self.url, self.identity or identity)

    @property
    def shown_url(self) -> str:
        """For logs: without a query, which may hold a secret."""
        return address.shown(self.url)

    def check(self) -> None:
        """ConfigurationError when no attempt with it could succeed: no URL, a URL that contradicts the security profile, or
        no password.
        """
        defect = address.defect(self.url)
        if defect:
            raise ConfigurationError(f"network slot {self.slot}: url {self.shown_url[:MAX_SHOWN_URL]!r} {defect}")
        if self.security_profile >= TLS_BASIC and not self.secure:
            raise ConfigurationError(
                f"network slot {self.slot}: security profile {self.security_profile} needs a wss:// url, "
                f"not {self.shown_url[:MAX_SHOWN_URL]!r}"
            )
        if self.security_profile in (BASIC, TLS_BASIC) and not self.password:
            raise ConfigurationError(
                f"network slot {self.slot}: security profile {self.security_profile} needs a password"
            )
