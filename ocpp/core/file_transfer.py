"""Files to and from where the CSMS wants them: HTTP(S), FTP(S), SFTP. Blocking; runs in the thread of a `Transfer`."""

import ftplib
import hashlib
import http.client
import os
import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, unquote, urlsplit

from ocpp.core.transfer import (
    BAD_MESSAGE,
    FAILURE,
    NOT_SUPPORTED,
    PERMISSION_DENIED,
    Cancelled,
    Transfer,
    TransferError,
)

__all__ = ["BAD_MESSAGE", "FAILURE", "NOT_SUPPORTED", "PERMISSION_DENIED", "Cancelled", "Transfer", "TransferError"]

CHUNK_BYTES = 64 * 1024

MAX_DOWNLOAD_BYTES = 2 * 1024**3
"""More is no firmware of such a board."""

SPARE_BYTES = 16 * 1024**2
"""What a download leaves free on the disk: records of transactions need their place."""

MAX_NAME = 255
"""Characters of a file name, in every file system and in every message that names one."""

PRIVATE_FILE, READ_ONLY_FILE = 0o600, 0o400

SCHEMES = ("http", "https", "ftp", "ftps", "sftp")


class Source:
    """A file that is sent until the transfer ends."""

    def __init__(self, file: BinaryIO, transfer: Transfer) -> None:
        self._file = file
        self._transfer = transfer

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most a chunk."""
        piece = self._file.read(size if 0 < size < CHUNK_BYTES else CHUNK_BYTES)
        self._transfer.count(len(piece))
        return piece

    def rewind(self) -> None:
        """Begin anew."""
        self._file.seek(0)


class Sink:
    """A file that is written until the transfer ends, is too large, or the disk nearly full. Nothing waits in a buffer."""

    def __init__(self, folder: Path, descriptor: int, transfer: Transfer) -> None:
        self._folder = folder
        self._descriptor = descriptor
        self._transfer = transfer
        self.size = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self._transfer.count(len(data))
        self.size += len(data)
        if self.size > MAX_DOWNLOAD_BYTES:
            raise TransferError(BAD_MESSAGE, f"the file is larger than {MAX_DOWNLOAD_BYTES} bytes")
        if shutil.disk_usage(self._folder).free < SPARE_BYTES:
            raise TransferError(FAILURE, "the disk is nearly full")
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]


def upload(location: str, path: Path, name: str, transfer: Transfer, context: ssl.SSLContext | None = None) -> None:
    """Send the file; it is stored as `stored_name` says. Raises TransferError, Cancelled."""
    with _told(transfer):
        url = parsed(location)
        with path.open("rb") as file:
            source, size = Source(file, transfer), os.fstat(file.fileno()).st_size
            if url.scheme in ("http", "https"):
                from ocpp.core import http_transfer

                http_transfer.upload(url, stored_name(location, name), source, size, transfer, context)
            elif url.scheme in ("ftp", "ftps"):
                from ocpp.core import ftp_transfer

                ftp_transfer.upload(url, stored_name(location, name), source, transfer, context)
            else:
                from ocpp.core import sftp

                sftp.upload(url, stored_name(location, name), source, transfer)


def download(location: str, path: Path, transfer: Transfer, context: ssl.SSLContext | None = None) -> None:
    """Fetch the file into `path`, which must not be there before: whole, on disk and read-only when this returns.

    Nobody else can have opened it for writing, and no writer of its own outlives this. Raises TransferError, Cancelled.
    """
    with _told(transfer):
        url = parsed(location)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, PRIVATE_FILE)
        try:
            sink = Sink(path.parent, descriptor, transfer)
            if url.scheme in ("http", "https"):
                from ocpp.core import http_transfer

                http_transfer.download(url, sink, transfer, context)
            elif url.scheme in ("ftp", "ftps"):
                from ocpp.core import ftp_transfer

                ftp_transfer.download(url, sink, transfer, context)
            else:
                from ocpp.core import sftp

                sftp.download(url, sink, transfer)
            os.fsync(descriptor)
            os.fchmod(descriptor, READ_ONLY_FILE)
        finally:
            os.close(descriptor)


def digest_of(path: Path, transfer: Transfer) -> str:
    """SHA-256 of a file, in hexadecimal digits. Raises OSError, Cancelled."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(CHUNK_BYTES):
            transfer.count(len(piece))
            digest.update(piece)
    return digest.hexdigest()


@contextmanager
def _told(transfer: Transfer) -> Iterator[None]:
    """Every failure is a TransferError; none is that of a transfer that was cancelled, whose sockets fail as well."""
    try:
        yield
    except Exception as error:
        transfer.check()
        if isinstance(error, Cancelled | TransferError):
            raise
        raise _as_transfer_error(error) from error


def _as_transfer_error(error: Exception) -> TransferError:
    if isinstance(error, ftplib.error_perm):
        denied = str(error)[:3] in ("530", "532", "550", "553")
        return TransferError(PERMISSION_DENIED if denied else FAILURE, str(error))
    if isinstance(error, OSError | EOFError | ftplib.Error | http.client.HTTPException):
        return TransferError(FAILURE, str(error) or type(error).__name__)
    if isinstance(error, ValueError):
        return TransferError(BAD_MESSAGE, f"the location is no URL: {error}")
    return TransferError(FAILURE, f"{type(error).__name__}: {error}")


def parsed(location: str) -> SplitResult:
    """The location as a URL. Raises TransferError for one that leads nowhere, ValueError for what is none."""
    url = urlsplit(location)
    url = url._replace(scheme=url.scheme.lower())
    if url.scheme not in SCHEMES:
        raise TransferError(NOT_SUPPORTED, f"{url.scheme or 'no'} scheme; known are {', '.join(SCHEMES)}")
    if not url.hostname:
        raise TransferError(BAD_MESSAGE, "the location names no host")
    if url.port == 0:
        raise TransferError(BAD_MESSAGE, "the location names port 0")
    return url


def names_file(url: SplitResult) -> bool:
    """Whether a location of an upload is that of a file, not of a folder (1.6 section 6.25, N01).

    A path that ends with a slash, or whose last part has no dot, is a folder's; with a query it is one that was made for
    this upload alone, such as a presigned URL.
    """
    last = file_name(url)
    return bool(last) and len(last) <= MAX_NAME and ("." in last.strip(".") or bool(url.query))


def file_name(url: SplitResult) -> str:
    """The last part of the path; "" for one that ends with a slash."""
    return unquote(path_of(url).rpartition("/")[2])


def path_of(url: SplitResult) -> str:
    """The path, still quoted, without the transfer type that a URL of FTP may end with (RFC 1738 section 3.2.2)."""
    path, mark, kind = url.path.rpartition(";type=")
    return path if mark and url.scheme in ("ftp", "ftps") and len(kind) == 1 else url.path


def stored_name(location: str, name: str) -> str:
    """The name of the file that an upload of `name` leaves at the location, whatever the protocol."""
    try:
        url = urlsplit(location)
        return file_name(url) if names_file(url) else name
    except ValueError:
        return name


def needs_trust(location: str) -> bool:
    """Whether a transfer may need a TLS context; one that begins without may be redirected."""
    return location.lower().startswith(("http:", "https:", "ftps:"))


def shown(location: str) -> str:
    """A location as logs may show it: without user, password and file."""
    try:
        url = urlsplit(location)
    except ValueError:
        return "a location that is no URL"
    return f"{url.scheme}://{url.hostname}{os.path.dirname(url.path)}/…"
