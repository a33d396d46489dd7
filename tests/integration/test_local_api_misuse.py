"""The local API of a running station against pages, rebound names and broken HTTP: refused in words, and never a traceback."""

import http.client
import json
import os
import random
import re
import socket

import pytest
from support.processes import StationProcess, station_file

EXAMPLES = int(os.environ.get("PILOTWIRE_FUZZ_EXAMPLES", "400"))
PLUG = "/api/sim/evses/1/connectors/1/plug"


@pytest.fixture(scope="module")
def station(tmp_path_factory):
    station = StationProcess(tmp_path_factory.mktemp("station"), station_file(9, "2.0.1")).start()
    yield station
    text = station.log.read_text()
    assert "Traceback" not in text
    assert "internal problem" not in text
    assert station.stop() == 0


TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    text = station_file(9, "2.0.1").replace('"127.0.0.1:0"', f'"127.0.0.1:0"\ntoken = "{TOKEN}"')
    station = StationProcess(tmp_path_factory.mktemp("guarded"), text).start()
    yield station
    assert "Traceback" not in station.log.read_text()
    station.stop()


def send(station, raw: bytes, *, half_closed: bool = False) -> bytes:
    """Everything that comes back."""
    with socket.create_connection(("127.0.0.1", station.port), timeout=10) as connection:
        connection.sendall(raw)
        if half_closed:
            connection.shutdown(socket.SHUT_WR)
        found = b""
        try:
            while piece := connection.recv(65536):
                found += piece
        except ConnectionResetError:
            pass
        return found


def ask(station, method="GET", path="/api/status", body=b"", **headers):
    """Status and JSON; `headers` with `_` for `-`, over the port of the station (`{port}`)."""
    lines = {"Host": f"127.0.0.1:{station.port}", "Connection": "close"}
    lines |= {name.replace("_", "-"): value.format(port=station.port) for name, value in headers.items()}
    if body or method == "POST":
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    answer = send(station, f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
    top, _, rest = answer.partition(b"\r\n\r\n")
    return int(top.split()[1]), json.loads(rest) if rest else None


OURS = ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "localhost.:{port}", "[::1]:{port}", "10.1.2.3"]
OTHERS = ["evil.example:{port}", "evil.example", "127.0.0.1.evil.example:{port}", "localhost.evil.example", "x", "[::1"]


@pytest.mark.parametrize("host", OURS)
def test_a_program_asks_by_address_or_localhost(station, host):
    assert ask(station, Host=host)[0] == 200
    assert ask(station, "POST", PLUG, Host=host)[0] == 200


@pytest.mark.parametrize("host", OTHERS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_name_that_was_bent_to_this_address_is_refused(station, host, method):
    status, answer = ask(station, method, "/api/variables", Host=host)
    assert (status, list(answer)) == (403, ["error"])


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        "http://localhost:{port}",
        "x",
        "http://[",
    ],
)
def test_a_page_of_anywhere_else_is_refused(station, origin):
    for content_type in ("text/plain", "application/json", "application/x-www-form-urlencoded"):
        body = json.dumps({"SecurityCtrlr/BasicAuthPassword": "0123456789abcdef"}).encode()
        status, _ = ask(station, "POST", "/api/variables", body, Origin=origin, Content_Type=content_type)
        assert status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Referer": "https://evil.example/page"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "text/plain;charset=UTF-8"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": ""},
        {"Origin": "http://127.0.0.1:{port}", "Content-Type": "application/x-www-form-urlencoded"},
    ],
    ids=str,
)
def test_what_only_pages_send_is_refused(station, headers):
    status, _ = ask(station, "POST", PLUG, b"{}", **{name.replace("-", "_"): value for name, value in headers.items()})
    assert status in (403, 415)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": "application/json"},
        {"Content_Type": "application/json; charset=utf-8"},
        {"Origin": "http://127.0.0.1:{port}", "Content_Type": "application/json", "Sec_Fetch_Site": "same-origin"},
    ],
    ids=str,
)
def test_what_curl_and_a_page_of_the_api_itself_send_is_taken(station, headers):
    assert ask(station, "POST", PLUG, b'{"soc": 20}', **headers)[0] == 200


def test_a_body_that_waits_to_be_asked_for_is_asked_for(station):
    with socket.create_connection(("127.0.0.1", station.port), timeout=10) as connection:
        connection.sendall(
            f"POST {PLUG} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        connection.sendall(b"{}")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("path", "status"), [("/api/status", 200), ("/api/events", 200), ("/api/nothing", 404), (PLUG, 405)]
)
def test_head_is_get_without_its_body(station, path, status):
    connection = http.client.HTTPConnection("127.0.0.1", station.port, timeout=10)
    for _ in range(2):  # the second time on the same connection
        connection.request("HEAD", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (status, b"")
    connection.close()


@pytest.mark.parametrize("given", ["Bearer wrong", "Bearer ümlaut", "Bearer", "", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
def test_a_wrong_token_is_refused_in_words(guarded, given):
    for method, body in (("GET", b""), ("POST", b"x" * 500_000), ("HEAD", b"")):
        assert ask(guarded, method, "/api/variables", body, Authorization=given)[0] == 401


def test_with_a_token_any_name_is_good(guarded):
    headers = {"Host": "station.example:80", "Authorization": f"Bearer {TOKEN}"}
    assert ask(guarded, **headers)[0] == 200
    assert ask(guarded, "POST", PLUG, b"{}", Origin="http://evil.example", **headers)[0] == 403


BROKEN = {
    "an address that is none": b"GET //[x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a host that is none": b"GET http://[x/api/status HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "half a body": b"POST /api/variables HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
    "half a chunk": b"POST /api/variables HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    "no chunk": b"POST /api/variables HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{",
    "two lengths": b"POST /api/variables HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "a negative length": b"POST /api/variables HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "two hosts": b"GET /api/status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "no host": b"GET /api/status HTTP/1.1\r\n\r\n",
    "a head without an end": b"GET /api/status HTTP/1.1\r\nX: " + b"a" * 70_000,
    "a method of no letters": b"\xff\xfe /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a proxy's": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an upgrade": b"GET /api/x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "nothing": b"",
    "an empty line": b"\r\n",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_http_is_answered_in_words_or_not_at_all(station, kind):
    answer = send(station, BROKEN[kind], half_closed=True)
    assert not answer or re.match(rb"HTTP/1.1 4\d\d ", answer)
    assert ask(station)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", f"/api/sim/evses/{'9' * 5000}/ev", 404),
        ("POST", "/api/sim/evses/²/ev", 400),
        ("POST", "/api/sim/evses/%C2%B2/ev", 404),
        ("GET", f"/api/explain?evse={'9' * 5000}", 400),
        ("GET", "/api/explain?evse=%C2%B2", 400),
        ("GET", "/api/explain?at=0001-01-01T00:00:00%2B14:00", 400),
        ("GET", "/api/explain?at=9999-12-31T23:59:59-14:00", 400),
        ("GET", "/api/explain?at=1971-01-01T00:00:00Z", 200),
        ("GET", "/api/explain?at=" + "9" * 5000, 400),
        ("GET", "/api/%00%ff%2e%2e/", 404),
        ("OPTIONS", "/api/status", 405),
        ("TRACE", "/api/status", 405),
    ],
)
def test_a_strange_address_gets_a_clear_error(station, method, path, status):
    assert ask(station, method, path.encode().decode("latin-1"))[0] == status


PIECES = [
    b"GET", b"POST", b"HEAD", b" ", b"/api/status", b"/api/variables", PLUG.encode(), b"?at=1", b"//[", b"%", b"\x00", b"\xff",
    b" HTTP/1.1\r\n", b"\r\n", b"\r\n\r\n", b"Host: localhost\r\n", b"Content-Length: 5\r\n", b"Origin: x\r\n", b"{}", b"[",
    b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"Expect: 100-continue\r\n", b"9" * 300,
    b"Connection: close\r\n", b"Upgrade: h2c\r\n", b"Authorization: \xe9\r\n", b": \r\n", b"\n",
]  # fmt: skip
VALUES = [
    None,
    True,
    0,
    -1,
    1e308,
    2**63 - 1,
    "",
    "x" * 300,
    "\u0000",
    "ü",
    [],
    {},
    [[]],
    {"a": 1},
    ["x"],
    "2026-01-01",
]
NAMES = [
    "soc", "max_current_a", "phases", "battery_wh", "delay_s", "state", "fault", "kind", "active", "info", "vendor_code",
    "energy_wh", "power_w", "frozen", "signed", "start", "end", "id", "type", "evses", "occupied", "offset_s", "up",
    "source", "limit", "unit", "periods", "evse", "grid_critical", "TxCtrlr/TxStartPoint", "keys/HeartbeatInterval",
]  # fmt: skip
CALLS = [
    PLUG, "/api/sim/evses/1/ev", "/api/sim/evses/1/meter", "/api/sim/evses/1/connectors/1/fault", "/api/sim/tokens",
    "/api/sim/evses/1/parking_bay", "/api/external_limits", "/api/variables", "/api/sim/clock", "/api/master_pass",
    "/api/sim/evses/1/iso15118",
]  # fmt: skip


def test_any_bytes_leave_the_api_at_work(station):
    rng = random.Random(1)
    for _ in range(EXAMPLES):
        raw = b"".join(rng.choice(PIECES) for _ in range(rng.randint(1, 12)))
        answer = send(station, raw, half_closed=True)
        assert b"HTTP/1.1 500" not in answer, raw
    assert ask(station)[0] == 200


def test_any_values_are_taken_or_refused(station):
    rng = random.Random(2)
    for _ in range(EXAMPLES):
        body = {rng.choice(NAMES): rng.choice(VALUES) for _ in range(rng.randint(0, 4))}
        path = rng.choice(CALLS)
        status, answer = ask(station, "POST", path, json.dumps(body).encode())
        assert status in (200, 400, 404, 503), (path, body, answer)
    ask(station, "POST", "/api/sim/clock", b'{"offset_s": 0}')
    assert ask(station)[0] == 200
