"""Sending a file to where the CSMS wants it: HTTP(S) and FTP(S). Blocking; runs in a thread of its own."""

import base64
import ftplib
import http.client
import os
import ssl
import threading
from pathlib import Path
from typing import IO
from urllib.parse import SplitResult, unquote, urlsplit

TIMEOUT_S = 60.0
"""Without any progress for so long a transfer has failed."""

CHUNK_BYTES = 64 * 1024

BAD_MESSAGE, PERMISSION_DENIED, NOT_SUPPORTED, FAILURE = (
    "BadMessage",
    "PermissionDenied",
    "NotSupportedOperation",
    "UploadFailure",
)
"""Why a transfer failed, in the words of UploadLogStatusEnumType."""


class TransferError(Exception):
    """The file did not arrive; `kind` is one of the four words above."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Cancelled(Exception):
    """Somebody no longer wants the transfer."""


class _Watched:
    """A file that is read until the transfer is cancelled."""

    def __init__(self, file: IO[bytes], cancelled: threading.Event) -> None:
        self._file = file
        self._cancelled = cancelled

    def read(self, size: int = -1) -> bytes:
        if self._cancelled.is_set():
            raise Cancelled
        return self._file.read(size if size > 0 else CHUNK_BYTES)

    def rewind(self) -> None:
        self._file.seek(0)


def upload(
    location: str, path: Path, name: str, cancelled: threading.Event, context: ssl.SSLContext | None = None
) -> None:
    """Send the file; `location` names a folder or a file. Raises TransferError, Cancelled."""
    try:
        url = urlsplit(location)
        known = {"http": _http, "https": _http, "ftp": _ftp, "ftps": _ftp}
        send = known.get(url.scheme.lower())
        if send is None:
            raise TransferError(NOT_SUPPORTED, f"{url.scheme or 'no'} scheme; known are {', '.join(known)}")
        if not url.hostname:
            raise TransferError(BAD_MESSAGE, "the location names no host")
        with path.open("rb") as file:
            send(url, name, _Watched(file, cancelled), path.stat().st_size, context)
    except (OSError, EOFError, http.client.HTTPException) as error:
        raise TransferError(FAILURE, str(error) or type(error).__name__) from error
    except ValueError as error:
        raise TransferError(BAD_MESSAGE, f"the location is no URL: {error}") from error


def _target(url: SplitResult, name: str) -> str:
    path = url.path or "/"
    return f"{path}{name}" if path.endswith("/") else path


def _http(url: SplitResult, name: str, file: _Watched, size: int, context: ssl.SSLContext | None) -> None:
    """PUT, and POST where that is not allowed (N01.FR.18-19)."""
    for method in ("PUT", "POST"):
        status = _http_request(method, url, name, file, size, context)
        if status < 300:
            return
        if status in (401, 403):
            raise TransferError(PERMISSION_DENIED, f"HTTP {status}")
        if status not in (405, 501):
            raise TransferError(BAD_MESSAGE if status in (400, 404) else FAILURE, f"HTTP {status}")
    raise TransferError(NOT_SUPPORTED, "neither PUT nor POST is allowed there")


def _http_request(
    method: str, url: SplitResult, name: str, file: _Watched, size: int, context: ssl.SSLContext | None
) -> int:
    assert url.hostname is not None
    connection: http.client.HTTPConnection
    if url.scheme.lower() == "https":
        connection = http.client.HTTPSConnection(url.hostname, url.port, timeout=TIMEOUT_S, context=context)
    else:
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=TIMEOUT_S)
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(size),
    }
    if url.username is not None:
        credentials = f"{unquote(url.username)}:{unquote(url.password or '')}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(credentials).decode()
    target = _target(url, name) + (f"?{url.query}" if url.query else "")
    try:
        file.rewind()
        connection.request(method, target, body=file, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _ftp(url: SplitResult, name: str, file: _Watched, size: int, context: ssl.SSLContext | None) -> None:
    secure = url.scheme.lower() == "ftps"
    ftp = ftplib.FTP_TLS(timeout=TIMEOUT_S, context=context) if secure else ftplib.FTP(timeout=TIMEOUT_S)
    try:
        ftp.connect(url.hostname or "", url.port or ftplib.FTP_PORT)
        ftp.login(unquote(url.username or "anonymous"), unquote(url.password or "anonymous@"))
        if isinstance(ftp, ftplib.FTP_TLS):
            ftp.prot_p()
        folder, _, filename = unquote(_target(url, name)).rpartition("/")
        if folder.strip("/"):
            ftp.cwd(folder.strip("/"))
        file.rewind()
        ftp.storbinary(f"STOR {filename}", file, CHUNK_BYTES)
        ftp.quit()
    except ftplib.error_perm as error:
        denied = str(error)[:3] in ("530", "532", "550", "553")
        raise TransferError(PERMISSION_DENIED if denied else FAILURE, str(error)) from error
    finally:
        ftp.close()


def shown(location: str) -> str:
    """A location as logs may show it: without user and password."""
    try:
        url = urlsplit(location)
    except ValueError:
        return "a location that is no URL"
    return f"{url.scheme}://{url.hostname}{os.path.dirname(url.path)}/…"
