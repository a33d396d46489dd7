"""Real processes under test: the station program and CSMSs, with what they print."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0
"""How long something may take on a loaded machine before the test gives up; nothing waits for it to pass."""


class JsonProcess:
    """A process that prints JSON lines."""

    def __init__(self, command: list[str], **options: Any) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )
        self.seen: list[dict[str, Any]] = []
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._errors: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_errors, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self._lines.put(json.loads(line))

    def _read_errors(self) -> None:
        self._errors.extend(self.process.stderr or ())

    def until(self, wanted, what: str = "") -> dict[str, Any]:
        """Read on until `wanted(line)`; everything read is in `seen`."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                line = self._lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                errors = "".join(self._errors[-20:])
                raise AssertionError(f"did not come: {what}; last seen {self.seen[-5:]}\n{errors}") from None
            self.seen.append(line)
            if wanted(line):
                return line

    def tell(self, line: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


class StationProcess:
    """`pilotwire run` on a station file, steered through its local API."""

    def __init__(self, folder: Path, text: str, *, launcher: list[str] | None = None, environment=None) -> None:
        self.folder = folder
        self.file = folder / "station.toml"
        self.file.write_text(text, encoding="utf-8")
        self.log = folder / "station.log"
        self._launcher = launcher or [sys.executable, "-m", "ocpp.station.cli", "run"]
        self._environment = {**os.environ, **(environment or {})}
        self.process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self) -> "StationProcess":
        self.launch()
        self.port = int(self.wait_for_log("local API at http://127.0.0.1:").partition("/")[0])
        return self

    def launch(self) -> None:
        """Start, and wait for nothing."""
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*self._launcher, str(self.file)], stdout=log, stderr=subprocess.STDOUT, cwd=ROOT, env=self._environment
            )

    def wait_for_log(self, text: str) -> str:
        """What follows `text` in the log."""
        return str(self.wait(lambda: self._after(text), f"log line {text!r}"))

    def _after(self, text: str) -> str | None:
        _, found, rest = self.log.read_text().partition(text)
        return rest if found else None

    def wait(self, condition, what: str):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            if self.process is not None and self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"did not come about: {what}\n{self.log.read_text()[-3000:]}")

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def post(self, path: str, body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else b""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from error

    def status(self) -> dict[str, Any]:
        return self.get("/api/status")

    def transaction(self, evse: int = 1) -> dict[str, Any] | None:
        return self.status()["evses"][evse - 1]["transaction"]

    def wait_accepted(self) -> None:
        self.wait(lambda: self.status()["boot_status"] == "Accepted", "the CSMS accepts the station")

    def wait_state(self, state: str | None, evse: int = 1) -> None:
        def reached() -> bool:
            transaction = self.transaction(evse)
            return (transaction["state"] if transaction else None) == state

        self.wait(reached, f"transaction state {state}")

    def plug(self, evse: int = 1, **ev: Any) -> None:
        self.post(f"/api/sim/evses/{evse}/connectors/1/plug", {"delay_s": 0.1, **ev})

    def unplug(self, evse: int = 1) -> None:
        self.post(f"/api/sim/evses/{evse}/connectors/1/unplug")

    def card(self, card: str = "04A2B3C4D5E6F7", evse: int = 1) -> None:
        self.post("/api/sim/tokens", {"id": card, "evses": [evse]})

    def frames(self) -> list[tuple[bool, list[Any]]]:
        """What the message log holds: sent by the station or not, and the frame."""
        lines = (self.folder / "state" / "messages.jsonl").read_text().splitlines()
        return [(line["sent"], json.loads(line["frame"])) for line in map(json.loads, lines)]

    def stop(self) -> int:
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait()


STATION = """
[station]
id = "CS001"
[[network]]
url = "ws://127.0.0.1:{port}/ocpp"
version = "{version}"
offer = {offer}
security_profile = 0
[[evse]]
[[evse.connector]]
[local_api]
listen = "127.0.0.1:0"
[variables]
"OCPPCommCtrlr/RetryBackOffWaitMinimum" = 1
"OCPPCommCtrlr/RetryBackOffRandomRange" = 0
{variables}
"""


def station_file(
    port: int, version: str, variables: dict[str, Any] | None = None, offer: list[str] | None = None
) -> str:
    """A station file for one EVSE and a CSMS on this machine."""
    # A test must not depend on the quarter of an hour in which it runs.
    settings = {"AlignedDataCtrlr/Interval": 0, **(variables or {})}
    lines = "\n".join(f'"{name}" = {json.dumps(value)}' for name, value in settings.items())
    return STATION.format(port=port, version=version, offer=json.dumps(offer or [version]), variables=lines)
