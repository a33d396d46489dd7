"""Files over FTP and SFTP, to and from real servers."""

import asyncio
import threading
import warnings
from contextlib import contextmanager

import pytest

from ocpp.core import file_transfer
from ocpp.core.file_transfer import Cancelled, Transfer, TransferError

CONTENT = b"0123456789" * 50_000


@contextmanager
def ftp_server(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it stands on asyncore
        pytest.importorskip("pyftpdlib", reason="pyftpdlib is not installed; the extra dev has it")
        from pyftpdlib.authorizers import DummyAuthorizer
        from pyftpdlib.handlers import FTPHandler
        from pyftpdlib.servers import FTPServer

    class Handler(FTPHandler):
        authorizer = DummyAuthorizer()

    Handler.authorizer.add_user("joe", "secret", str(folder), perm="elradfmw")
    Handler.authorizer.add_user("guest", "secret", str(folder), perm="el")
    server = FTPServer(("127.0.0.1", 0), Handler)
    ended = threading.Event()

    def serve():
        while not ended.is_set():
            server.serve_forever(timeout=0.01, blocking=False)
        server.close_all()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.address[1]}"
    ended.set()
    thread.join(5)


@contextmanager
def sftp_server(folder):
    asyncssh = pytest.importorskip("asyncssh", reason="asyncssh is not installed; the extra sftp has it")

    open_connections = []

    class Server(asyncssh.SSHServer):
        def connection_made(self, connection):
            open_connections.append(connection)

        def password_auth_supported(self):
            return True

        def validate_password(self, username, password):
            return password == "secret"

    class Rooted(asyncssh.SFTPServer):
        def __init__(self, channel):
            super().__init__(channel, chroot=str(folder))

    started, running = threading.Event(), []

    async def serve():
        stop = asyncio.Event()
        running.append((asyncio.get_running_loop(), stop))
        key = asyncssh.generate_private_key("ssh-ed25519")
        listening = await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Server, server_host_keys=[key], sftp_factory=Rooted
        )
        running.append(listening.get_port())
        started.set()
        await stop.wait()
        for connection in open_connections:
            await connection.wait_closed()
        listening.close()
        await listening.wait_closed()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    yield f"127.0.0.1:{running[1]}"
    loop, stop = running[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(5)


@pytest.fixture(params=["ftp", "sftp"])
def server(request, tmp_path):
    folder = tmp_path / "remote"
    (folder / "logs").mkdir(parents=True)
    with (ftp_server if request.param == "ftp" else sftp_server)(folder) as address:
        yield request.param, address, folder


@pytest.fixture
def local(tmp_path):
    path = tmp_path / "local.bin"
    path.write_bytes(CONTENT)
    return path


def never():
    return Transfer()


@pytest.mark.parametrize(("place", "arrives"), [("/logs/", "logs/name.gz"), ("/logs/other.gz", "logs/other.gz")])
def test_a_file_arrives_in_a_folder_or_under_a_name(server, local, place, arrives):
    scheme, address, folder = server
    file_transfer.upload(f"{scheme}://joe:secret@{address}{place}", local, "name.gz", never())
    assert (folder / arrives).read_bytes() == CONTENT


def test_a_file_is_fetched(server, tmp_path):
    scheme, address, folder = server
    (folder / "logs" / "new firmware.bin").write_bytes(CONTENT)
    target = tmp_path / "image"
    file_transfer.download(f"{scheme}://joe:secret@{address}/logs/new%20firmware.bin", target, never())
    assert target.read_bytes() == CONTENT


def test_a_wrong_password_is_a_denied_permission(server, local):
    scheme, address, _ = server
    with pytest.raises(TransferError) as told:
        file_transfer.upload(f"{scheme}://joe:wrong@{address}/logs/", local, "name.gz", never())
    assert told.value.kind == file_transfer.PERMISSION_DENIED


def test_a_missing_file_is_a_failure(server, tmp_path):
    scheme, address, _ = server
    with pytest.raises(TransferError):
        file_transfer.download(f"{scheme}://joe:secret@{address}/logs/none", tmp_path / "image", never())


@pytest.mark.filterwarnings("ignore:unclosed file")  # pyftpdlib leaves it so when its client goes in the middle
def test_a_transfer_can_be_cancelled(server, local):
    scheme, address, _ = server
    cancelled = never()
    cancelled.cancel()
    with pytest.raises(Cancelled):
        file_transfer.upload(f"{scheme}://joe:secret@{address}/logs/", local, "name.gz", cancelled)


def test_a_download_larger_than_allowed_is_given_up(server, tmp_path, monkeypatch):
    scheme, address, folder = server
    (folder / "large").write_bytes(CONTENT)
    monkeypatch.setattr(file_transfer, "MAX_DOWNLOAD_BYTES", 1000)
    with pytest.raises(TransferError, match="larger than 1000"):
        file_transfer.download(f"{scheme}://joe:secret@{address}/large", tmp_path / "image", never())


def test_a_nearly_full_disk_keeps_its_last_room(server, tmp_path, monkeypatch):
    scheme, address, folder = server
    (folder / "file").write_bytes(CONTENT)
    monkeypatch.setattr(file_transfer, "SPARE_BYTES", 2**62)
    with pytest.raises(TransferError, match="nearly full"):
        file_transfer.download(f"{scheme}://joe:secret@{address}/file", tmp_path / "image", never())


def test_no_server_at_all_is_a_failure(local):
    for scheme in ("ftp", "sftp", "http"):
        with pytest.raises(TransferError) as told:
            file_transfer.upload(f"{scheme}://127.0.0.1:9/x", local, "name.gz", never())
        assert told.value.kind == file_transfer.FAILURE


def test_reading_only_is_a_denied_permission(tmp_path, local):
    with ftp_server(tmp_path) as address, pytest.raises(TransferError) as told:
        file_transfer.upload(f"ftp://guest:secret@{address}/", local, "name.gz", never())
    assert told.value.kind == file_transfer.PERMISSION_DENIED
