"""The local API of a program: there soon after the start, and again and again where its port is taken."""

import asyncio
import logging
import os
from typing import TYPE_CHECKING

from ocpp.clock import Clock
from ocpp.station.local_api.server import LocalApiServer, Request, Response

if TYPE_CHECKING:
    from ocpp.station.local_api.routes import Routes
    from ocpp.station.program import Program

RETRY_S = 5.0
"""How often a port that is taken, or an address that is not there yet, is tried again."""

log = logging.getLogger(__name__)


class Listening:
    """Listens from `start` to `stop`; the station goes on whether it can or not."""

    def __init__(self, program: "Program", listen: str, token: str | None, clock: Clock) -> None:
        self._program = program
        self._listen = listen
        self._clock = clock
        self._server = LocalApiServer(self._dispatch, token=token)
        self._routes: Routes | None = None
        self._task: asyncio.Task[None] | None = None
        self._told = ""

    async def start(self) -> None:
        """Listen, or begin to try again."""
        if not await self._try():
            self._task = asyncio.ensure_future(self._keep_trying())

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._task is not None:
            self._task.cancel()
        await self._server.stop()
        self._program.api_port = None

    async def _keep_trying(self) -> None:
        while True:
            await self._clock.sleep(RETRY_S)
            if await self._try():
                return

    async def _try(self) -> bool:
        host, _, port = self._listen.rpartition(":")
        try:
            await self._server.start(host, int(port))
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno is not None and error.errno > 0 else str(error)
            if reason != self._told:
                self._told = reason
                log.error(
                    'local_api.listen = "%s": cannot be listened on: %s; tried again every %g s',
                    self._listen,
                    reason,
                    RETRY_S,
                )
            return False
        self._program.api_port = self._server.port
        log.info("local API at http://%s:%d/api/status", host, self._server.port)
        return True

    async def _dispatch(self, request: Request) -> Response:
        """The station is made whole by the first who asks."""
        await self._program.at_work()
        if self._routes is None:
            from ocpp.station.local_api.routes import Routes

            self._routes = Routes(self._program)
        return await self._routes.dispatch(request)
