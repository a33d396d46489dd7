"""`pilotwire csms` in a process of its own, steered through its HTTP API."""

import json
import signal
import subprocess
import sys
from typing import Any

from support.processes import PATIENCE_S, ROOT
from support.requests import ask


class DevelopmentCsms:
    """Accepts every station; remembers what was said."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ocpp.station.cli", "csms", "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition("127.0.0.1:")[2].partition("/")[0])
        self.api = int(self.process.stdout.readline().rpartition("127.0.0.1:")[2].partition("/")[0])

    def call(self, action: str, payload: dict[str, Any], station: str = "CS001") -> Any:
        status, answer = ask(self.api, "POST", f"/api/stations/{station}/call", {"action": action, "payload": payload})
        assert status == 200, answer
        return answer

    def respond(self, action: str, payload: dict[str, Any], times: int = 1, station: str = "CS001") -> None:
        body = {"action": action, "payload": payload, "times": times}
        status, answer = ask(self.api, "POST", f"/api/stations/{station}/respond", body)
        assert status == 200, answer

    def frames(self, station: str = "CS001") -> list[list[Any]]:
        """What the station sent, as JSON arrays."""
        status, answer = ask(self.api, "GET", f"/api/stations/{station}/messages?since=0")
        return [json.loads(each["frame"]) for each in answer if each["from"] == "station"] if status == 200 else []

    def calls(self, action: str, station: str = "CS001") -> list[dict[str, Any]]:
        return [frame[3] for frame in self.frames(station) if frame[0] == 2 and frame[2] == action]

    def freeze(self) -> None:
        """Let it neither answer nor close, as a dead machine."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        self.thaw()
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE_S)
        finally:
            if self.process.stdout is not None:
                self.process.stdout.close()
