"""The WebSocket side of the development CSMS: a connection, an endpoint and a memory for each station."""

import asyncio
import logging
import ssl
import uuid
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import unquote

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from ocpp.clock import Clock, SystemClock
from ocpp.csms.behaviour import Behaviour
from ocpp.errors import CallError
from ocpp.messages import Catalogue, catalogue
from ocpp.rpc.endpoint import Endpoint, Received
from ocpp.rpc.permission import BootState
from ocpp.versions import OcppVersion

MAX_MESSAGES = 10_000
"""Frames remembered of each station."""

MAX_STATIONS = 1000
MAX_FRAME_BYTES = 12 * 1024 * 1024
CALL_TIMEOUT_S = 30.0

log = logging.getLogger(__name__)

Watcher = Callable[[str, bool, bytes], None]
"""Is told station, direction (True: from the CSMS) and frame."""


class _ServerLink:
    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def send(self, frame: bytes) -> None:
        try:
            await self._connection.send(frame, text=True)
        except ConnectionClosed as closed:
            raise ConnectionError("the station has gone") from closed

    async def receive(self) -> Received:
        try:
            data = await self._connection.recv()
        except ConnectionClosed as closed:
            raise ConnectionError("the station has gone") from closed
        return Received(data.encode(), True) if isinstance(data, str) else Received(data, False)


class StationSide:
    """What the CSMS knows of one station."""

    def __init__(self, station_id: str, behaviour: Behaviour, clock: Clock, watcher: Watcher) -> None:
        self.id = station_id
        self.version: OcppVersion | None = None
        self.connections = 0
        self.connection: ServerConnection | None = None
        self.messages: deque[dict[str, Any]] = deque(maxlen=MAX_MESSAGES)
        self._count = 0
        self._behaviour = behaviour
        self._clock = clock
        self._watcher = watcher
        self._scripted: dict[str, deque[Any]] = {}
        self.endpoint: Endpoint | None = None

    def script(self, action: str, payload: dict[str, Any], times: int = 1) -> None:
        """Answer the next calls of `action` with `payload`; PayloadError-free only if the version's schema takes it."""
        if self.version is not None:
            self._typed_response(catalogue(self.version), action, payload)
        self._scripted.setdefault(action, deque()).extend([payload] * times)

    async def call(self, action: str, payload: dict[str, Any]) -> Any:
        """Send a call and give the answer as plain objects; raises RpcError, KeyError, ValueError."""
        if self.endpoint is None or self.version is None:
            raise ConnectionError(f"station {self.id} is not connected")
        messages = catalogue(self.version)
        if action not in messages.actions:
            raise KeyError(f"OCPP {self.version} has no action {action}")
        request = messages.decode_request(action, msgspec.json.encode(payload))
        return messages.to_builtins(await self.endpoint.call(request))

    async def serve(self, connection: ServerConnection, version: OcppVersion) -> None:
        """Talk to the station until it goes."""
        if self.connection is not None:
            await self.connection.close(1000, "the station has connected again")
        messages = catalogue(version)
        endpoint = Endpoint(
            self._clock,
            message_timeout=lambda: CALL_TIMEOUT_S,
            new_id=lambda: uuid.uuid4().hex,
            on_frame=self._record,
        )
        endpoint.boot_state = BootState.ACCEPTED
        for action in messages.actions:
            endpoint.register(action, partial(self._answer, messages, action))
        self.version, self.connection, self.endpoint = version, connection, endpoint
        self.connections += 1
        try:
            await endpoint.attend(_ServerLink(connection), messages)
        finally:
            await endpoint.close()
            if self.connection is connection:
                self.connection = self.endpoint = None

    def _record(self, sent: bool, frame: bytes) -> None:
        self._count += 1
        self.messages.append(
            {"n": self._count, "from": "csms" if sent else "station", "frame": frame.decode("utf-8", "replace")}
        )
        self._watcher(self.id, sent, frame)

    def _answer(self, messages: Catalogue, action: str, request: msgspec.Struct) -> Any:
        scripted = self._scripted.get(action)
        if scripted:
            payload = scripted.popleft()
        else:
            payload = self._behaviour.answer(messages.version, action, messages.to_builtins(request))
        if isinstance(payload, dict) and set(payload) == {"error"}:
            raise CallError(str(payload["error"]), "as scripted")
        return self._typed_response(messages, action, payload)

    @staticmethod
    def _typed_response(messages: Catalogue, action: str, payload: dict[str, Any]) -> Any:
        if set(payload) == {"error"}:
            return None
        return messages.decode_response(action, msgspec.json.encode(payload))

    def since(self, number: int) -> list[dict[str, Any]]:
        """The frames after the one with that number."""
        return [message for message in self.messages if message["n"] > number]


class CsmsServer:
    """Listens for stations, over TLS where a `context` is given."""

    def __init__(
        self,
        clock: Clock | None = None,
        watcher: Watcher = lambda station, sent, frame: None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.stations: dict[str, StationSide] = {}
        self._clock = clock or SystemClock()
        self._watcher = watcher
        self._context = context
        self._behaviour = Behaviour()
        self._server: Server | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 picks one. OSError when the address is taken."""
        subprotocols = [Subprotocol(version.subprotocol) for version in reversed(OcppVersion)]
        self._server = await serve(
            self._attend,
            host,
            port,
            subprotocols=subprotocols,
            max_size=MAX_FRAME_BYTES,
            ping_interval=None,
            ssl=self._context,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Close every connection."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _attend(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        station_id = unquote(connection.request.path.partition("?")[0].rpartition("/")[2])
        if connection.subprotocol is None:
            await connection.close(1002, "none of the offered OCPP versions is known")
            return
        if station_id not in self.stations and len(self.stations) >= MAX_STATIONS:
            await connection.close(1013, "too many stations")
            return
        side = self.stations.setdefault(
            station_id, StationSide(station_id, self._behaviour, self._clock, self._watcher)
        )
        version = OcppVersion.from_subprotocol(connection.subprotocol)
        log.info("%s connected, OCPP %s", station_id, version)
        try:
            await side.serve(connection, version)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("%s: connection failed", station_id)
        log.info("%s has gone", station_id)
