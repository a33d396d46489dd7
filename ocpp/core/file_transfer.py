"""Files to and from where the CSMS wants them: HTTP(S), FTP(S), SFTP. Blocking; runs in a thread of its own."""

import base64
import ftplib
import http.client
import os
import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import SplitResult, unquote, urlsplit

TIMEOUT_S = 60.0
"""Without any progress for so long a transfer has failed."""

CHUNK_BYTES = 64 * 1024

MAX_DOWNLOAD_BYTES = 2 * 1024**3
"""More is no firmware of such a board."""

SPARE_BYTES = 16 * 1024**2
"""What a download leaves free on the disk: records of transactions need their place."""

BAD_MESSAGE, PERMISSION_DENIED, NOT_SUPPORTED, FAILURE = (
    "BadMessage",
    "PermissionDenied",
    "NotSupportedOperation",
    "UploadFailure",
)
"""Why a transfer failed, in the words of UploadLogStatusEnumType."""

SCHEMES = ("http", "https", "ftp", "ftps", "sftp")


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


class _Sink:
    """A file that is written until the transfer is cancelled, too large, or the disk nearly full."""

    def __init__(self, path: Path, file: IO[bytes], cancelled: threading.Event) -> None:
        self._path = path
        self._file = file
        self._cancelled = cancelled
        self.size = 0

    def write(self, data: bytes) -> None:
        if self._cancelled.is_set():
            raise Cancelled
        self.size += len(data)
        if self.size > MAX_DOWNLOAD_BYTES:
            raise TransferError(BAD_MESSAGE, f"the file is larger than {MAX_DOWNLOAD_BYTES} bytes")
        if shutil.disk_usage(self._path.parent).free < SPARE_BYTES:
            raise TransferError(FAILURE, "the disk is nearly full")
        self._file.write(data)


def upload(
    location: str, path: Path, name: str, cancelled: threading.Event, context: ssl.SSLContext | None = None
) -> None:
    """Send the file; `location` names a folder or a file. Raises TransferError, Cancelled."""
    with _told():
        url = _parsed(location)
        target = _target(url, name)
        with path.open("rb") as file:
            source = _Watched(file, cancelled)
            if url.scheme in ("http", "https"):
                _http_upload(url, target, name, source, path.stat().st_size, context)
            elif url.scheme in ("ftp", "ftps"):
                with _ftp(url, context) as ftp:
                    filename = _enter_folder(ftp, target)
                    source.rewind()
                    ftp.storbinary(f"STOR {filename}", source, CHUNK_BYTES)
            else:
                from ocpp.core import sftp

                sftp.upload(url, unquote(target), source)


def download(location: str, path: Path, cancelled: threading.Event, context: ssl.SSLContext | None = None) -> None:
    """Fetch the file into `path`, whole and on disk when this returns. Raises TransferError, Cancelled."""
    with _told():
        url = _parsed(location)
        with path.open("wb") as file:
            sink = _Sink(path, file, cancelled)
            if url.scheme in ("http", "https"):
                _http_download(url, sink, context)
            elif url.scheme in ("ftp", "ftps"):
                with _ftp(url, context) as ftp:
                    ftp.retrbinary(f"RETR {_enter_folder(ftp, url.path)}", sink.write, CHUNK_BYTES)
            else:
                from ocpp.core import sftp

                sftp.download(url, unquote(url.path), sink)
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def _told() -> Iterator[None]:
    """Every failure is a TransferError."""
    try:
        yield
    except ftplib.error_perm as error:
        denied = str(error)[:3] in ("530", "532", "550", "553")
        raise TransferError(PERMISSION_DENIED if denied else FAILURE, str(error)) from error
    except (OSError, EOFError, ftplib.Error, http.client.HTTPException) as error:
        raise TransferError(FAILURE, str(error) or type(error).__name__) from error
    except ValueError as error:
        raise TransferError(BAD_MESSAGE, f"the location is no URL: {error}") from error


def _parsed(location: str) -> SplitResult:
    url = urlsplit(location)
    url = url._replace(scheme=url.scheme.lower())
    if url.scheme not in SCHEMES:
        raise TransferError(NOT_SUPPORTED, f"{url.scheme or 'no'} scheme; known are {', '.join(SCHEMES)}")
    if not url.hostname:
        raise TransferError(BAD_MESSAGE, "the location names no host")
    return url


def _target(url: SplitResult, name: str) -> str:
    path = url.path or "/"
    return f"{path}{name}" if path.endswith("/") else path


def _http_connection(url: SplitResult, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    assert url.hostname is not None
    if url.scheme == "https":
        return http.client.HTTPSConnection(url.hostname, url.port, timeout=TIMEOUT_S, context=context)
    return http.client.HTTPConnection(url.hostname, url.port, timeout=TIMEOUT_S)


def _credentials(url: SplitResult) -> dict[str, str]:
    if url.username is None:
        return {}
    credentials = f"{unquote(url.username)}:{unquote(url.password or '')}".encode()
    return {"Authorization": "Basic " + base64.b64encode(credentials).decode()}


def _check_status(status: int) -> None:
    if status in (401, 403):
        raise TransferError(PERMISSION_DENIED, f"HTTP {status}")
    if status >= 300:
        raise TransferError(BAD_MESSAGE if status in (400, 404, 410) else FAILURE, f"HTTP {status}")


def _http_upload(
    url: SplitResult, target: str, name: str, file: _Watched, size: int, context: ssl.SSLContext | None
) -> None:
    """PUT, and POST where that is not allowed (N01.FR.18-19)."""
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(size),
        **_credentials(url),
    }
    for method in ("PUT", "POST"):
        connection = _http_connection(url, context)
        try:
            file.rewind()
            connection.request(method, _with_query(url, target), body=file, headers=headers)
            status = connection.getresponse().status
        finally:
            connection.close()
        if status not in (405, 501):
            _check_status(status)
            return
    raise TransferError(NOT_SUPPORTED, "neither PUT nor POST is allowed there")


def _http_download(url: SplitResult, sink: _Sink, context: ssl.SSLContext | None) -> None:
    connection = _http_connection(url, context)
    try:
        connection.request("GET", _with_query(url, url.path or "/"), headers=_credentials(url))
        response = connection.getresponse()
        _check_status(response.status)
        while chunk := response.read(CHUNK_BYTES):
            sink.write(chunk)
        if response.length:
            raise TransferError(FAILURE, f"{response.length} bytes are missing at the end")
    finally:
        connection.close()


def _with_query(url: SplitResult, target: str) -> str:
    return f"{target}?{url.query}" if url.query else target


@contextmanager
def _ftp(url: SplitResult, context: ssl.SSLContext | None) -> Iterator[ftplib.FTP]:
    secure = url.scheme == "ftps"
    ftp = ftplib.FTP_TLS(timeout=TIMEOUT_S, context=context) if secure else ftplib.FTP(timeout=TIMEOUT_S)
    try:
        ftp.connect(url.hostname or "", url.port or ftplib.FTP_PORT)
        ftp.login(unquote(url.username or "anonymous"), unquote(url.password or "anonymous@"))
        if isinstance(ftp, ftplib.FTP_TLS):
            ftp.prot_p()
        yield ftp
        ftp.quit()
    finally:
        ftp.close()


def _enter_folder(ftp: ftplib.FTP, path: str) -> str:
    """Go where the file is; gives its name."""
    folder, _, filename = unquote(path).rpartition("/")
    if folder.strip("/"):
        ftp.cwd(folder.strip("/"))
    return filename


def over_tls(location: str) -> bool:
    """Whether a transfer needs a TLS context."""
    return location.lower().startswith(("https:", "ftps:"))


def shown(location: str) -> str:
    """A location as logs may show it: without user and password."""
    try:
        url = urlsplit(location)
    except ValueError:
        return "a location that is no URL"
    return f"{url.scheme}://{url.hostname}{os.path.dirname(url.path)}/…"
