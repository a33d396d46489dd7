"""Process start to the first BootNotification on the wire, and the memory of an idle connected station."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ocpp.csms.server import CsmsServer

ROOT = Path(__file__).parents[1]

FLOOR = "import asyncio, orjson, msgspec, sqlite3, ssl, websockets.asyncio.client\ntry:\n import uvloop\nexcept ImportError: pass"

STATION = """
[station]
id = "BENCH"
[[network]]
url = "ws://127.0.0.1:{port}/ocpp"
version = "2.0.1"
offer = ["2.0.1"]
security_profile = 0
[[evse]]
[[evse.connector]]
[[evse]]
[[evse.connector]]
[local_api]
listen = "off"
"""


def _resident_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


async def _start(folder: Path) -> tuple[float, int]:
    booted = asyncio.Event()
    server = CsmsServer(watcher=lambda station, sent, frame: booted.set() if b"BootNotification" in frame else None)
    await server.start("127.0.0.1", 0)
    file = folder / "station.toml"
    file.write_text(STATION.format(port=server.port))
    start = time.perf_counter()
    command = [sys.executable, "-m", "ocpp.station.cli", "run", str(file)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        await asyncio.wait_for(booted.wait(), 30)
        elapsed = time.perf_counter() - start
        await asyncio.sleep(0.5)
        return elapsed, _resident_kib(process.pid)
    finally:
        process.terminate()
        process.wait()
        await server.stop()


def test_start_floor(benchmark, role):
    role("process start to BootNotification", "floor", "imports of the libraries alone")
    benchmark.pedantic(lambda: subprocess.run([sys.executable, "-c", FLOOR], check=True), rounds=5)


@pytest.mark.filterwarnings("ignore")
def test_start(benchmark, role, tmp_path):
    role("process start to BootNotification", "ours", "pilotwire run")
    memory = []

    def start():
        folder = tmp_path / str(len(memory))
        folder.mkdir()
        elapsed, resident = asyncio.run(_start(folder))
        memory.append((elapsed, resident))

    benchmark.pedantic(start, rounds=3)
    benchmark.stats.stats.data = [elapsed for elapsed, _ in memory]
    floor = subprocess.run(
        [sys.executable, "-c", FLOOR + "\nprint(open('/proc/self/status').read().split('VmRSS:')[1].split()[0])"],
        capture_output=True,
        text=True,
        check=True,
    )
    benchmark.extra_info["memory_kib"] = (min(resident for _, resident in memory), int(floor.stdout))
