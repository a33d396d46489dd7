"""What ends a transfer: its pace, its wish, and nothing that a peer does or leaves undone."""

import asyncio
import os
import socket
import ssl
import stat
import threading
import time
from contextlib import contextmanager

import pytest
from support.file_server import file_server
from support.tls import Authority, server_context
from unit.ocpp.core.test_file_transfer import ftp_server, sftp_server

from ocpp import blocking
from ocpp.core import file_transfer, transfer
from ocpp.core.transfer import Cancelled, Pace, Transfer, TransferError

CONTENT = b"0123456789" * 50_000
SOON_S = 5.0
"""Real seconds within which an end has to come that a peer's silence would put off by a minute."""


@contextmanager
def peer(talk):
    """A server whose connections `talk(connection, ended)` serves, in threads."""
    ended = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    threads = []

    def serve_one(connection):
        with connection:
            try:
                talk(connection, ended)
            except OSError:
                return

    def serve():
        while not ended.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve_one, args=(connection,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=serve, daemon=True)
    accepting.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        ended.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join(5)
        for thread in threads:
            thread.join(5)


def silent(connection, ended):
    ended.wait(30)


def trickling(greeting, drop):
    """Says `greeting`, then a few bytes every now and then."""

    def talk(connection, ended):
        connection.sendall(greeting)
        while not ended.wait(0.02):
            connection.sendall(drop)

    return talk


def endless_head(connection, ended):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not ended.wait(0.02):
        connection.sendall(b"a")


FILE = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"

SLOW_DOWNLOADS = {
    "accepts and says nothing, HTTP": ("http", silent),
    "accepts and says nothing, HTTPS": ("https", silent),
    "accepts and says nothing, FTP": ("ftp", silent),
    "accepts and says nothing, SFTP": ("sftp", silent),
    "a head without an end": ("http", endless_head),
    "a body that trickles": ("http", trickling(FILE, b"x")),
    "a chunked body that trickles": (
        "http",
        trickling(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ),
    "a greeting without an end": ("ftp", trickling(b"220-", b"220-more\r\n")),
}


@pytest.fixture
def impatient(monkeypatch):
    """A minute is a blink."""
    monkeypatch.setattr(transfer, "WINDOW_S", 0.3)
    monkeypatch.setattr(transfer, "LOOK_S", 0.05)
    monkeypatch.setattr(transfer, "MIN_BYTES_PER_S", 10_000)


def workers():
    return [each for each in threading.enumerate() if each.name == "pilotwire-blocking"]


async def gone():
    """The threads end as well, soon."""
    deadline = time.monotonic() + SOON_S
    while workers():
        assert time.monotonic() < deadline, workers()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", SLOW_DOWNLOADS)
async def test_a_download_from_a_peer_that_keeps_it_waiting_ends(tmp_path, impatient, kind):
    scheme, talk = SLOW_DOWNLOADS[kind]
    began = time.monotonic()
    with peer(talk) as address:
        with pytest.raises(TransferError):
            await Transfer().run(lambda each: file_transfer.download(f"{scheme}://{address}/a", tmp_path / "i", each))
        assert time.monotonic() - began < SOON_S
        await gone()


@pytest.mark.parametrize("scheme", ["http", "https", "ftp", "sftp"])
async def test_a_transfer_that_is_cancelled_ends_at_once_and_so_does_its_thread(tmp_path, scheme):
    with peer(silent) as address:
        way = Transfer()
        work = asyncio.ensure_future(way.run(fetch_of(f"{scheme}://{address}/a", tmp_path)))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        way.cancel()
        with pytest.raises(Cancelled):
            await work
        assert time.monotonic() - began < 0.5
        await gone()


def fetch_of(location, folder):
    return lambda each: file_transfer.download(location, folder / "image", each)


async def test_an_upload_that_the_server_does_not_read_ends(tmp_path, impatient):
    path = tmp_path / "log"
    path.write_bytes(CONTENT * 40)
    with peer(silent) as address:
        with pytest.raises(TransferError, match="fewer than"):
            await Transfer().run(lambda each: file_transfer.upload(f"http://{address}/a.gz", path, "a.gz", each))
        await gone()


async def test_a_data_connection_that_stands_still_ends(tmp_path, impatient):
    (tmp_path / "remote").mkdir()
    with peer(silent) as silent_address:
        port = int(silent_address.rpartition(":")[2])

        def talk(connection, ended):
            connection.sendall(b"220 hello\r\n")
            with connection.makefile("rb") as lines:
                for line in lines:
                    answer = {
                        b"PASS": b"230 in",
                        b"TYPE": b"200 ok",
                        b"EPSV": b"500 no",
                        b"PASV": b"227 (127,0,0,1,%d,%d)" % divmod(port, 256),
                        b"RETR": b"150 here it comes",
                    }.get(line[:4], b"331 and")
                    connection.sendall(answer + b"\r\n")

        with peer(talk) as address:
            with pytest.raises(TransferError, match="fewer than"):
                await Transfer().run(fetch_of(f"ftp://{address}/a", tmp_path))
            await gone()


async def test_a_name_server_that_hangs_holds_nobody_up(tmp_path, monkeypatch, impatient):
    answer = threading.Event()

    def hang(*_, **__):
        answer.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    other = tmp_path / "other"
    other.mkdir()
    way = Transfer()
    work = asyncio.ensure_future(way.run(fetch_of("http://nowhere.example/a", tmp_path)))
    await asyncio.sleep(0.05)
    way.cancel()
    with pytest.raises(Cancelled):
        await work
    with pytest.raises(TransferError, match="fewer than"):
        await Transfer().run(fetch_of("http://nowhere.example/b", other))
    answer.set()
    await gone()


async def test_the_number_of_transfers_is_bounded_and_one_too_many_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(blocking, "MAX_THREADS", 2)
    with peer(silent) as address:
        ways = [Transfer(), Transfer()]
        works = [
            asyncio.ensure_future(way.run(fetch_of(f"http://{address}/a", tmp_path / str(n))))
            for n, way in enumerate(ways)
        ]
        for n in range(2):
            (tmp_path / str(n)).mkdir()
        await asyncio.sleep(0.05)
        with pytest.raises(TransferError, match="under way"):
            await Transfer().run(fetch_of(f"http://{address}/a", tmp_path))
        for way in ways:
            way.cancel()
        await asyncio.gather(*works, return_exceptions=True)
        await gone()


async def test_threads_of_transfers_do_not_keep_the_program_from_ending(tmp_path):
    with peer(silent) as address:
        way = Transfer()
        work = asyncio.ensure_future(way.run(fetch_of(f"http://{address}/a", tmp_path)))
        await asyncio.sleep(0.05)
        assert all(each.daemon for each in workers())
        assert workers()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await gone()


def test_a_transfer_that_is_fast_enough_goes_on_and_comes_to_an_end_all_the_same():
    pace, moved = Pace(1000.0), 0
    for second in range(1, int(transfer.LONGEST_S)):
        moved += transfer.MIN_BYTES_PER_S
        assert pace.wrong(1000.0 + second, moved) == ""
    assert "not done after" in pace.wrong(1001.0 + transfer.LONGEST_S, moved)


@pytest.mark.parametrize("rate", [0.0, 0.5, 0.95])
def test_a_transfer_that_is_too_slow_ends_with_the_window(rate):
    pace = Pace(0.0)
    moved = int(rate * transfer.MIN_BYTES_PER_S * transfer.WINDOW_S)
    assert pace.wrong(transfer.WINDOW_S - 0.1, moved) == ""
    assert "fewer than" in pace.wrong(transfer.WINDOW_S, moved)


def test_a_transfer_that_slows_down_is_judged_by_its_last_window():
    pace = Pace(0.0)
    assert pace.wrong(transfer.WINDOW_S, 10**9) == ""
    assert "fewer than" in pace.wrong(2 * transfer.WINDOW_S, 10**9)


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["http", "ftp", "sftp"])
def offered(request, tmp_path):
    """A file at a server of each kind; gives its location and content."""
    remote = tmp_path / "remote"
    remote.mkdir()
    (remote / "image.bin").write_bytes(CONTENT)
    if request.param == "http":
        with file_server() as server:
            yield server.offer("/image.bin", CONTENT)
    else:
        with (ftp_server if request.param == "ftp" else sftp_server)(remote) as address:
            yield f"{request.param}://joe:secret@{address}/image.bin"


async def test_a_download_leaves_a_file_of_its_own_that_nobody_may_write(offered, tmp_path):
    path = tmp_path / "image"
    await Transfer().run(lambda each: file_transfer.download(offered, path, each))
    assert path.read_bytes() == CONTENT
    assert stat.S_IMODE(path.stat().st_mode) == 0o400


@pytest.mark.parametrize("there", ["file", "link"])
async def test_a_download_never_writes_into_a_file_that_is_there(offered, tmp_path, there):
    path, other = tmp_path / "image", tmp_path / "other"
    other.write_bytes(b"of somebody else")
    path.symlink_to(other) if there == "link" else path.write_bytes(b"of somebody else")
    with pytest.raises(TransferError):
        await Transfer().run(lambda each: file_transfer.download(offered, path, each))
    assert path.read_bytes() == other.read_bytes() == b"of somebody else"


async def test_nothing_that_was_cancelled_writes(tmp_path):
    way = Transfer()
    descriptor = os.open(tmp_path / "image", os.O_WRONLY | os.O_CREAT)
    sink = file_transfer.Sink(tmp_path, descriptor, way)
    sink.write(b"before")
    assert (tmp_path / "image").read_bytes() == b"before"  # no buffer holds anything back
    way.cancel()
    with pytest.raises(Cancelled):
        sink.write(b"after")
    os.close(descriptor)
    assert (tmp_path / "image").read_bytes() == b"before"


# -- redirects and addresses ------------------------------------------------------------------------------------------


@pytest.fixture
def server():
    with file_server() as server:
        yield server


async def get(location, path, barred=transfer.nothing_barred):
    await Transfer(barred).run(lambda each: file_transfer.download(location, path, each))
    return path.read_bytes()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", ["whole", "of this server", "of this folder"])
async def test_a_download_follows_redirects(server, tmp_path, status, kind):
    location = server.offer("/there/b", CONTENT)
    place = {"whole": location, "of this server": "/there/b", "of this folder": "b"}[kind]
    start = server.offer("/there/a", b"")
    server.redirects["/there/a"] = (status, place)
    assert await get(start, tmp_path / "image") == CONTENT


async def test_a_circle_of_redirects_ends(server, tmp_path):
    start = server.offer("/a", b"")
    server.redirects.update({"/a": (302, "/b"), "/b": (302, "/a")})
    with pytest.raises(TransferError, match="redirects more than"):
        await get(start, tmp_path / "image")
    assert len(server.requests) == 1 + 5


@pytest.mark.parametrize("place", ["ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://x/", "http://[x", "//"])
async def test_a_redirect_that_leads_out_of_http_is_not_followed(server, tmp_path, place):
    start = server.offer("/a", b"")
    server.redirects["/a"] = (302, place)
    with pytest.raises(TransferError):
        await get(start, tmp_path / "image")


def test_a_redirect_from_https_to_http_is_not_followed():
    from ocpp.core.http_transfer import _next

    with pytest.raises(TransferError, match="from https to http"):
        _next(file_transfer.parsed("https://a/x"), "http://a/x")
    assert _next(file_transfer.parsed("http://a/x"), "https://b/y").geturl() == "https://b/y"


def test_user_and_password_are_not_told_to_another_server():
    from ocpp.core.http_transfer import _next

    url = file_transfer.parsed("http://joe:secret@a/x")
    assert _next(url, "/y").password == "secret"
    for elsewhere in ("http://b/y", "https://a/y", "http://a:81/y"):
        assert _next(url, elsewhere).username is None


@pytest.mark.parametrize("hop", ["at once", "by a redirect", "by a name"])
async def test_an_address_that_is_barred_is_not_connected_to(server, tmp_path, hop):
    secret = server.offer("/secret", CONTENT)
    port = server.server_address[1]
    location = secret
    if hop == "by a redirect":
        with file_server() as first:
            location = first.offer("/a", b"")
            first.redirects["/a"] = (307, secret)
            with pytest.raises(TransferError, match="not there"):
                await get(location, tmp_path / "i", lambda address, to: "not there" if to == port else "")
    else:
        if hop == "by a name":
            location = secret.replace("127.0.0.1", "localhost")
        with pytest.raises(TransferError, match="not there"):
            await get(location, tmp_path / "i", lambda address, to: "not there" if to == port else "")
    assert server.requests == []


async def test_a_data_connection_goes_to_no_address_that_is_barred(tmp_path):
    asked = []
    with ftp_server(tmp_path) as address:
        (tmp_path / "a").write_bytes(CONTENT)
        control = int(address.rpartition(":")[2])

        def barred(host, port):
            asked.append(port)
            return "" if port == control else "no data"

        with pytest.raises(TransferError, match="no data"):
            await get(f"ftp://joe:secret@{address}/a", tmp_path / "image", barred)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("/new firmware.bin", "/new%20firmware.bin"),
        ("/für/größe.bin", "/f%C3%BCr/gr%C3%B6%C3%9Fe.bin"),
        ("/already%20quoted.bin", "/already%20quoted.bin"),
        ("/100%.bin", "/100%25.bin"),
        ("/a;b=c,d@e:f!$&'()*+~.bin", "/a;b=c,d@e:f!$&'()*+~.bin"),
        ("/a?token=ä b&x=%2F", "/a?token=%C3%A4%20b&x=%2F"),
    ],
)
async def test_blanks_and_letters_beyond_ascii_in_a_path_work(server, tmp_path, written, asked):
    location = server.offer(written, b"")
    server.files[asked] = CONTENT
    assert await get(location, tmp_path / "image") == CONTENT


async def test_a_redirect_in_utf_8_works(server, tmp_path):
    start = server.offer("/a", b"")
    server.files["/gr%C3%B6%C3%9Fe%20b"] = CONTENT
    server.redirects["/a"] = (302, "/größe b".encode().decode("latin-1"))
    assert await get(start, tmp_path / "image") == CONTENT


# -- the name that is told is the name that is stored -----------------------------------------------------------------

FORMS = ["", "/", "/logs", "/logs/", "/logs/deep", "/logs/named.tar.gz", "/logs/a%20name.log", "/größe/ü.log"]


@pytest.fixture(params=["http", "ftp", "sftp"])
def store(request, tmp_path):
    """Gives the location of a server's root, and what finds the files there by path."""
    remote = tmp_path / "remote"
    (remote / "logs").mkdir(parents=True)
    (remote / "größe").mkdir(parents=True)
    if request.param == "http":
        with file_server() as server:
            yield server.url.removesuffix("/logs/"), lambda: [_plain(path) for path in server.files]
    else:
        with (ftp_server if request.param == "ftp" else sftp_server)(remote) as address:
            yield (
                f"{request.param}://joe:secret@{address}",
                lambda: [f"/{each.relative_to(remote)}" for each in remote.rglob("*") if each.is_file()],
            )


def _plain(path):
    from urllib.parse import unquote

    return unquote(path)


@pytest.mark.parametrize("form", FORMS)
async def test_a_file_is_stored_under_the_name_that_was_told(store, tmp_path, form):
    root, files = store
    path = tmp_path / "log"
    path.write_bytes(CONTENT)
    told = file_transfer.stored_name(root + form, "CS001-log.gz")
    await Transfer().run(lambda each: file_transfer.upload(root + form, path, "CS001-log.gz", each))
    assert [each.rpartition("/")[2] for each in files()] == [told]
    names_file = "." in form
    assert (told == "CS001-log.gz") is not names_file
    assert files()[0] == (_plain(form) if names_file else f"{form.rstrip('/')}/{told}")


async def test_a_folder_with_a_dot_in_its_name_keeps_the_name_told(tmp_path):
    remote = tmp_path / "remote"
    (remote / "logs.d").mkdir(parents=True)
    path = tmp_path / "log"
    path.write_bytes(CONTENT)
    for serve, scheme in ((ftp_server, "ftp"), (sftp_server, "sftp")):
        with serve(remote) as address:
            location = f"{scheme}://joe:secret@{address}/logs.d"
            await Transfer().run(lambda each, at=location: file_transfer.upload(at, path, "CS001.gz", each))
    assert [each.name for each in (remote / "logs.d").iterdir()] == [file_transfer.stored_name(location, "CS001.gz")]


async def test_a_presigned_url_is_used_as_it_is(server, tmp_path):
    path = tmp_path / "log"
    path.write_bytes(CONTENT)
    location = server.url + "upload?X-Amz-Signature=abc%2Fdef"
    assert file_transfer.stored_name(location, "CS001.gz") == "upload"
    await Transfer().run(lambda each: file_transfer.upload(location, path, "CS001.gz", each))
    assert list(server.files) == ["/logs/upload?X-Amz-Signature=abc%2Fdef"]


async def test_an_address_that_takes_files_itself_is_told_their_name(server, tmp_path):
    """Not every location without a slash is a folder: some are programs that take a file."""
    path = tmp_path / "log"
    path.write_bytes(CONTENT)
    server.answers = [404]
    location = server.url.removesuffix("/")
    await Transfer().run(lambda each: file_transfer.upload(location, path, "CS001.gz", each))
    assert [request[1] for request in server.requests] == ["/logs/CS001.gz", "/logs"]
    assert 'filename="CS001.gz"' in server.requests[1][2]["Content-Disposition"]


async def test_an_upload_follows_a_redirect_with_the_file(server, tmp_path):
    path = tmp_path / "log"
    path.write_bytes(CONTENT)
    server.redirects["/logs/CS001.gz"] = (307, "/elsewhere/CS001.gz")
    await Transfer().run(lambda each: file_transfer.upload(server.url, path, "CS001.gz", each))
    assert server.files["/elsewhere/CS001.gz"] == CONTENT


# -- FTP over TLS -----------------------------------------------------------------------------------------------------


class Ftps:
    """As much of a server as an upload and a download need; `stored` has what came."""

    def __init__(self, context):
        self._context = context
        self.stored = {}

    def __call__(self, connection, ended):
        connection.sendall(b"220 hello\r\n")
        data = None
        while line := self._line(connection):
            word, _, rest = line.partition(b" ")
            if word == b"AUTH":
                connection.sendall(b"234 TLS\r\n")
                connection = self._context.wrap_socket(connection, server_side=True)
                continue
            if word == b"PASV":
                data = socket.create_server(("127.0.0.1", 0))
                answer = b"227 (127,0,0,1,%d,%d)" % divmod(data.getsockname()[1], 256)
            elif word in (b"RETR", b"STOR"):
                connection.sendall(b"150 here\r\n")
                self._transfer(word, rest.decode(), data)
                answer = b"226 done"
            else:
                answer = {b"USER": b"331 password", b"PASS": b"230 in", b"QUIT": b"221 bye"}.get(word, b"200 ok")
            connection.sendall(answer + b"\r\n")
        connection.close()

    @staticmethod
    def _line(connection):
        line = b""
        while not line.endswith(b"\r\n") and (piece := connection.recv(1)):
            line += piece
        return line.strip()

    def _transfer(self, word, name, listening):
        plain, _ = listening.accept()
        listening.close()
        with self._context.wrap_socket(plain, server_side=True) as secure:
            if word == b"RETR":
                secure.sendall(CONTENT)
            else:
                content = b""
                while piece := secure.recv(65536):
                    content += piece
                self.stored[name] = content
            secure.unwrap()


async def test_files_go_over_tls_as_well_and_end_with_their_transfer(tmp_path):
    root = Authority("root")
    server = Ftps(server_context(tmp_path, root))
    trust = ssl.create_default_context(cadata=root.pem.decode())
    with peer(server) as address:
        location = f"ftps://joe:secret@{address}/logs/"
        path = tmp_path / "image"
        await Transfer().run(lambda each: file_transfer.download(location + "image.bin", path, each, trust))
        assert path.read_bytes() == CONTENT
        await Transfer().run(lambda each: file_transfer.upload(location, path, "CS001.gz", each, trust))
        assert server.stored == {"CS001.gz": CONTENT}
        await gone()
