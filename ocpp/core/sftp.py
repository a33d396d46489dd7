"""SFTP, by the library `asyncssh` of the extra `sftp`. Blocking; runs in a thread of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import IO, Any, Protocol
from urllib.parse import SplitResult, unquote

from ocpp.core.file_transfer import (
    CHUNK_BYTES,
    FAILURE,
    NOT_SUPPORTED,
    PERMISSION_DENIED,
    TIMEOUT_S,
    TransferError,
)


class Source(Protocol):
    """Where an upload comes from."""

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""


class Sink(Protocol):
    """Where a download goes."""

    def write(self, data: bytes) -> None:
        """Take the next bytes."""


def upload(url: SplitResult, path: str, source: Source) -> None:
    """Write the file at the server. Raises TransferError, and what `source` raises."""

    async def work(client: Any) -> None:
        async with client.open(path.lstrip("/"), "wb") as remote:
            while chunk := source.read(CHUNK_BYTES):
                await remote.write(chunk)

    _run(url, work)


def download(url: SplitResult, path: str, sink: Sink | IO[bytes]) -> None:
    """Read the file at the server. Raises TransferError, and what `sink` raises."""

    async def work(client: Any) -> None:
        async with client.open(path.lstrip("/"), "rb") as remote:
            while chunk := await remote.read(CHUNK_BYTES):
                sink.write(chunk)

    _run(url, work)


def _run(url: SplitResult, work: Callable[[Any], Awaitable[None]]) -> None:
    try:
        import asyncssh
    except ImportError as error:
        raise TransferError(NOT_SUPPORTED, "SFTP needs the extra pilotwire[sftp]") from error
    try:
        asyncio.run(_session(asyncssh, url, work))
    except asyncssh.PermissionDenied as error:
        raise TransferError(PERMISSION_DENIED, str(error)) from error
    except asyncssh.SFTPPermissionDenied as error:
        raise TransferError(PERMISSION_DENIED, str(error)) from error
    except (asyncssh.Error, TimeoutError) as error:
        raise TransferError(FAILURE, str(error) or type(error).__name__) from error


async def _session(asyncssh: Any, url: SplitResult, work: Callable[[Any], Awaitable[None]]) -> None:
    """OCPP hands over no host key: the password in the location is all there is, as with FTP."""
    connection = asyncssh.connect(
        url.hostname,
        url.port or 22,
        username=unquote(url.username or "anonymous"),
        password=unquote(url.password or ""),
        known_hosts=None,
        client_keys=None,
        agent_path=None,
        config=None,
        connect_timeout=TIMEOUT_S,
        login_timeout=TIMEOUT_S,
        keepalive_interval=TIMEOUT_S / 3,
    )
    async with connection as ssh, ssh.start_sftp_client() as client:
        await work(client)
