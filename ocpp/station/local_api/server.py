"""A small HTTP/1.1 server on asyncio, with h11 doing the protocol; bounded everywhere."""

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import parse_qs, unquote, urlsplit

import h11
import msgspec
import orjson

MAX_BODY_BYTES = 256 * 1024
MAX_CONNECTIONS = 64
IDLE_TIMEOUT_S = 60.0
"""A connection that sends nothing for so long is closed."""

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
    """Listens, speaks HTTP, hands requests over."""

    def __init__(self, dispatch: Dispatch, *, token: str | None = None) -> None:
        self._dispatch = dispatch
        self._token = token
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 picks one. OSError when the address is taken."""
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
                await self._serve(h11.Connection(h11.SERVER), reader, writer)
        except (ConnectionError, TimeoutError, h11.RemoteProtocolError, asyncio.CancelledError):
            log.debug("a client of the local API went away")
        finally:
            writer.close()

    async def _serve(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            request, response = await self._read(connection, reader)
            if request is None and response is None:
                return
            if response is None:
                assert request is not None
                response = await self._respond(request)
            await self._write(connection, writer, response)
            if connection.our_state is h11.MUST_CLOSE or response.stream is not None:
                return
            connection.start_next_cycle()

    async def _read(
        self, connection: h11.Connection, reader: asyncio.StreamReader
    ) -> tuple[Request | None, Response | None]:
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                data = await asyncio.wait_for(reader.read(65536), IDLE_TIMEOUT_S)
                connection.receive_data(data)
            elif isinstance(event, h11.Request):
                head = event
                refusal = self._refusal(event)
                if refusal is not None:
                    return None, refusal
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY_BYTES:
                    return None, error(413, f"the body may have at most {MAX_BODY_BYTES} bytes")
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                return _request(head, bytes(body)), None
            else:
                return None, None

    def _refusal(self, head: h11.Request) -> Response | None:
        if not self._token:
            return None
        given = dict(head.headers).get(b"authorization", b"").decode("latin-1")
        if hmac.compare_digest(given, f"Bearer {self._token}"):
            return None
        return error(401, "this API needs the header Authorization: Bearer <token>, see local_api.token")

    async def _respond(self, request: Request) -> Response:
        try:
            return await self._dispatch(request)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return error(500, "the station has an internal problem; see its log")

    async def _write(self, connection: h11.Connection, writer: asyncio.StreamWriter, response: Response) -> None:
        headers = [("Content-Type", response.content_type), ("Cache-Control", "no-store")]
        if response.stream is None:
            body = response.encoded()
            headers.append(("Content-Length", str(len(body))))
            self._send(connection, writer, h11.Response(status_code=response.status, headers=headers))
            self._send(connection, writer, h11.Data(data=body))
            self._send(connection, writer, h11.EndOfMessage())
            await writer.drain()
            return
        headers.append(("Connection", "close"))
        self._send(connection, writer, h11.Response(status_code=response.status, headers=headers))
        async for chunk in response.stream:
            self._send(connection, writer, h11.Data(data=chunk))
            await writer.drain()

    @staticmethod
    def _send(connection: h11.Connection, writer: asyncio.StreamWriter, event: h11.Event) -> None:
        data = connection.send(event)
        if data:
            writer.write(data)


def _request(head: h11.Request, body: bytes) -> Request:
    parts = urlsplit(head.target.decode("latin-1"))
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return Request(head.method.decode(), unquote(parts.path), query, body)
