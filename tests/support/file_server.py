"""An HTTP server that takes and gives files, in a thread of its own; answers by a script of statuses."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer(ThreadingHTTPServer):
    """`answers`: statuses for the next requests, 201 afterwards; `gate` holds every request until it is set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.daemon_threads = True
        self.scheme, self.host = "http", "127.0.0.1"
        self.answers: list[int] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, tuple[int, str]] = {}
        """Status and location of the answer, by path."""
        self.missing_bytes = 0
        """Bytes that a download promises and does not send."""
        self.gate = threading.Event()
        self.gate.set()

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.server_address[1]}/logs/"

    def offer(self, path: str, content: bytes) -> str:
        """Make a file available; gives its URL."""
        self.files[path] = content
        return f"{self.scheme}://{self.host}:{self.server_address[1]}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def _take(self) -> None:
        self.server.gate.wait(20)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.command, self.path, dict(self.headers)))
        if self._redirects():
            return
        status = self.server.answers.pop(0) if self.server.answers else 201
        if status < 300:
            self.server.files[self.path] = body
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _redirects(self) -> bool:
        if self.path not in self.server.redirects:
            return False
        status, place = self.server.redirects[self.path]
        self.send_response(status)
        self.send_header("Location", place)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def do_GET(self) -> None:
        self.server.gate.wait(20)
        self.server.requests.append((self.command, self.path, dict(self.headers)))
        if self._redirects():
            return
        status = self.server.answers.pop(0) if self.server.answers else 200
        body = self.server.files.get(self.path, b"") if status == 200 else b""
        if status == 200 and self.path not in self.server.files:
            status = 404
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + self.server.missing_bytes))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_POST = _take  # noqa: N815 - the names are http.server's

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def file_server(context: ssl.SSLContext | None = None) -> Iterator[FileServer]:
    """A server in its thread; with a `context` over TLS."""
    with FileServer() as server:
        if context is not None:
            server.scheme, server.host = "https", "localhost"
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.gate.set()
            server.shutdown()
            thread.join(10)
