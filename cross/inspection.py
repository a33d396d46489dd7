"""Carried out in a whole emulated machine, by its systemd: sets a bundle up and looks at the service. Standard library only.

Arguments: the ports on the host, as which 10.0.2.2 is seen, of a CSMS and of its API; or `probe`, as the service itself.
What was found goes to the serial console, a line each; then the machine is switched off.
"""

import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOST = "10.0.2.2"
HOME, STATION_FILE, STATE = Path("/opt/pilotwire"), Path("/etc/pilotwire/station.toml"), Path("/var/lib/pilotwire")
UNITS, UNIT = Path("/etc/systemd/system"), "pilotwire.service"
UPDATER = ["/usr/bin/python3", str(HOME / "pilotwire-update.pyz")]
API = "http://127.0.0.1:8077/api"
STEP_S = 400.0
STATION = """
[station]
id = "CS1"
vendor = "pilotwire"
model = "Inspection"
state_dir = "/var/lib/pilotwire"
reset = "exit"
[[network]]
url = "ws://{host}:{port}/ocpp"
version = "2.0.1"
security_profile = 0
[[evse]]
[[evse.connector]]
[local_api]
listen = "127.0.0.1:8077"
[firmware]
install_command = ["/usr/bin/python3", "/opt/pilotwire/pilotwire-update.pyz", "request", "{{file}}"]
confirm_command = ["/usr/bin/python3", "/opt/pilotwire/pilotwire-update.pyz", "confirm"]
"""


def tell(text: str) -> None:
    """Say something on the serial console, where the host reads it."""
    with open("/dev/ttyAMA0", "w") as console:
        console.write(f"\ninspection: {text}\n")


def wait_for(what: str, condition: Callable[[], object]) -> None:
    """Raises AssertionError when it does not come true in time."""
    deadline = time.monotonic() + STEP_S
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {STEP_S:.0f} s"
        time.sleep(1)


def systemctl(*words: str) -> str:
    """What systemctl says; raises CalledProcessError when it fails."""
    return subprocess.run(["systemctl", *words], check=True, capture_output=True, text=True).stdout.strip()


def shown(name: str) -> str:
    """A property of the service, as systemd keeps it."""
    return systemctl("show", "--value", "-p", name, UNIT)


def call(path: str, body: object = None) -> Any:
    """The local API's answer; None while there is none."""
    data = json.dumps(body).encode() if body is not None else None
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{API}/{path}", data), timeout=20) as answer:
            text = answer.read()
            return json.loads(text) if text else {}
    except OSError:
        return None


def accepted() -> bool:
    """Whether the CSMS accepted the BootNotification."""
    return (call("status") or {}).get("boot_status") == "Accepted"


def transaction() -> Any:
    """The transaction that goes on; None without one."""
    return (call("status") or {"evses": [{"transaction": None}]})["evses"][0]["transaction"]


def trial() -> Any:
    """What the updater keeps of the release on trial."""
    return json.loads((HOME / "trial.json").read_text())


class Inspection:
    """The steps, in order; each gives what it found or raises AssertionError."""

    def __init__(self, csms: int, csms_api: int) -> None:
        self._csms, self._csms_api = csms, csms_api
        self._restarts = 0

    def set_up(self) -> str:
        """The bundle, as docs/common/flashing.md has it."""
        bundle, key = "/bundles/one.tar.zst", "/bundles/key.pub"
        command = ["/usr/bin/python3", "/bundles/pilotwire-update.pyz", "setup", bundle, "--key", key]
        subprocess.run(command, check=True, capture_output=True, text=True)
        STATION_FILE.write_text(STATION.format(host=HOST, port=self._csms))
        return f"{os.uname().machine}, Linux {os.uname().release}, {self._version()}: the bundle sets the machine up"

    def start(self) -> str:
        """`Type=notify`: systemctl returns once READY=1 was heard."""
        systemctl("start", UNIT)
        assert (shown("ActiveState"), shown("SubState")) == ("active", "running")
        user = Path(f"/proc/{shown('MainPID')}").owner()
        assert user == "pilotwire", user
        wait_for("BootNotification accepted", accepted)
        return "the service runs as the user pilotwire, systemd heard READY, the CSMS on the host accepted it"

    def confinement(self) -> str:
        """What the process has and sees."""
        process = Path(f"/proc/{shown('MainPID')}")
        status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
        found = {name: status[name].strip() for name in ("NoNewPrivs", "Seccomp", "CapEff", "CapBnd")}
        assert found == {"NoNewPrivs": "1", "Seccomp": "2", "CapEff": "0" * 16, "CapBnd": "0" * 16}, found
        kept = (STATE.owner(), oct(STATE.stat().st_mode & 0o777))
        assert kept == ("pilotwire", "0o750"), kept
        score = subprocess.run(["systemd-analyze", "security", UNIT], capture_output=True, text=True, check=False)
        level = re.search(r"exposure level for \S+: (\S+ \S+)", score.stdout)
        assert level is not None, score.stdout[-500:]
        return f"no capability, no new privileges, system calls filtered; systemd-analyze calls its exposure {level[1]}"

    def probe(self) -> str:
        """Under the unit's own restrictions a program tries what the station must not do, and what it must."""
        left_out = ("Type=", "ExecStart", "WatchdogSec=", "Restart", "SuccessExitStatus=", "Wants=")
        lines = (UNITS / UNIT).read_text().splitlines()
        own = [
            "Type=oneshot",
            f"ExecStart=/usr/bin/python3 {Path(__file__)} probe",
            "StandardOutput=file:/run/probe.json",
        ]
        text = "\n".join(line for line in lines if not line.startswith(left_out))
        (UNITS / "probe.service").write_text(text.replace("[Service]", "\n".join(["[Service]", *own])))
        systemctl("daemon-reload")
        systemctl("start", "probe.service")
        found = json.loads(Path("/run/probe.json").read_text())
        wrong = {what: done for what, done in found.items() if done != (what in ALLOWED)}
        assert not wrong, wrong
        refused = ", ".join(what for what in found if what not in ALLOWED)
        return f"under its restrictions it cannot {refused}; it can {', '.join(ALLOWED)}"

    def session(self) -> str:
        """Plug, card, energy, unplug."""
        self._begin()
        wait_for("energy", lambda: (transaction() or {}).get("energy_wh", 0) > 0)
        call("sim/evses/1/connectors/1/unplug", {})
        wait_for("the end of the transaction", lambda: call("status") and transaction() is None)
        return "a session from plug to unplug, with energy"

    def _begin(self) -> None:
        call("sim/evses/1/connectors/1/plug", {"soc": 20, "max_current_a": 16, "phases": 3})
        call("sim/tokens", {"id": "04A2B3C4D5E6F7", "evses": [1]})
        wait_for("a transaction", transaction)

    def watchdog(self) -> str:
        """Signs of life reach systemd; without them the station is ended and started anew."""
        before = int(shown("WatchdogTimestampMonotonic"))
        wait_for("WATCHDOG", lambda: int(shown("WatchdogTimestampMonotonic")) > before)
        assert int(shown("NRestarts")) == 0, "it was restarted though nothing was wrong"
        pid = shown("MainPID")
        os.kill(int(pid), signal.SIGSTOP)
        wait_for("the watchdog", lambda: shown("MainPID") not in (pid, "0"))
        said = subprocess.run(
            ["journalctl", "-u", UNIT, "-o", "cat"], capture_output=True, text=True, check=False
        ).stdout
        assert "Watchdog timeout" in said, said[-500:]
        self._restarted()
        return "WATCHDOG reaches systemd; a station that hangs is ended and started again"

    def kill(self) -> str:
        """In the middle of a transaction."""
        database = {file.name: file.stat().st_ino for file in STATE.glob("*.db")}
        assert database, list(STATE.iterdir())
        self._begin()
        os.kill(int(shown("MainPID")), signal.SIGKILL)
        self._restarted()
        kept = {file.name: file.stat().st_ino for file in STATE.glob("*.db")}
        assert kept == database, (kept, database)
        call("sim/evses/1/connectors/1/unplug", {})
        wait_for("the end of the transaction", lambda: call("status") and transaction() is None)
        return "after kill -9 in the middle of a transaction it is started again, on the same database"

    def _restarted(self) -> None:
        self._restarts += 1
        wait_for("a restart", lambda: int(shown("NRestarts")) >= self._restarts and shown("ActiveState") == "active")
        wait_for("BootNotification accepted again", accepted)
        assert int(shown("NRestarts")) == self._restarts, shown("NRestarts")

    def reset(self) -> str:
        """Asked for by the CSMS."""
        self._ask("Reset", {"type": "Immediate"})
        self._restarted()
        return "Reset of the CSMS ends the program, and systemd starts it again"

    def wrong_file(self) -> str:
        """Which no restart mends."""
        right = STATION_FILE.read_text()
        STATION_FILE.write_text("[station]\nnonsense = 1\n")
        assert subprocess.run(["systemctl", "restart", UNIT], capture_output=True, check=False).returncode
        time.sleep(10)  # RestartSec is 2
        assert (shown("ActiveState"), shown("ExecMainStatus")) == ("failed", "2"), shown("ActiveState")
        STATION_FILE.write_text(right)
        systemctl("start", UNIT)
        wait_for("BootNotification accepted", accepted)
        self._restarts = int(shown("NRestarts"))
        return "with a wrong station file it is not started over and over; with the right one it starts"

    def upgrade(self) -> str:
        """The station's request wakes the updater's units."""
        first = (HOME / "current").readlink()
        with self._update(1, "two"):
            wait_for("another release", lambda: (HOME / "current").readlink() != first)
            wait_for("the end of its trial", lambda: trial()["outcome"] == "good" and accepted())
        assert self._version().startswith("2.0-"), self._version()
        return "UpdateFirmware of the CSMS: pilotwire-update.path and its services install and keep the new release"

    def take_back(self) -> str:
        """A release that installs well and dies at every start."""
        second = self._version()
        with self._update(2, "three"):
            wait_for("the defective release", lambda: self._version() != second)
            wait_for("the end of its trial", lambda: trial()["outcome"] == "failed")
            wait_for("the release before it", lambda: self._version() == second and accepted())
            wait_for("the CSMS to be told", lambda: self._told('"InstallationFailed"', '"requestId":2'))
        assert shown("ActiveState") == "active", shown("ActiveState")
        return f"a release that dies at every start is taken back ({trial()['reason']}), and the CSMS is told"

    @contextmanager
    def _update(self, number: int, name: str) -> Iterator[None]:
        """Have the CSMS ask for a bundle, which a server in the machine delivers."""
        command = [sys.executable, "-m", "http.server", "-b", "127.0.0.1", "-d", "/bundles", "9200"]
        server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            location = f"http://127.0.0.1:9200/{name}.tar.zst"
            firmware = {"location": location, "retrieveDateTime": "2026-01-01T00:00:00Z"}
            self._ask("UpdateFirmware", {"requestId": number, "firmware": firmware})
            yield
        finally:
            server.kill()
            server.wait()

    def _told(self, *parts: str) -> bool:
        """Whether the CSMS got a message with all of these in it."""
        url = f"http://{HOST}:{self._csms_api}/api/stations/CS1/messages"
        with urllib.request.urlopen(url, timeout=30) as answer:
            frames = [str(message["frame"]).replace(" ", "") for message in json.load(answer)]
        return any(all(part in frame for part in parts) for frame in frames)

    def _ask(self, action: str, payload: object) -> None:
        words = ["csms", "--api", f"{HOST}:{self._csms_api}", "--call", "CS1", action, json.dumps(payload)]
        subprocess.run([HOME / "current" / "bin" / "pilotwire", *words], check=True, capture_output=True, text=True)

    def _version(self) -> str:
        return (HOME / "current").readlink().name


ALLOWED = ("write to its state directory", "run at real-time priority 10", "open a TCP connection")


def probe() -> None:
    """As the user and under the restrictions of the service: try everything, and print what worked."""
    library = ctypes.CDLL(None, use_errno=True)

    def called(name: str, *arguments: object) -> None:
        if getattr(library, name)(*arguments) < 0:
            raise OSError(ctypes.get_errno(), name)

    def priority(number: int) -> None:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(number))

    def run_more_urgently() -> None:
        priority(11)

    def connect() -> None:
        with socket.create_connection((HOST, int(STATION_FILE.read_text().split(f"{HOST}:")[1].split("/")[0])), 20):
            pass

    attempts: dict[str, Callable[[], object]] = {
        ALLOWED[0]: lambda: (STATE / "probe").write_text("x"),
        ALLOWED[1]: lambda: priority(10),
        ALLOWED[2]: connect,
        "write to /usr": lambda: Path("/usr/probe").write_text("x"),
        "write to /etc": lambda: Path("/etc/pilotwire/probe").write_text("x"),
        "change its own program": lambda: (HOME / "current" / "probe").write_text("x"),
        "look into /root": lambda: os.listdir("/root"),
        "set a kernel parameter": lambda: Path("/proc/sys/kernel/hostname").write_text("x"),
        "run at a higher priority": run_more_urgently,
        "open a raw network socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
        "make a namespace": lambda: called("unshare", 0x10000000),
        "mount": lambda: called("mount", b"none", b"/tmp", b"tmpfs", 0, None),
        "become root": lambda: os.setuid(0),
        "make a file setuid": lambda: os.chmod(STATE / "probe", 0o4755),
        "change the personality": lambda: called("personality", 8),
        "load a kernel module": lambda: called(
            "syscall", {"aarch64": 105, "armv7l": 128}[os.uname().machine], 0, 0, b""
        ),
    }
    found = {}
    for what, attempt in attempts.items():
        try:
            attempt()
            found[what] = True
        except OSError:
            found[what] = False
    (STATE / "probe").unlink(missing_ok=True)
    print(json.dumps(found))


def main() -> None:
    """Everything, in order; the first thing that is wrong ends it."""
    inspection = Inspection(int(sys.argv[1]), int(sys.argv[2]))
    steps = ("set_up", "start", "confinement", "probe", "session", "watchdog", "kill", "reset", "wrong_file")
    try:
        for step in (*steps, "upgrade", "take_back"):
            tell(getattr(inspection, step)())
        tell("done")
    except (AssertionError, OSError, subprocess.CalledProcessError, ValueError, LookupError) as error:
        output = f"{error.stdout} {error.stderr}" if isinstance(error, subprocess.CalledProcessError) else ""
        journal = subprocess.run(
            ["journalctl", "-b", "-n", "60", "-o", "cat"], capture_output=True, text=True, check=False
        )
        tell(f"FAILED {step}: {error!r} {output}\n{journal.stdout}")
    finally:
        systemctl("--no-block", "poweroff")


if __name__ == "__main__":
    probe() if sys.argv[1] == "probe" else main()
