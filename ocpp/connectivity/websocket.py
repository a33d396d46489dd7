"""The WebSocket under OCPP-J, by the library `websockets`: opening it, and what a failed attempt means."""

import asyncio
import base64
import logging
import ssl
from collections.abc import Sequence
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI, WebSocketException
from websockets.typing import Subprotocol

from ocpp.connectivity.flow import MAX_QUEUED_FRAMES, BoundedConnection
from ocpp.connectivity.profile import BASIC, PLAIN, TLS_BASIC, NetworkProfile
from ocpp.device_model.standard.communication import MAX_FRAME_BYTES
from ocpp.errors import ConfigurationError, ConnectError, HandshakeRefused, SubprotocolRefused
from ocpp.rpc.endpoint import Received
from ocpp.security import tls
from ocpp.versions import OcppVersion

OPEN_TIMEOUT_S = 30.0
"""DNS, TCP, TLS and the upgrade together; mobile networks are slow."""

CLOSE_TIMEOUT_S = 5.0

_STATUS_HINTS = {
    400: "the CSMS did not like the request; check url and OCPP version",
    401: "check identity and password",
    403: "the CSMS does not allow this station; check its registration",
    404: "the CSMS does not know this station or path; check url and identity",
    429: "too many attempts; the back-off will slow down",
    500: "the CSMS has an internal problem",
    502: "the CSMS is down behind its proxy",
    503: "the CSMS is not available at the moment",
}

log = logging.getLogger(__name__)
_library_log = logging.getLogger("websockets.client")


class _DirectConnect(connect):
    """A station follows no redirections: nobody may lead it, and its password, elsewhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """See `websockets.asyncio.client.connect.process_redirect`."""
        return exc


class _NoCredentials(logging.Filter):
    """Keeps the password out of the library's debug log of the handshake."""

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter.filter`."""
        if any("authorization" in str(part).lower() for part in (record.msg, *(record.args or ()))):
            record.msg, record.args = "> Authorization: ***", ()
        return True


_library_log.addFilter(_NoCredentials())


class WebSocketLink:
    """An open connection (`ocpp.rpc.endpoint.Link`)."""

    def __init__(self, connection: BoundedConnection, version: OcppVersion) -> None:
        self._connection = connection
        self.version = version

    async def send(self, frame: bytes) -> None:
        """See `Link.send`."""
        try:
            await self._connection.send(frame, text=True)
        except ConnectionClosed as closed:
            raise ConnectionError(describe_close(closed)) from closed

    async def receive(self) -> Received:
        """See `Link.receive`."""
        try:
            data = await self._connection.recv(decode=False)
        except ConnectionClosed as closed:
            raise ConnectionError(describe_close(closed)) from closed
        assert isinstance(data, bytes)
        self._connection.taken(len(data))
        return Received(data, self._connection.kinds.popleft())

    async def ping(self) -> None:
        """Send a ping and return when its pong has come; raises ConnectionError when the connection breaks."""
        try:
            pong = await self._connection.ping()
            await pong
        except ConnectionClosed as closed:
            raise ConnectionError(describe_close(closed)) from closed

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with the WebSocket closing handshake."""
        await self._connection.close(code, reason)

    @property
    def verified_root(self) -> bytes | None:
        """The root certificate (DER) that the CSMS was verified with; None without TLS, or where Python cannot tell."""
        return tls.verified_root(self._connection.transport.get_extra_info("ssl_object"))

    def abort(self) -> None:
        """Drop the connection without a word: the peer does not answer."""
        transport = self._connection.transport
        if transport is not None:
            transport.abort()


def describe_close(closed: ConnectionClosed) -> str:
    """Who closed the connection and why, in one line for the log."""
    if closed.sent is not None and not closed.rcvd_then_sent:
        return f"closed by us with code {closed.sent.code} {closed.sent.reason}".rstrip()
    if closed.rcvd is not None:
        reason = f" ({closed.rcvd.reason})" if closed.rcvd.reason else ""
        return f"the CSMS closed the connection with code {closed.rcvd.code}{reason}"
    return "the connection broke without a closing handshake"


def _headers(profile: NetworkProfile, identity: str) -> dict[str, str]:
    if profile.security_profile not in (BASIC, TLS_BASIC) or profile.password is None:
        if profile.security_profile == PLAIN:
            log.warning("security profile 0: no authentication; for tests on one machine only")
        return {}
    credentials = f"{profile.identity or identity}:{profile.password}".encode()
    return {"Authorization": "Basic " + base64.b64encode(credentials).decode()}


async def open_link(
    profile: NetworkProfile, identity: str, versions: Sequence[OcppVersion], context: ssl.SSLContext | None = None
) -> WebSocketLink:
    """Connect to the CSMS of `profile`, offering `versions`; raises ConnectError saying what went wrong.

    `context` is the TLS context of a wss:// connection.
    """
    try:
        profile.check()
    except ConfigurationError as error:
        raise ConnectError(str(error), "put it right in the station file or by SetNetworkProfile") from error
    url, shown = profile.connection_url(identity), profile.shown_url
    options: dict[str, Any] = {"ssl": context} if profile.secure else {}
    attempt = _DirectConnect(
        url,
        subprotocols=[Subprotocol(version.subprotocol) for version in versions],
        additional_headers=_headers(profile, identity),
        user_agent_header="pilotwire",
        compression="deflate",
        proxy=None,
        open_timeout=OPEN_TIMEOUT_S,
        ping_interval=None,
        close_timeout=CLOSE_TIMEOUT_S,
        max_size=MAX_FRAME_BYTES,
        max_queue=MAX_QUEUED_FRAMES,
        logger=_library_log,
        create_connection=BoundedConnection,
        **options,
    )
    try:
        connection = await attempt
    except (OSError, WebSocketException) as error:
        raise explained(error, shown) from error
    assert isinstance(connection, BoundedConnection)
    return await _with_version(connection, versions)


async def _with_version(connection: BoundedConnection, versions: Sequence[OcppVersion]) -> WebSocketLink:
    chosen = connection.subprotocol
    try:
        if chosen is None and len(versions) == 1:
            log.warning(
                "the CSMS names no OCPP version; going on with %s, the only one offered", versions[0].subprotocol
            )
            return WebSocketLink(connection, versions[0])
        if chosen is None:
            raise SubprotocolRefused("the CSMS picked none of the OCPP versions offered", _offered(versions))
        return WebSocketLink(connection, OcppVersion.from_subprotocol(chosen))
    except (SubprotocolRefused, ValueError):
        await connection.close(1002, "no common OCPP version")
        raise


def _offered(versions: Sequence[OcppVersion]) -> str:
    return "offered were " + ", ".join(version.subprotocol for version in versions)


def explained(error: Exception, url: str) -> ConnectError:
    """What a failed attempt means, in plain words, with what to do about it."""
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        hint = _STATUS_HINTS.get(status, "")
        if 300 <= status < 400:
            target = error.response.headers.get("Location", "?")
            hint = f"the CSMS redirects to {target}, which is not followed; put it into the network profile"
        return HandshakeRefused(status, f"the CSMS answered the handshake with HTTP {status}", hint)
    if isinstance(error, ssl.SSLError):
        return tls.explained(error)
    if isinstance(error, InvalidURI):
        return ConnectError(f"{url} is not a WebSocket URL", "check url")
    if isinstance(error, InvalidHandshake):
        cause = error.__cause__
        if isinstance(cause, ssl.SSLError):
            return tls.explained(cause)  # TLS 1.3 tells of a refused client certificate after the handshake
        if isinstance(cause, EOFError) and url.lower().startswith("wss://"):
            return tls.hung_up()
        if "subprotocol" in str(error):
            return SubprotocolRefused(f"the CSMS picked a version that was not offered: {error}")
        return ConnectError(f"no WebSocket handshake: {error}", "is there really a CSMS at this url?")
    if isinstance(error, asyncio.TimeoutError | TimeoutError):
        return ConnectError(f"no answer from {url} within {OPEN_TIMEOUT_S:g} s", "check network and firewall")
    if isinstance(error, ConnectionResetError) and url.lower().startswith("wss://"):
        return tls.hung_up()
    if isinstance(error, ConnectionRefusedError):
        return ConnectError(f"connection refused by {url}", "is the CSMS running on that port?")
    if isinstance(error, OSError) and type(error).__name__ == "gaierror":
        return ConnectError(f"the host name of {url} cannot be resolved", "check the name and the station's DNS")
    return ConnectError(f"cannot connect to {url}: {error}", "check network and url")
