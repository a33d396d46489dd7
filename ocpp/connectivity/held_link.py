"""A connection that is open before the station is complete: it may send, and reads nothing until then."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine
    from typing import Any

    from ocpp.connectivity.manager import SupervisedLink
    from ocpp.rpc.endpoint import Received


class HeldLink:
    """Hands everything to `link`, but receives only once `complete` is set; `sent` hears of the first frame that is out.

    What the CSMS sends meanwhile waits where the transport keeps it, which bounds it.
    """

    send: Callable[[bytes], Coroutine[Any, Any, None]]
    receive: Callable[[], Coroutine[Any, Any, Received]]

    def __init__(self, link: SupervisedLink, complete: asyncio.Event, sent: Callable[[], None]) -> None:
        self._link = link
        self._complete = complete
        self._sent = sent
        self.version = link.version
        self.send, self.receive = self._send_first, self._receive_first

    async def _send_first(self, frame: bytes) -> None:
        await self._link.send(frame)
        self.send = self._link.send
        self._sent()

    async def _receive_first(self) -> Received:
        await self._complete.wait()
        self.receive = self._link.receive
        return await self._link.receive()
