"""What a connection is to OCPP-J: something that takes frames and gives messages until it breaks."""

from typing import NamedTuple, Protocol


class Received(NamedTuple):
    """One WebSocket message; OCPP-J uses text frames only."""

    data: bytes
    text: bool


class Link(Protocol):
    """A connection that is open. Both methods raise ConnectionError once it is not."""

    async def send(self, frame: bytes) -> None:
        """Send a text frame."""

    async def receive(self) -> Received:
        """The next message of the peer."""
