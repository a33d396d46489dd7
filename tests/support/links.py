"""A CSMS without a network: links that tests open, feed and break."""

import asyncio
from collections.abc import Sequence

from ocpp.errors import ConnectError
from ocpp.rpc.endpoint import Received
from ocpp.versions import OcppVersion


class FakeLink:
    """An open connection in the hands of a test."""

    def __init__(self, version: OcppVersion = OcppVersion.V201) -> None:
        self.version = version
        self.sent: list[bytes] = []
        self.incoming: asyncio.Queue[Received | None] = asyncio.Queue()
        self.closed: tuple[int, str] | None = None
        self.aborted = False
        self.answers_pings = True
        self.pings = 0

    async def send(self, frame: bytes) -> None:
        if self.gone:
            raise ConnectionError("gone")
        self.sent.append(frame)

    async def receive(self) -> Received:
        received = await self.incoming.get()
        if received is None:
            raise ConnectionError("gone")
        return received

    async def ping(self) -> None:
        self.pings += 1
        if not self.answers_pings:
            await asyncio.Event().wait()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed = (code, reason)
        self.incoming.put_nowait(None)

    def abort(self) -> None:
        self.aborted = True
        self.incoming.put_nowait(None)

    def feed(self, frame: bytes | str, *, text: bool = True) -> None:
        data = frame.encode() if isinstance(frame, str) else frame
        self.incoming.put_nowait(Received(data, text))

    def drop(self) -> None:
        self.incoming.put_nowait(None)

    @property
    def gone(self) -> bool:
        return self.aborted or self.closed is not None


class FakeNetwork:
    """Answers connection attempts from a script: a version to accept, or an exception to raise."""

    def __init__(self, *outcomes: OcppVersion | Exception) -> None:
        self.outcomes = list(outcomes)
        self.attempts: list[tuple[int, tuple[OcppVersion, ...]]] = []
        self.links: list[FakeLink] = []

    async def open(self, profile, identity: str, versions: Sequence[OcppVersion]) -> FakeLink:
        self.attempts.append((profile.slot, tuple(versions)))
        outcome = self.outcomes.pop(0) if self.outcomes else ConnectError("connection refused")
        if isinstance(outcome, Exception):
            raise outcome
        link = FakeLink(outcome)
        self.links.append(link)
        return link
