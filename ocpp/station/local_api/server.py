"""A small HTTP/1.1 server on asyncio, with h11 doing the protocol; bounded everywhere."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import parse_qs, unquote, urlsplit

import h11
import msgspec
import orjson

from ocpp.station.local_api.origins import Origins

MAX_BODY_BYTES = 256 * 1024
MAX_CONNECTIONS = 64
IDLE_TIMEOUT_S = 60.0
"""A connection that has sent no whole request for so long is closed."""

REST_BYTES, REST_S = 1024 * 1024, 2.0
"""What is read, and for how long, of a request that was refused before its end: a connection that is closed with something
unread in it takes the answer along."""

STOP_TIMEOUT_S = 1.0

log = logging.getLogger(__name__)


class Request(msgspec.Struct, frozen=True):
    """What a client asks for. `query` holds the last value of each parameter."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes


class Response(msgspec.Struct, frozen=True):
    """An answer: JSON by default, or a stream of server-sent events."""

    status: int = 200
    body: object = None
    content_type: str = "application/json"
    stream: AsyncIterator[bytes] | None = msgspec.field(default=None)

    def encoded(self) -> bytes:
        """The body's bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return orjson.dumps(self.body, default=float, option=orjson.OPT_APPEND_NEWLINE)


def error(status: int, text: str) -> Response:
    """An error in the form every error has."""
    return Response(status, {"error": text})


Dispatch = Callable[[Request], Awaitable[Response]]


class LocalApiServer:
    """Listens, and hands every connection to a `_Client`."""

    def __init__(self, dispatch: Dispatch, *, token: str | None = None) -> None:
        self._dispatch = dispatch
        self._token = token
        self._origins = Origins("localhost", token)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 picks one. OSError when the address is taken."""
        self._origins = Origins(host, self._token)
        self._server = await asyncio.start_server(self._accept, host.strip("[]"), port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the socket and every connection."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_TIMEOUT_S)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            if len(self._tasks) <= MAX_CONNECTIONS:
                await _Client(self._dispatch, self._origins, reader, writer).serve()
        except (OSError, TimeoutError, h11.ProtocolError, asyncio.CancelledError) as error:
            log.debug("a client of the local API went away: %r", error)
        finally:
            writer.close()


class _Client:
    """One connection, which speaks HTTP."""

    def __init__(
        self, dispatch: Dispatch, origins: Origins, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._dispatch = dispatch
        self._origins = origins
        self._reader = reader
        self._writer = writer
        self._connection = h11.Connection(h11.SERVER)
        self._method = ""

    async def serve(self) -> None:
        """Answer requests until the connection ends. Raises what a connection ends with."""
        connection = self._connection
        while True:
            self._method = ""
            try:
                async with asyncio.timeout(IDLE_TIMEOUT_S):
                    request = await self._read()
            except h11.RemoteProtocolError as wrong:
                if connection.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
                    return
                request = error(wrong.error_status_hint or 400, f"this is no HTTP that is understood here: {wrong}")
            if request is None:
                return
            await self._write(await self._respond(request) if isinstance(request, Request) else request)
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                await self._read_rest()
                return
            connection.start_next_cycle()

    async def _read(self) -> Request | Response | None:
        """A request, or the answer to one that is refused before its end; None at the end of the connection."""
        connection = self._connection
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                if connection.they_are_waiting_for_100_continue:
                    self._send(h11.InformationalResponse(status_code=100, headers=[]))
                connection.receive_data(await self._reader.read(65536))
            elif isinstance(event, h11.Request):
                head = event
                self._method = event.method.decode("latin-1")
                refusal = self._origins.refusal(self._method, event.headers)
                if refusal is not None:
                    return error(*refusal)
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY_BYTES:
                    return error(413, f"the body may have at most {MAX_BODY_BYTES} bytes")
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                return _request(self._method, head.target.decode("latin-1"), bytes(body))
            else:
                return None

    async def _read_rest(self) -> None:
        if self._connection.their_state in (h11.DONE, h11.CLOSED):
            return
        if self._writer.can_write_eof():
            self._writer.write_eof()
        left = REST_BYTES
        try:
            async with asyncio.timeout(REST_S):
                while left > 0 and (rest := await self._reader.read(65536)):
                    left -= len(rest)
        except TimeoutError:
            return

    async def _respond(self, request: Request) -> Response:
        """HEAD is answered like GET, without the body (`_write`) and without a stream."""
        try:
            heads = request.method == "HEAD"
            response = await self._dispatch(Request("GET", request.path, request.query, b"") if heads else request)
            if response.stream is None:
                return Response(response.status, response.encoded(), response.content_type)
            return Response(response.status, b"", response.content_type) if heads else response
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return error(500, "the station has an internal problem; see its log")

    async def _write(self, response: Response) -> None:
        headers = [("Content-Type", response.content_type), ("Cache-Control", "no-store")]
        if response.stream is None:
            body = response.encoded()
            headers.append(("Content-Length", str(len(body))))
            if self._connection.their_state is not h11.DONE:
                headers.append(("Connection", "close"))
            self._send(h11.Response(status_code=response.status, headers=headers))
            if self._method != "HEAD":
                self._send(h11.Data(data=body))
            self._send(h11.EndOfMessage())
            await self._writer.drain()
            return
        headers.append(("Connection", "close"))
        self._send(h11.Response(status_code=response.status, headers=headers))
        async for chunk in response.stream:
            self._send(h11.Data(data=chunk))
            await self._writer.drain()

    def _send(self, event: h11.Event) -> None:
        data = self._connection.send(event)
        if data:
            self._writer.write(data)


def _request(method: str, target: str, body: bytes) -> Request | Response:
    try:
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    except ValueError as wrong:
        return error(400, f"the address that was asked for is none: {wrong}")
    return Request(method, unquote(parts.path), query, body)
