"""`pilotwire csms`: the development CSMS with its HTTP API, and the client for it."""

import asyncio
import json
import os
import signal
import ssl
import sys
from pathlib import Path
from typing import Any
from urllib import error as url_error
from urllib import request as url_request

import msgspec

from ocpp.csms.server import CsmsServer, StationSide
from ocpp.csms.traffic import TrafficView
from ocpp.errors import CallError, ConfigurationError, PayloadError, RpcError
from ocpp.station.local_api.server import LocalApiServer, Request, Response, error

MAX_SCRIPTED = 1000


class CsmsApi:
    """GET /api/stations, POST …/call, POST …/respond, GET …/messages."""

    def __init__(self, server: CsmsServer) -> None:
        self._server = server

    async def dispatch(self, request: Request) -> Response:
        """Answer a request."""
        parts = request.path.strip("/").split("/")
        if parts == ["api", "stations"]:
            return Response(200, [self._summary(side) for side in self._server.stations.values()])
        if len(parts) != 4 or parts[:2] != ["api", "stations"]:
            return error(404, "there are GET /api/stations, POST /api/stations/{id}/call and /respond, GET …/messages")
        side = self._server.stations.get(parts[2])
        if side is None:
            return error(404, f"no station {parts[2]!r} was ever connected; known are {sorted(self._server.stations)}")
        try:
            return await self._dispatch(request, side, parts[3])
        except PayloadError as wrong:
            return error(400, str(wrong))
        except CallError as refused:
            return Response(
                200, {"error": refused.code, "description": refused.description, "details": refused.details}
            )
        except (RpcError, ConnectionError) as failed:
            return error(503, str(failed))
        except (ValueError, KeyError, TypeError) as wrong:
            return error(400, str(wrong.args[0]) if wrong.args else str(wrong))

    async def _dispatch(self, request: Request, side: StationSide, what: str) -> Response:
        if what == "messages" and request.method == "GET":
            return Response(200, side.since(int(request.query.get("since", "0"))))
        if request.method != "POST" or what not in ("call", "respond"):
            return error(405, "call and respond take POST, messages takes GET")
        body = json.loads(request.body or b"{}")
        action, payload = str(body["action"]), body.get("payload", {})
        if what == "call":
            return Response(200, await side.call(action, payload))
        times = int(body.get("times", 1))
        if not 1 <= times <= MAX_SCRIPTED:
            raise ValueError(f"times must be 1 to {MAX_SCRIPTED}")
        side.script(action, payload, times)
        return Response(200, {"action": action, "times": times})

    @staticmethod
    def _summary(side: StationSide) -> dict[str, Any]:
        return {
            "id": side.id,
            "connected": side.connection is not None,
            "version": side.version,
            "connections": side.connections,
        }


class TlsFiles(msgspec.Struct, frozen=True):
    """PEM files: the CSMS's certificate and key, and the root that stations' certificates have to lead to."""

    certificate: Path
    key: Path
    clients: Path | None = None

    def context(self) -> ssl.SSLContext:
        """The server's TLS context; ConfigurationError when a file cannot be used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.key)
            if self.clients is not None:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(self.clients)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(f"certificate, key or root cannot be used: {error}") from error
        return context


async def run_csms(listen: str, api: str, *, quiet: bool = False, tls: TlsFiles | None = None) -> int:
    """Run until SIGINT or SIGTERM."""
    view = TrafficView()
    server = CsmsServer(
        watcher=(lambda station, sent, frame: None) if quiet else view.show,
        context=tls.context() if tls is not None else None,
    )
    scheme = "ws" if tls is None else "wss"
    host = listen.rpartition(":")[0]
    await _listen(server, listen)
    print(f"CSMS for OCPP 1.6, 2.0.1 and 2.1 at {scheme}://{host}:{server.port}/<anything>/<station id>", flush=True)
    api_server = None
    if api != "off":
        api_server = LocalApiServer(CsmsApi(server).dispatch)
        api_host = api.rpartition(":")[0]
        await _listen(api_server, api)
        print(f"HTTP API at http://{api_host}:{api_server.port}/api/stations", flush=True)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    if api_server is not None:
        await api_server.stop()
    await server.stop()
    return 0


async def _listen(server: CsmsServer | LocalApiServer, address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        await server.start(host.strip("[]"), int(port))
    except (OSError, ValueError, OverflowError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise ConfigurationError(f"{address}: cannot be listened on: {reason}") from error


def call_station(api: str, station: str, action: str, payload: str) -> int:
    """Send a call through a running CSMS and print the answer."""
    try:
        body = json.dumps({"action": action, "payload": json.loads(payload)}).encode()
    except ValueError as wrong:
        print(f"the payload is not valid JSON: {wrong}", file=sys.stderr)
        return 2
    url = f"http://{api}/api/stations/{station}/call"
    try:
        with url_request.urlopen(url_request.Request(url, body, method="POST")) as answer:
            print(json.dumps(json.load(answer), indent=2, ensure_ascii=False))
    except url_error.HTTPError as refused:
        print(json.load(refused)["error"], file=sys.stderr)
        return 1
    except OSError as failed:
        print(f"there is no CSMS at {api}: {failed}; start one with 'pilotwire csms'", file=sys.stderr)
        return 1
    return 0
