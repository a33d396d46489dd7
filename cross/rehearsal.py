"""Carried out on a board: an upgrade over OCPP, and one that is taken back. Standard library only.

This plays the service manager (starts the station and the updater's services) and drives a CSMS. The bundles
/bundles/one, two and three.tar.zst differ in their version. Ends with status 0 when everything went as it should.
"""

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HOME, ETC, SPOOL = Path("/opt/pilotwire"), Path("/etc/pilotwire"), Path("/var/lib/pilotwire")
UPDATER = [sys.executable, str(HOME / "pilotwire-update.pyz")]
STATION_FILE, CSMS_LOG, STATION_LOG = ETC / "station.toml", Path("/tmp/csms.log"), Path("/tmp/station.log")
SHOWN = 3000
STEP_S = 400.0
TRIAL_S = "60"
"""Of the release that is not to reach its CSMS: time for it to start under emulation, and to be looked for in vain."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now: more than one rehearsal may go on, and the board shares the host's network."""
    with ExitStack() as open_ones:
        sockets = [open_ones.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in sockets]


CSMS_PORT, CSMS_API, LOCAL_API, FILES = free_ports(4)

STATION = """
[station]
id = "CS1"
vendor = "pilotwire"
model = "Rehearsal"
state_dir = "/var/lib/pilotwire"
reset = "exit"
[[network]]
url = "ws://127.0.0.1:{csms}/ocpp"
version = "2.0.1"
security_profile = 0
[[evse]]
[[evse.connector]]
[local_api]
listen = "127.0.0.1:{api}"
[firmware]
install_command = ["{python}", "/opt/pilotwire/pilotwire-update.pyz", "request", "{{file}}"]
confirm_command = ["{python}", "/opt/pilotwire/pilotwire-update.pyz", "confirm"]
"""


def trial() -> dict[str, Any]:
    """What the updater keeps of the last trial."""
    return dict(json.loads((HOME / "trial.json").read_text()))


def wait_for(what: str, condition: Any) -> None:
    """Raises SystemExit when it does not come true in time."""
    deadline = time.monotonic() + STEP_S
    while not condition():
        if time.monotonic() > deadline:
            logs = [file.read_text(errors="replace")[-SHOWN:] for file in (CSMS_LOG, STATION_LOG)]
            sys.exit("\n".join([f"{what}: not within {STEP_S:.0f} s", *logs]))
        time.sleep(0.5)
    print(f"* {what}", flush=True)


class System:
    """Does what pilotwire.service, pilotwire-trial.service and pilotwire-update.path do."""

    def __init__(self) -> None:
        self.stopping = False
        self.station: subprocess.Popen[bytes] | None = None
        self._threads = [threading.Thread(target=work) for work in (self._station, self._path)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Shut down."""
        self.stopping = True
        if self.station is not None:
            self.station.terminate()
        for thread in self._threads:
            thread.join()

    def _station(self) -> None:
        with STATION_LOG.open("ab") as log:
            while not self.stopping:
                subprocess.run([*UPDATER, "guard"], check=False)
                command: list[str | Path] = [HOME / "current" / "bin" / "pilotwire", "run", STATION_FILE]
                self.station = subprocess.Popen(command, stdout=log, stderr=log)
                watcher = threading.Thread(target=self._watch, args=(self.station,))
                watcher.start()
                self.station.wait()
                watcher.join()

    def _watch(self, station: "subprocess.Popen[bytes]") -> None:
        if not trial()["outcome"]:
            subprocess.run([*UPDATER, "watch", "--seconds", TRIAL_S], check=False)
            if trial()["outcome"] == "failed":
                station.terminate()

    def _path(self) -> None:
        while not self.stopping:
            if (SPOOL / "update" / "request.json").exists():
                subprocess.run([*UPDATER, "serve"], check=False)
            time.sleep(0.5)


def start_csms() -> "subprocess.Popen[bytes]":
    """The development CSMS; what it shows goes into a file."""
    program = HOME / "current" / "bin" / "pilotwire"
    with CSMS_LOG.open("ab") as log:
        ports = ["--listen", f"127.0.0.1:{CSMS_PORT}", "--api", f"127.0.0.1:{CSMS_API}"]
        return subprocess.Popen([program, "csms", *ports], stdout=log, stderr=log)


def update(number: int, name: str) -> None:
    """Have the CSMS ask for an update."""
    location = f"http://127.0.0.1:{FILES}/{name}.tar.zst"
    request = {"requestId": number, "firmware": {"location": location, "retrieveDateTime": "2026-01-01T00:00:00Z"}}
    call = ["csms", "--api", f"127.0.0.1:{CSMS_API}", "--call", "CS1", "UpdateFirmware", json.dumps(request)]
    subprocess.run([HOME / "current" / "bin" / "pilotwire", *call], check=True)


def accepted() -> bool:
    """Whether the station's BootNotification was accepted."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{LOCAL_API}/api/status", timeout=10) as answer:
            return bool(json.load(answer)["boot_status"] == "Accepted")
    except OSError:
        return False


def told(status: str, number: int) -> bool:
    """Whether the CSMS was told a status of a request."""
    lines = CSMS_LOG.read_text(errors="replace").splitlines()
    return any(f'"{status}"' in line and f'"requestId": {number}' in line for line in lines)


def main() -> None:
    """Everything, in order."""
    subprocess.run(
        [sys.executable, "/bundles/pilotwire-update.pyz", "setup", "/bundles/one.tar.zst", "--key", "/bundles/key.pub"],
        check=True,
    )
    SPOOL.mkdir(parents=True, exist_ok=True)
    STATION_FILE.write_text(STATION.format(python=sys.executable, csms=CSMS_PORT, api=LOCAL_API))
    first = (HOME / "current").readlink().name
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", "-b", "127.0.0.1", "-d", "/bundles", str(FILES)],
        stderr=subprocess.DEVNULL,
    )
    csms, system = start_csms(), System()
    try:
        wait_for(f"{first} reaches its CSMS", accepted)
        update(1, "two")
        wait_for("the CSMS hears of the restart", lambda: told("InstallRebooting", 1))
        wait_for("the CSMS hears that the upgrade is installed", lambda: told("Installed", 1))
        second = (HOME / "current").readlink().name
        wait_for(f"{second} runs in the place of {first}", lambda: trial()["outcome"] == "good" and second != first)
        update(2, "one")
        wait_for(f"it refuses to go back to {first}", lambda: told("InstallVerificationFailed", 2))
        if (HOME / "current").readlink().name != second:
            sys.exit(f"{second} does not run any more")
        update(3, "three")
        wait_for("the CSMS hears of the restart, and is switched off", lambda: told("InstallRebooting", 3))
        csms.kill()
        csms.wait()
        wait_for("the release that does not reach it is taken back", lambda: trial()["outcome"] == "failed")
        csms = start_csms()
        wait_for(f"{second} runs again", lambda: (HOME / "current").readlink().name == second and accepted())
        wait_for("and tells that the installation failed", lambda: told("InstallationFailed", 3))
        subprocess.run([*UPDATER, "status"], check=True)
    finally:
        system.stop()
        for process in (csms, server):
            process.kill()


if __name__ == "__main__":
    main()
