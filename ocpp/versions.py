"""The protocol versions a charging station can speak."""

from enum import StrEnum


class OcppVersion(StrEnum):
    """An OCPP-J version, written as the station file and NetworkConnectionProfile write it."""

    V16 = "1.6"
    V201 = "2.0.1"
    V21 = "2.1"

    @property
    def subprotocol(self) -> str:
        """The WebSocket subprotocol name (OCPP-J section 3: "ocpp1.6", "ocpp2.0.1", "ocpp2.1")."""
        return f"ocpp{self.value}"

    @property
    def major(self) -> int:
        """1 or 2. A station that was accepted with one major version keeps it until it is reconfigured."""
        return 1 if self is OcppVersion.V16 else 2

    @classmethod
    def from_subprotocol(cls, name: str) -> "OcppVersion":
        """The version behind a subprotocol name; ValueError for any other name."""
        for version in cls:
            if version.subprotocol == name:
                return version
        allowed = ", ".join(version.subprotocol for version in cls)
        raise ValueError(f"unknown WebSocket subprotocol {name!r}; known are {allowed}")
