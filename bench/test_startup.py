"""A whole station program over TLS: from process start to BootNotification on the wire, memory and CPU when idle."""

import asyncio
import compileall
import contextlib
import io
import os
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.memory import resident_kib

from ocpp.csms.server import CsmsServer
from ocpp.station.cert.pki import make_test_pki

START = "station: process start to BootNotification"
LATER = "pilotwire run, database there"
IDLE = "station: idle"
STARTS, SHORT_STARTS = 15, 3
IDLE_S, SHORT_IDLE_S = 60.0, 2.0
"""A minute, as it takes in a heartbeat and whatever else comes round."""
SETTLED_S = 1.0
"""After the boot, until what it has set off is over."""

FLOOR = """
import asyncio, orjson, sqlite3, ssl, sys
import websockets.asyncio.client as client
try:
    import uvloop
    factory = uvloop.new_event_loop
except ImportError:
    factory = None
async def main():
    context = ssl.create_default_context(cafile=sys.argv[2])
    async with client.connect(f"wss://localhost:{sys.argv[1]}/FLOOR", ssl=context, subprotocols=["ocpp2.0.1"]):
        status = open("/proc/self/status").read()
        print(status.split("VmRSS:")[1].split()[0], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
with asyncio.Runner(loop_factory=factory) as runner:
    runner.run(main())
"""
"""The libraries alone: their import, a TLS connection, its resident memory on standard output."""

STATION = """
[station]
id = "BENCH"
[[network]]
url = "wss://localhost:{port}/ocpp"
version = "2.0.1"
offer = ["2.0.1"]
security_profile = 2
password = "0123456789abcdef"
ca_file = "{folder}/root.pem"
[[evse]]
[[evse.connector]]
[[evse]]
[[evse.connector]]
[local_api]
listen = "off"
"""


ROOT = Path(__file__).parents[1]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@pytest.fixture(scope="module", autouse=True)
def _bytecode():
    """As on an installed station: where bytecode may not be written, every start would measure the compiler."""
    for package in ("ocpp", "hal"):
        compileall.compile_dir(ROOT / package, quiet=1)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    with contextlib.redirect_stdout(io.StringIO()):
        make_test_pki(folder, "localhost", "BENCH", 30)
    return folder


def _cpu_s(pid):
    """CPU time of all threads of a process, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


@contextlib.asynccontextmanager
async def _csms(pki, port=0):
    booted = asyncio.Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "csms.pem", pki / "csms.key")
    server = CsmsServer(
        watcher=lambda station, sent, frame: booted.set() if b"BootNotification" in frame else None, context=context
    )
    await server.start("127.0.0.1", port)
    try:
        yield server.port, booted
    finally:
        await server.stop()


async def _station(pki, folder, idle_s):
    """Seconds to the BootNotification, KiB resident, and the share of a core while idle (None unless asked).

    A start in a folder that is there already is a later one of the same station: its database exists, and its station file
    says what it said.
    """
    folder.mkdir(exist_ok=True)
    file, known = folder / "station.toml", folder / "port"
    async with _csms(pki, int(known.read_text()) if known.exists() else 0) as (port, booted):
        known.write_text(str(port))
        file.write_text(STATION.format(port=port, folder=pki))
        start = time.perf_counter()
        command = [sys.executable, "-m", "ocpp.station.cli", "run", str(file)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        try:
            await asyncio.wait_for(booted.wait(), 30)
            elapsed = time.perf_counter() - start
            await asyncio.sleep(SETTLED_S)
            resident, share = resident_kib("VmRSS", process.pid), None
            if idle_s:
                before, since = _cpu_s(process.pid), time.perf_counter()
                await asyncio.sleep(idle_s)
                share = (_cpu_s(process.pid) - before) / (time.perf_counter() - since)
            return elapsed, resident, share
        finally:
            process.terminate()
            process.wait()


async def _libraries(pki):
    """Seconds until the libraries alone have a TLS connection, and their KiB resident."""
    async with _csms(pki) as (port, _):
        start = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            FLOOR,
            str(port),
            str(pki / "root.pem"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=ENVIRONMENT,
        )
        resident = int(await process.stdout.readline())
        elapsed = time.perf_counter() - start
        process.stdin.close()
        await process.wait()
        return elapsed, resident


def _is_short(config):
    return float(config.getoption("benchmark_max_time")) < 1


@pytest.fixture(scope="module")
def starts(pki, tmp_path_factory, pytestconfig):
    """Of the libraries alone, and a station's first and later start, in turn: all find the machine in the same mood."""
    place = tmp_path_factory.mktemp("starts")
    rounds = SHORT_STARTS if _is_short(pytestconfig) else STARTS
    libraries, first, later = [], [], []
    for number in range(rounds):
        libraries.append(asyncio.run(_libraries(pki)))
        first.append(asyncio.run(_station(pki, place / str(number), 0)))
        later.append(asyncio.run(_station(pki, place / str(number), 0)))
    return libraries, first, later


@pytest.mark.filterwarnings("ignore")
def test_start_floor(role, measured, starts):
    role(START, "floor", "libraries alone, TLS connection opened")
    libraries, _, _ = starts
    measured(*(elapsed for elapsed, _ in libraries), MiB=min(kib for _, kib in libraries) / 1024)


def _take_station(measured, libraries, stations):
    kib = min(resident for _, resident, _ in stations)
    ratio = kib / min(resident for _, resident in libraries)
    measured(*(elapsed for elapsed, _, _ in stations), **{"MiB": kib / 1024, "memory ratio": ratio})


@pytest.mark.filterwarnings("ignore")
def test_start(role, measured, starts):
    role(START, "ours", LATER)
    libraries, _, later = starts
    _take_station(measured, libraries, later)


@pytest.mark.filterwarnings("ignore")
def test_first_start(role, measured, starts):
    role(START, "ours", "pilotwire run, first start: new database")
    libraries, first, _ = starts
    _take_station(measured, libraries, first)


@pytest.mark.filterwarnings("ignore")
def test_idle(role, measured, pki, tmp_path, pytestconfig):
    role(IDLE, "ours", "pilotwire run")
    seconds = SHORT_IDLE_S if _is_short(pytestconfig) else IDLE_S
    _, _, share = asyncio.run(_station(pki, tmp_path / "idle", seconds))
    measured(0.0, **{"% of a core": share * 100})
