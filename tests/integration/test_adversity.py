"""The program where the machine itself is in trouble: name servers that say nothing, a disk that is full. As root only."""

import os
import subprocess
import sys
import time

import pytest
from support.dev_csms import DevelopmentCsms
from support.processes import StationProcess, station_file


def may(*command: str) -> bool:
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


SILENT_NAME_SERVER = """
import signal, socket, subprocess, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.9", 53))
subprocess.run(["mount", "--bind", sys.argv[1], "/etc/resolv.conf"], check=True)
station = subprocess.Popen([sys.executable, "-m", "ocpp.station.cli", "run", sys.argv[2]])
signal.signal(signal.SIGTERM, lambda *_: station.terminate())
sys.exit(station.wait())
"""
"""In a mount namespace of its own: a name server that takes every question and answers none."""


@pytest.mark.skipif(not may("unshare", "-m", "true"), reason="no namespace can be made here; run as root")
def test_a_name_server_that_says_nothing_does_not_hold_up_sigterm(tmp_path):
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.9\n")
    text = station_file(9, "2.0.1").replace("ws://127.0.0.1:9", "ws://csms.nowhere.example:9")
    launcher = ["unshare", "-m", sys.executable, "-c", SILENT_NAME_SERVER, str(resolver)]
    station = StationProcess(tmp_path, text, launcher=launcher).start()
    try:
        assert station.status()["connection"]["state"] == "connecting"
        began = time.monotonic()
        assert station.stop() == 0
        assert time.monotonic() - began < 5
    finally:
        station.kill()


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if not may("mount", "-t", "tmpfs", "-o", "size=6m", "none", str(folder)):
        pytest.skip("no file system can be mounted here; run as root, with CAP_SYS_ADMIN")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill_up(folder) -> None:
    descriptor = os.open(folder / "filler", os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except OSError:
        os.close(descriptor)


def test_a_station_starts_on_a_full_disk_and_tells_what_was_open(small_disk, tmp_path):
    csms = DevelopmentCsms()
    text = station_file(csms.port, "2.0.1").replace("[station]", f'[station]\nstate_dir = "{small_disk}/state"')
    station = StationProcess(tmp_path, text).start()
    try:
        station.wait_accepted()
        station.plug()
        station.card()
        station.wait_state("Charging")
        station.kill()
        fill_up(small_disk)
        station.start()
        station.wait_accepted()
        station.wait(
            lambda: [each for each in csms.calls("TransactionEvent") if each["eventType"] == "Ended"], "it is ended"
        )
        assert "disk is full" in station.log.read_text()
        assert station.stop() == 0
    finally:
        station.kill()
        csms.stop()


@pytest.mark.parametrize("lost", ["log", "database"])
def test_what_a_database_lost_is_told_to_the_csms(tmp_path, lost):
    csms = DevelopmentCsms()
    station = StationProcess(tmp_path, station_file(csms.port, "2.0.1")).start()
    try:
        station.wait_accepted()
        station.kill()
        file = tmp_path / "state" / ("station.db-wal" if lost == "log" else "station.db")
        file.unlink()
        station.start()
        station.wait_accepted()
        station.wait(
            lambda: "DatabaseDamaged" in [each["type"] for each in csms.calls("SecurityEventNotification")],
            "it is told",
        )
        assert station.stop() == 0
    finally:
        station.kill()
        csms.stop()
