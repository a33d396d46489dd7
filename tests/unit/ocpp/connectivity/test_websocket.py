"""Real WebSockets: every way a connection can fail to come about, and what it says; frames of every sort."""

import asyncio
import datetime
import http
import logging
import socket
import ssl
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.tls import DAY, NOW, Authority, server_context, tls_server
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from ocpp.clock import SystemClock
from ocpp.connectivity import NetworkProfile, websocket
from ocpp.connectivity.secure_links import SecureLinks
from ocpp.errors import ConnectError, HandshakeRefused, SubprotocolRefused, TlsFailure
from ocpp.security.certificate_folder import CertificateFolder
from ocpp.versions import OcppVersion

PASSWORD = "a-secret-of-some-length"
BOTH = (OcppVersion.V21, OcppVersion.V201)


def profile(port: int, **more) -> NetworkProfile:
    scheme = more.pop("scheme", "ws")
    host = more.pop("host", "127.0.0.1")
    options = {"version": OcppVersion.V201, "password": PASSWORD, **more}
    return NetworkProfile(slot=1, url=f"{scheme}://{host}:{port}/ocpp", **options)


async def echo(connection) -> None:
    async for message in connection:
        await connection.send(message)


@asynccontextmanager
async def server(handler=echo, **options):
    options = {"subprotocols": ["ocpp2.1", "ocpp2.0.1"], **options}
    async with serve(handler, "127.0.0.1", 0, **options) as running:
        yield next(iter(running.sockets)).getsockname()[1]


@asynccontextmanager
async def listener(handle):
    """Something on a port that is no WebSocket server."""

    async def serve_one(reader, writer):
        try:
            await handle(reader, writer)
        finally:
            writer.close()

    running = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    async with running:
        yield running.sockets[0].getsockname()[1]


async def attempt(port: int, **more):
    links = SecureLinks(CertificateFolder(Path("nowhere")), SystemClock())
    link = await links(profile(port, **more), "CS 001", BOTH)
    await link.close()
    return link


# -- the handshake ----------------------------------------------------------------------------------------------------


async def test_the_server_picks_a_version_and_sees_identity_and_password():
    seen = {}

    async def look(connection):
        seen.update(path=connection.request.path, authorization=connection.request.headers["Authorization"])

    async with server(look) as port:
        link = await attempt(port)
    assert link.version is OcppVersion.V21
    assert seen["path"] == "/ocpp/CS%20001"
    assert seen["authorization"] == "Basic Q1MgMDAxOmEtc2VjcmV0LW9mLXNvbWUtbGVuZ3Ro"


@pytest.mark.req("A00.FR.204")
async def test_without_authentication_no_password_goes_out():
    seen = {}

    async def look(connection):
        seen.update(headers=connection.request.headers)

    async with server(look) as port:
        await attempt(port, security_profile=0)
    assert "Authorization" not in seen["headers"]


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (401, "check identity and password"),
        (403, "does not allow this station"),
        (404, "does not know this station"),
        (429, "too many attempts"),
        (500, "internal problem"),
        (503, "not available"),
    ],
)
async def test_a_refusal_by_http_says_its_status_and_what_to_do(status, hint):
    def refuse(connection, request):
        return connection.respond(http.HTTPStatus(status), "no\n")

    async with server(process_request=refuse) as port:
        with pytest.raises(HandshakeRefused, match=f"HTTP {status}") as caught:
            await attempt(port)
    assert caught.value.status == status
    assert hint in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.req("1.6-A00.FR.003")
async def test_a_redirection_is_told_and_not_followed(status):
    asked = []

    def redirect(connection, request):
        asked.append(request.path)
        answer = connection.respond(http.HTTPStatus(status), "")
        answer.headers["Location"] = f"ws://127.0.0.1:{port}/elsewhere"
        return answer

    async with server(process_request=redirect) as port:
        with pytest.raises(HandshakeRefused, match="not followed") as caught:
            await attempt(port)
    assert "/elsewhere" in str(caught.value)
    assert len(asked) == 1


async def test_a_server_that_picks_no_version_is_told():
    async with server(subprotocols=None) as port:
        with pytest.raises(SubprotocolRefused, match=r"ocpp2\.1, ocpp2\.0\.1"):
            await attempt(port)


async def test_a_server_that_picks_no_version_though_only_one_was_offered_speaks_that_one():
    async with server(subprotocols=None) as port:
        links = SecureLinks(CertificateFolder(Path("nowhere")), SystemClock())
        link = await links(profile(port), "CS001", (OcppVersion.V201,))
        assert link.version is OcppVersion.V201
        await link.send(b"[]")
        assert (await link.receive()).data == b"[]"
        await link.close()


async def test_a_query_of_the_url_reaches_the_csms_behind_the_identity():
    seen = []

    async def note(connection):
        seen.append(connection.request.path)

    async with server(note) as port:
        links = SecureLinks(CertificateFolder(Path("nowhere")), SystemClock())
        asked = NetworkProfile(
            slot=1, url=f"ws://127.0.0.1:{port}/ocpp?token=1", version=OcppVersion.V201, security_profile=0
        )
        await (await links(asked, "CS001", BOTH)).close()
    assert seen == ["/ocpp/CS001?token=1"]


async def test_a_server_that_picks_what_was_not_offered_is_told():
    async with server(subprotocols=["ocpp1.6"], select_subprotocol=lambda connection, offered: "ocpp1.6") as port:
        with pytest.raises(SubprotocolRefused, match="not offered"):
            await attempt(port)


async def test_a_web_server_that_is_no_csms_is_told():
    async def http_only(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        await writer.drain()

    async with listener(http_only) as port:
        with pytest.raises(HandshakeRefused, match="HTTP 200"):
            await attempt(port)


@pytest.mark.parametrize("answer", [b"", b"\x00\x01garbage\r\n\r\n", b"SSH-2.0-OpenSSH\r\n"])
async def test_something_else_on_the_port_is_told(answer):
    async def other(reader, writer):
        await reader.read(100)
        writer.write(answer)

    async with listener(other) as port:
        with pytest.raises(ConnectError):
            await attempt(port)


async def test_a_closed_port_is_told():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConnectError, match="refused"):
        await attempt(port)


async def test_a_name_that_nobody_has_is_told():
    with pytest.raises(ConnectError, match="cannot be resolved"):
        await attempt(9, host="no-such-host.invalid")


async def test_a_server_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr(websocket, "OPEN_TIMEOUT_S", 0.2)

    async def silent(reader, writer):
        await reader.read()

    async with listener(silent) as port:
        with pytest.raises(ConnectError, match="no answer"):
            await attempt(port)


# -- frames -----------------------------------------------------------------------------------------------------------


async def test_text_and_binary_are_told_apart():
    async def speak(connection):
        await connection.send("text")
        await connection.send(b"binary")
        await connection.wait_closed()

    async with server(speak) as port:
        link = await websocket.open_link(profile(port), "CS001", BOTH)
        assert [(r.data, r.text) for r in (await link.receive(), await link.receive())] == [
            (b"text", True),
            (b"binary", False),
        ]
        await link.close()


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_frames_up_to_the_limit_pass_with_and_without_compression(compression):
    async with server(compression=compression, max_size=None) as port:
        link = await websocket.open_link(profile(port), "CS001", BOTH)
        big = b'"' + b"x" * (websocket.MAX_FRAME_BYTES - 2) + b'"'
        await link.send(big)
        assert (await link.receive()).data == big
        await link.close()


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_a_frame_beyond_the_limit_closes_with_1009_deflated_or_not(compression):
    codes = []

    async def flood(connection):
        await connection.send("x" * (websocket.MAX_FRAME_BYTES + 1))
        with pytest.raises(ConnectionClosed) as caught:
            await connection.recv()
        codes.append(caught.value.rcvd.code if caught.value.rcvd else None)

    async with server(flood, max_size=None, compression=compression) as port:
        link = await websocket.open_link(profile(port), "CS001", BOTH)
        with pytest.raises(ConnectionError, match="1009"):
            await link.receive()
    assert codes == [1009]


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "going down"), (1008, "policy"), (3000, "own")])
async def test_a_close_by_the_csms_says_code_and_reason(code, reason):
    async def close(connection):
        await connection.close(code, reason)

    async with server(close) as port:
        link = await websocket.open_link(profile(port), "CS001", BOTH)
        with pytest.raises(ConnectionError, match=f"the CSMS closed the connection with code {code}.*{reason}"):
            await link.receive()


async def test_a_close_by_us_is_said_to_be_ours():
    async with server() as port:
        link = await websocket.open_link(profile(port), "CS001", BOTH)
        receiving = asyncio.ensure_future(link.receive())
        await asyncio.sleep(0)
        await link.close(1001, "the station stops")
        with pytest.raises(ConnectionError, match="closed by us with code 1001 the station stops"):
            await receiving
        with pytest.raises(ConnectionError):
            await link.send(b"x")


async def test_a_connection_that_breaks_is_told():
    async def vanish(connection):
        connection.transport.abort()

    async with server(vanish) as port:
        link = await websocket.open_link(profile(port), "CS001", BOTH)
        with pytest.raises(ConnectionError, match="broke"):
            await link.receive()


async def test_a_ping_returns_with_its_pong_and_fails_with_the_connection():
    async with server() as port:
        link = await websocket.open_link(profile(port), "CS001", BOTH)
        await link.ping()
        link.abort()
        with pytest.raises(ConnectionError):
            await link.ping()


# -- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def root():
    return Authority("pilotwire test root")


@pytest.fixture
def ca_file(root, tmp_path):
    file = tmp_path / "root.pem"
    file.write_bytes(root.pem)
    return str(file)


async def secure_attempt(context: ssl.SSLContext, host: str = "localhost", **more):
    async with server(ssl=context) as port:
        return await attempt(port, scheme="wss", host=host, security_profile=2, **more)


@pytest.mark.req("A00.FR.312")
async def test_tls_with_the_right_root_connects(root, ca_file, tmp_path):
    link = await secure_attempt(server_context(tmp_path, root), ca_file=ca_file)
    assert link.version is OcppVersion.V21


async def test_a_chain_with_an_intermediate_connects(root, ca_file, tmp_path):
    await secure_attempt(server_context(tmp_path, Authority("intermediate", root)), ca_file=ca_file)


FAR = datetime.timedelta(days=3650)


@pytest.mark.parametrize(
    ("make", "host", "told"),
    [
        (lambda folder, root: server_context(folder, Authority("another root")), "localhost", "issuer .* not known"),
        (lambda folder, root: server_context(folder, None), "localhost", "self-signed"),
        (lambda folder, root: server_context(folder, root, start=NOW - FAR, end=NOW - DAY), "localhost", "expired"),
        (
            lambda folder, root: server_context(folder, root, start=NOW + DAY, end=NOW + FAR),
            "localhost",
            "not valid yet",
        ),
        (lambda folder, root: server_context(folder, root, host="csms.example"), "localhost", "another host name"),
        (lambda folder, root: server_context(folder, root, host="csms.example"), "127.0.0.1", "another IP address"),
        (
            lambda folder, root: server_context(folder, Authority("intermediate", root), chain=False),
            "localhost",
            "intermediate",
        ),
    ],
)
async def test_a_certificate_that_is_not_good_is_told_in_plain_words(root, ca_file, tmp_path, make, host, told):
    with pytest.raises(TlsFailure, match=told):
        await secure_attempt(make(tmp_path, root), host, ca_file=ca_file)


async def refused_by(context: ssl.SSLContext, ca_file: str) -> str:
    with tls_server(context) as port, pytest.raises(ConnectError) as caught:
        await attempt(port, scheme="wss", host="localhost", security_profile=2, ca_file=ca_file)
    assert isinstance(caught.value, TlsFailure)
    return str(caught.value)


@pytest.mark.req("A00.FR.320")
async def test_a_server_with_weak_ciphers_only_is_told(root, ca_file, tmp_path):
    context = server_context(tmp_path, root)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA")
    assert "no common cipher suite" in await refused_by(context, ca_file)


@pytest.mark.req("A00.FR.314")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_a_server_with_tls_1_1_only_is_told(root, ca_file, tmp_path):
    context = server_context(tmp_path, root)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert "TLS versions" in await refused_by(context, ca_file)


async def test_a_server_that_wants_a_client_certificate_is_told(root, ca_file, tmp_path):
    context = server_context(tmp_path, root)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(ca_file)
    assert "client certificate" in await refused_by(context, ca_file)


@pytest.mark.req("1.6-A00.FR.003")
async def test_a_server_without_tls_is_told(ca_file):
    async def plain(reader, writer):
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with listener(plain) as port:
        with pytest.raises(TlsFailure, match=r"does not speak TLS|TLS handshake"):
            await attempt(port, scheme="wss", host="localhost", security_profile=2, ca_file=ca_file)


async def test_a_server_that_hangs_up_during_the_handshake_is_told(ca_file):
    async def hang_up(reader, writer):
        await reader.read(10)

    async with listener(hang_up) as port:
        with pytest.raises(TlsFailure, match="during the TLS handshake"):
            await attempt(port, scheme="wss", host="localhost", security_profile=2, ca_file=ca_file)


@pytest.mark.parametrize("content", [None, b"", b"garbage"])
async def test_a_root_file_that_is_none_is_told_before_anything_is_sent(tmp_path, content):
    file = tmp_path / "root.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConnectError, match="certificate or key cannot be used"):
        await attempt(9, scheme="wss", security_profile=2, ca_file=str(file))


async def test_the_host_name_may_be_left_unchecked_where_that_is_configured(root, ca_file, tmp_path):
    context = server_context(tmp_path, root, host="csms.example")
    await secure_attempt(context, ca_file=ca_file, verify_hostname=False)


@pytest.mark.parametrize("secure", [False, True])
async def test_the_password_never_shows(secure, root, ca_file, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)

    def refuse(connection, request):
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, "no\n")

    options = {"ssl": server_context(tmp_path, root)} if secure else {}
    more = {"scheme": "wss", "host": "localhost", "security_profile": 2, "ca_file": ca_file} if secure else {}
    async with server(process_request=refuse, **options) as port:
        with pytest.raises(HandshakeRefused) as caught:
            await attempt(port, **more)
        network = profile(port)
    ours = [record for record in caplog.records if record.name != "websockets.server"]
    shown = " ".join([*(record.getMessage() for record in ours), str(caught.value), repr(network)])
    assert PASSWORD not in shown
    assert "Q1MgMDAx" not in shown
