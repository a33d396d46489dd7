"""SFTP, by the library `asyncssh` of the extra `sftp`. Blocking; runs in the thread of a `Transfer`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import SplitResult, unquote

from ocpp.core.file_transfer import CHUNK_BYTES, Sink, Source, names_file
from ocpp.core.transfer import FAILURE, NOT_SUPPORTED, PERMISSION_DENIED, TIMEOUT_S, Transfer, TransferError

CLOSING_S = 2.0
"""How long a session that failed may take to say so."""


def upload(url: SplitResult, name: str, source: Source, transfer: Transfer) -> None:
    """Write the file into the folder that the location is, or under its name. Raises TransferError, Cancelled."""

    async def work(client: Any) -> None:
        path = _path(url)
        if not names_file(url) or await client.isdir(path or "."):
            if path and not await client.isdir(path):
                await client.mkdir(path)
            path = f"{path}/{name}" if path else name
        async with client.open(path, "wb") as remote:
            while chunk := source.read(CHUNK_BYTES):
                await remote.write(chunk)

    _run(url, transfer, work)


def download(url: SplitResult, sink: Sink, transfer: Transfer) -> None:
    """Read the file at the server. Raises TransferError, Cancelled."""

    async def work(client: Any) -> None:
        async with client.open(_path(url), "rb") as remote:
            while chunk := await remote.read(CHUNK_BYTES):
                sink.write(chunk)

    _run(url, transfer, work)


def _path(url: SplitResult) -> str:
    """From the folder that a login leads to, or from the root where it has two slashes."""
    path = unquote(url.path)
    return ("/" if path.startswith("//") else "") + path.strip("/")


def _run(url: SplitResult, transfer: Transfer, work: Callable[[Any], Awaitable[None]]) -> None:
    try:
        import asyncssh
    except ImportError as error:
        raise TransferError(NOT_SUPPORTED, "SFTP needs the extra pilotwire[sftp]") from error
    try:
        asyncio.run(_session(asyncssh, url, transfer, work))
    except (asyncssh.PermissionDenied, asyncssh.SFTPPermissionDenied) as error:
        raise TransferError(PERMISSION_DENIED, str(error)) from error
    except (asyncssh.Error, TimeoutError) as error:
        raise TransferError(FAILURE, str(error) or type(error).__name__) from error


async def _session(asyncssh: Any, url: SplitResult, transfer: Transfer, work: Callable[[Any], Awaitable[None]]) -> None:
    """OCPP hands over no host key: the password in the location is all there is, as with FTP."""
    ssh = await asyncssh.connect(
        sock=transfer.connect(url.hostname or "", url.port or 22),
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
    try:
        async with ssh.start_sftp_client() as client:
            await work(client)
    finally:
        ssh.abort() if transfer.ended else ssh.close()
        await asyncio.wait_for(ssh.wait_closed(), CLOSING_S)
