"""Id tokens, and what is known about their right to charge."""

from datetime import datetime
from enum import StrEnum

import msgspec

from ocpp.versions import OcppVersion

LONGEST_TOKEN = {OcppVersion.V16: 20, OcppVersion.V201: 36, OcppVersion.V21: 255}
"""Characters of an id token that the messages of each version carry (CiString20Type; IdTokenType.idToken)."""

NO_AUTHORIZATION = "NoAuthorization"
CENTRAL = "Central"
ISO14443 = "ISO14443"
EMAID = "eMAID"
"""The account of a contract (C07)."""

UNTYPED = ""
"""A token whose type nobody told, as all of 1.6: it may be of any type."""

UNQUESTIONED_TYPES = frozenset({NO_AUTHORIZATION, CENTRAL})
"""They identify no driver: the CSMS is not asked about them (C03.FR.01, C05.FR.01), what it says is not cached (C02.FR.03,
C03.FR.02, C05.FR.02)."""


class IdToken(msgspec.Struct, frozen=True, kw_only=False):
    """What a driver identifies with; the value is compared without regard to case (identifierString, CiString)."""

    value: str
    type: str = ISO14443

    @property
    def key(self) -> tuple[str, str]:
        """What stores know it by."""
        return self.value, self.type

    def matches(self, other: "IdToken | None") -> bool:
        """Whether both are the same token: value and type are the same (C01.FR.25), where the types are known."""
        if other is None or self.value.casefold() != other.value.casefold():
            return False
        types = {self.type.casefold(), other.type.casefold()}
        return len(types) == 1 or UNTYPED in types


class AuthorizationStatus(StrEnum):
    """Whether a token may charge, and why not. The union of the enumerations of all versions."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    CONCURRENT_TX = "ConcurrentTx"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    NO_CREDIT = "NoCredit"
    NOT_ALLOWED_TYPE_EVSE = "NotAllowedTypeEVSE"
    NOT_AT_THIS_LOCATION = "NotAtThisLocation"
    NOT_AT_THIS_TIME = "NotAtThisTime"
    UNKNOWN = "Unknown"


class AuthorizationInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a CSMS said about a token (idTagInfo, idTokenInfo).

    `expiry` is the end of the information (1.6 expiryDate, 2.x cacheExpiryDateTime); `evse_ids` limits it to some
    EVSEs, empty means all.
    """

    status: AuthorizationStatus
    group: IdToken | None = None
    expiry: datetime | None = None
    evse_ids: tuple[int, ...] = ()
    languages: tuple[str, ...] = ()
    """What the driver reads, best first (language1, language2)."""
    priority: int = 0
    """chargingPriority, -9 (the least) to 9."""

    @property
    def accepted(self) -> bool:
        """Whether the token may charge."""
        return self.status is AuthorizationStatus.ACCEPTED

    def allows(self, evse_id: int | None) -> bool:
        """Whether it may charge on that EVSE (C01.FR.21)."""
        return self.accepted and (evse_id is None or not self.evse_ids or evse_id in self.evse_ids)


def same_authority(token: IdToken, group: IdToken | None, other: IdToken, other_group: IdToken | None) -> bool:
    """Whether two tokens may act for each other: the same token, or the same (known) group."""
    return token.matches(other) or (group is not None and group.matches(other_group))
