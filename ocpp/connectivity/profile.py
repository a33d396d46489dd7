"""A network connection profile: where the CSMS is, and how it is talked to."""

from urllib.parse import quote

import msgspec

from ocpp.errors import ConfigurationError
from ocpp.versions import OcppVersion

MAX_IDENTITY_LENGTH = 48
"""OCPP-J 2.x section 3.1.1."""

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
        return f"NetworkProfile(slot={self.slot}, url={self.url!r}, version={self.version.value!r})"

    @property
    def versions(self) -> tuple[OcppVersion, ...]:
        """What the handshake offers, best first; default: the expected version and those of the same major."""
        if self.offer:
            return self.offer
        same_major = [version for version in reversed(OcppVersion) if version.major == self.version.major]
        return tuple(same_major)

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.url.lower().startswith("wss://")

    def connection_url(self, identity: str) -> str:
        """The connection URL: the endpoint URL with the percent-encoded identity behind it (OCPP-J section 3.1.1)."""
        return f"{self.url.rstrip('/')}/{quote(self.identity or identity, safe='')}"

    def check(self) -> None:
        """ConfigurationError when URL and security profile contradict each other, or a part is missing."""
        if not self.url.lower().startswith(("ws://", "wss://")):
            raise ConfigurationError(f"network slot {self.slot}: url {self.url!r} must begin with ws:// or wss://")
        if self.security_profile >= TLS_BASIC and not self.secure:
            raise ConfigurationError(
                f"network slot {self.slot}: security profile {self.security_profile} needs a wss:// url, "
                f"not {self.url!r}"
            )
        if self.security_profile in (BASIC, TLS_BASIC) and not self.password:
            raise ConfigurationError(
                f"network slot {self.slot}: security profile {self.security_profile} needs a password"
            )
