"""Files over HTTP and HTTPS, redirects included. Blocking; runs in the thread of a `Transfer`."""

import base64
import http.client
import ssl
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import SplitResult, quote, unquote, urljoin

from ocpp.core.file_transfer import CHUNK_BYTES, Sink, Source, file_name, names_file, parsed
from ocpp.core.transfer import (
    BAD_MESSAGE,
    FAILURE,
    NOT_SUPPORTED,
    PERMISSION_DENIED,
    Transfer,
    TransferError,
    watched,
)

MAX_REDIRECTS = 5
"""What browsers of old took; a longer way is a circle."""

KEPT = "%/:@!$&'()*+,;=~-._[]"
QUOTED_DIGITS = "0123456789abcdefABCDEF"

REDIRECTS = (301, 302, 303, 307, 308)
SENT_AGAIN = (301, 302, 307, 308)
"""What a sender of a file follows with the same method; 303 would make it a reader."""

NOT_ALLOWED = (405, 501)

NO_FOLDER = (400, 403, 404, 409, *NOT_ALLOWED)
"""What servers say of a place within one that is no folder."""


def download(url: SplitResult, sink: Sink, transfer: Transfer, context: ssl.SSLContext | None) -> None:
    """GET the file."""
    connection, answer = _follow(url, lambda at: _get(at, transfer, context), REDIRECTS)
    try:
        _check_status(answer.status)
        while chunk := answer.read1(CHUNK_BYTES):
            sink.write(chunk)
        if answer.length:
            raise TransferError(FAILURE, f"{answer.length} bytes are missing at the end")
    finally:
        _close(connection, answer)


Exchange = tuple[http.client.HTTPConnection, http.client.HTTPResponse]


def _get(url: SplitResult, transfer: Transfer, context: ssl.SSLContext | None) -> Exchange:
    connection = _connection(url, transfer, context)
    try:
        connection.request("GET", _target(url), headers=_credentials(url))
        return connection, connection.getresponse()
    except BaseException:
        connection.close()
        raise


def upload(
    url: SplitResult, name: str, source: Source, size: int, transfer: Transfer, context: ssl.SSLContext | None
) -> None:
    """PUT, and POST where that is not allowed (N01.FR.18-19), into the folder or under the name that the location says.

    A location without a slash at its end that turns out to be no folder takes the file itself, with its name beside it.
    """
    folder = not names_file(url)
    places = [url._replace(path=f"{url.path.rstrip('/')}/{quote(name)}")] if folder else [url]
    if folder and file_name(url):
        places.append(url)
    status = 0
    for method in ("PUT", "POST"):
        for place in places:
            status = _send(place, method, name, source, size, transfer, context)
            if status < 300:
                return
            if status not in NO_FOLDER:
                _check_status(status)
        if status not in NOT_ALLOWED:
            _check_status(status)
    raise TransferError(NOT_SUPPORTED, "neither PUT nor POST is allowed there")


def _send(
    url: SplitResult,
    method: str,
    name: str,
    source: Source,
    size: int,
    transfer: Transfer,
    context: ssl.SSLContext | None,
) -> int:
    """Gives the status of the answer."""

    def send(at: SplitResult) -> Exchange:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": _disposition(name),
            "Content-Length": str(size),
            **_credentials(at),
        }
        connection = _connection(at, transfer, context)
        try:
            source.rewind()
            with suppress(BrokenPipeError, ConnectionResetError):  # the server may have answered before it read it all
                connection.request(method, _target(at), body=source, headers=headers)
            return connection, connection.getresponse()
        except BaseException:
            connection.close()
            raise

    connection, answer = _follow(url, send, SENT_AGAIN)
    _close(connection, answer)
    return answer.status


def _follow(url: SplitResult, ask: Callable[[SplitResult], Exchange], followed: tuple[int, ...]) -> Exchange:
    """Ask, and ask again where the answer points to; never from HTTPS to HTTP."""
    for _ in range(MAX_REDIRECTS + 1):
        connection, answer = ask(url)
        place = answer.headers.get("Location")
        if answer.status not in followed or not place:
            return connection, answer
        _close(connection, answer)
        url = _next(url, place)
    raise TransferError(FAILURE, f"the server redirects more than {MAX_REDIRECTS} times")


def _close(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> None:
    """Both: an answer that ends with its connection has taken the socket over."""
    answer.close()
    connection.close()


def _next(url: SplitResult, place: str) -> SplitResult:
    """Where a redirect leads to; user and password stay with their server."""
    place = place.encode("latin-1", "replace").decode("utf-8", "replace")  # http.client reads headers as Latin-1
    following = parsed(urljoin(url.geturl(), place))
    if following.scheme not in ("https", url.scheme):
        raise TransferError(BAD_MESSAGE, f"the server redirects from {url.scheme} to {following.scheme}")
    same = (following.scheme, following.hostname, following.port) == (url.scheme, url.hostname, url.port)
    if same and following.username is None and url.username is not None:
        user = url.netloc.rpartition("@")[0]
        following = following._replace(netloc=f"{user}@{following.netloc}")
    return following


class _Http(http.client.HTTPConnection):
    """A connection that belongs to a transfer."""

    def __init__(self, url: SplitResult, transfer: Transfer, context: ssl.SSLContext | None) -> None:
        assert url.hostname is not None
        super().__init__(url.hostname, url.port or (443 if context is not None else 80))
        self._transfer, self._context = transfer, context
        self.default_port = 443 if context is not None else 80

    def connect(self) -> None:
        """See `http.client.HTTPConnection.connect`."""
        self.sock = self._transfer.connect(self.host, self.port)
        if self._context is not None:
            self.sock = watched(self._context).wrap_socket(self.sock, server_hostname=self.host)


def _connection(url: SplitResult, transfer: Transfer, context: ssl.SSLContext | None) -> _Http:
    if url.scheme == "https":
        return _Http(url, transfer, context if context is not None else ssl.create_default_context())
    return _Http(url, transfer, None)


def _credentials(url: SplitResult) -> dict[str, str]:
    if url.username is None:
        return {}
    credentials = f"{unquote(url.username)}:{unquote(url.password or '')}".encode()
    return {"Authorization": "Basic " + base64.b64encode(credentials).decode()}


def _disposition(name: str) -> str:
    """RFC 6266: the name as it is where that is plain text, and quoted beside a plain one where it is not."""
    plain = "".join(each if " " <= each <= "~" and each not in '"\\' else "_" for each in name)
    return f'attachment; filename="{plain}"' + (f"; filename*=UTF-8''{quote(name)}" if plain != name else "")


def _target(url: SplitResult) -> str:
    """What stands in the request: blanks and letters beyond ASCII quoted, what is quoted already left alone."""
    path = _quoted(url.path or "/")
    return f"{path}?{_quoted(url.query, '?')}" if url.query else path


def _quoted(text: str, more: str = "") -> str:
    pieces = text.split("%")
    made = pieces[0]
    for piece in pieces[1:]:
        valid = len(piece) >= 2 and piece[0] in QUOTED_DIGITS and piece[1] in QUOTED_DIGITS
        made += ("%" if valid else "%25") + piece
    return quote(made, safe=KEPT + more)


def _check_status(status: int) -> None:
    if status in (401, 403):
        raise TransferError(PERMISSION_DENIED, f"HTTP {status}")
    if status >= 300:
        raise TransferError(BAD_MESSAGE if status in (400, 404, 410) else FAILURE, f"HTTP {status}")
