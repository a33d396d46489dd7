"""A CSMS in the test's hands and a real station process, talking over a real WebSocket: what conformance tests drive.

`ConformanceCsms` keeps a cursor in what the station said: `expect` goes on from there, so that a test reads as the
sequence of a test case. Every call of the station is validated against the official schema where that is at hand.
"""

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from ocpp.versions import OcppVersion
from support.processes import PATIENCE_S, StationProcess
from support.schemas import schema_folder, validator

MOMENT_S = 0.4
"""How long `nothing` listens; enough for a local exchange, and no test passes because it was too short."""


class Refusal(str):
    """A CALLERROR code where a payload is expected."""


@dataclass
class Call:
    """A call of the station."""

    action: str
    payload: dict[str, Any]
    at: float = field(default_factory=time.monotonic)

    def fits(self, action: str, fields: dict[str, Any]) -> bool:
        return self.action == action and matches(self.payload, fields)


def matches(value: Any, wanted: Any) -> bool:
    """Whether `value` holds everything of `wanted`: nested objects in part, a set or callable for a choice."""
    if callable(wanted):
        return bool(wanted(value))
    if isinstance(wanted, set | frozenset):
        return value in wanted
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(matches(value.get(key), each) for key, each in wanted.items())
    if isinstance(wanted, list):
        return isinstance(value, list) and all(any(matches(each, one) for each in value) for one in wanted)
    return bool(value == wanted)


class ConformanceCsms:
    """Answers every call, by script or by default; records; calls the station."""

    def __init__(self, version: OcppVersion, *, context: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.version = version
        self.calls: list[Call] = []
        self.frames: list[list[Any]] = []
        self.violations: list[str] = []
        self.credentials: list[tuple[str, str] | None] = []
        self.attempts: list[float] = []
        """When the station asked for a connection, granted or not (`time.monotonic`)."""
        self.client_certificates: list[bytes | None] = []
        self.tls: list[tuple[str | None, str]] = []
        """TLS version and cipher suite of every secure connection."""
        self.connections = 0
        self.refuse_with: int | None = None
        self.password: str | None = None
        self.silent: set[str] = set()
        self._answers: dict[str, list[Any]] = {}
        self._standard: dict[str, Any] = {}
        self._cursor = 0
        self._results: dict[str, list[Any]] = {}
        self._condition = threading.Condition()
        self._connection: ServerConnection | None = None
        self._ids = 0
        self.next_transaction_id = 1000
        self._server = serve(
            self._serve,
            "127.0.0.1",
            port,
            ssl=context,
            subprotocols=[Subprotocol(version.subprotocol)],
            process_request=self._admit,
        )
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self.disconnect()
        self._thread.join(5)

    # -- the far end of the wire ----------------------------------------------------------------------------------

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        header = request.headers.get("Authorization", "")
        given = None
        if header.startswith("Basic "):
            user, _, password = base64.b64decode(header[6:]).decode().partition(":")
            given = (user, password)
        with self._condition:
            self.credentials.append(given)
            self.attempts.append(time.monotonic())
            self._condition.notify_all()
        if self.refuse_with is not None:
            return connection.respond(self.refuse_with, "refused by the test\n")
        if self.password is not None and (given is None or given[1] != self.password):
            return connection.respond(401, "wrong password\n")
        return None

    def _serve(self, connection: ServerConnection) -> None:
        with self._condition:
            self._connection = connection
            self.connections += 1
            if isinstance(connection.socket, ssl.SSLSocket):
                self.client_certificates.append(connection.socket.getpeercert(binary_form=True))
                suite = connection.socket.cipher()
                self.tls.append((connection.socket.version(), suite[0] if suite else ""))
            self._condition.notify_all()
        try:
            for frame in connection:
                self._take(connection, json.loads(frame))
        except ConnectionClosed:
            pass
        finally:
            with self._condition:
                if self._connection is connection:
                    self._connection = None
                self._condition.notify_all()

    def _take(self, connection: ServerConnection, message: list[Any]) -> None:
        answer = None
        with self._condition:
            self.frames.append(message)
            if message[0] == 2:
                self._validate(message[2], message[3])
                self.calls.append(Call(message[2], message[3]))
                answer = self._answer(message)
            elif message[0] in (3, 4):
                self._results[message[1]] = message
            self._condition.notify_all()
        if answer is not None:
            connection.send(json.dumps(answer))

    def _validate(self, action: str, payload: dict[str, Any]) -> None:
        if schema_folder(self.version) is not None:
            errors = validator(self.version, f"{action}Request").iter_errors(payload)
            self.violations += [f"{action}: {error.message}" for error in errors]

    def _answer(self, message: list[Any]) -> list[Any] | None:
        _, message_id, action, payload = message
        if action in self.silent:
            return None
        scripted = self._answers.get(action)
        answer = scripted.pop(0) if scripted else self._default(action, payload)
        if callable(answer):
            answer = answer(payload)
        if answer is None:
            return None
        return [4, message_id, str(answer), "", {}] if isinstance(answer, Refusal) else [3, message_id, answer]

    def _default(self, action: str, payload: dict[str, Any]) -> Any:
        if action in self._standard:
            return self._standard[action]
        v16, accepted = self.version is OcppVersion.V16, {"status": "Accepted"}
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if action == "BootNotification":
            return {"status": "Accepted", "currentTime": now, "interval": 300}
        if action == "Heartbeat":
            return {"currentTime": now}
        if action == "Authorize":
            return {"idTagInfo": accepted} if v16 else {"idTokenInfo": accepted}
        if action == "StartTransaction":
            self.next_transaction_id += 1
            return {"transactionId": self.next_transaction_id, "idTagInfo": accepted}
        if action == "TransactionEvent":
            return {"idTokenInfo": accepted} if "idToken" in payload else {}
        return accepted if action in ("SignCertificate", "DataTransfer") else {}

    # -- what a test says -----------------------------------------------------------------------------------------

    def answer(self, action: str, *payloads: Any) -> None:
        """The next answers to an action: payloads, `Refusal`s, functions of the request, None for silence."""
        self._answers.setdefault(action, []).extend(payloads)

    def always(self, action: str, payload: Any) -> None:
        """The answer to an action from now on."""
        self._standard[action] = payload

    def call(self, action: str, payload: dict[str, Any] | None = None) -> Any:
        """Call the station; gives the payload of its answer, or a `Refusal`."""
        with self._condition:
            self._ids += 1
            message_id = f"csms-{self._ids}"
            connection = self._connection
        assert connection is not None, "the station is not connected"
        connection.send(json.dumps([2, message_id, action, payload or {}]))
        result = self._wait(lambda: self._results.get(message_id), f"the answer to {action}")
        if result[0] == 4:
            return Refusal(result[2])
        if schema_folder(self.version) is not None:
            errors = validator(self.version, f"{action}Response").iter_errors(result[2])
            self.violations += [f"answer to {action}: {error.message}" for error in errors]
        return result[2]

    def send_raw(self, text: str) -> None:
        assert self._connection is not None
        self._connection.send(text)

    def disconnect(self) -> None:
        """End the connection without a word."""
        connection = self._connection
        if connection is not None:
            connection.close_socket()

    # -- what a test hears ----------------------------------------------------------------------------------------

    def expect(self, action: str, /, *, within: float = PATIENCE_S, **fields: Any) -> dict[str, Any]:
        """The next call that fits; the cursor goes behind it. Fails when it does not come."""

        def look() -> Call | None:
            for index in range(self._cursor, len(self.calls)):
                if self.calls[index].fits(action, fields):
                    self._cursor = index + 1
                    return self.calls[index]
            return None

        call: Call = self._wait(look, f"{action} {fields or ''}", within)
        return call.payload

    def expect_all(self, *wanted: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """Several calls in any order; the cursor goes behind the last of them."""

        def look() -> list[dict[str, Any]] | None:
            found: list[int] = []
            for action, fields in wanted:
                index = next(
                    (
                        n
                        for n in range(self._cursor, len(self.calls))
                        if n not in found and self.calls[n].fits(action, fields)
                    ),
                    None,
                )
                if index is None:
                    return None
                found.append(index)
            self._cursor = max(found) + 1
            return [self.calls[index].payload for index in found]

        payloads: list[dict[str, Any]] = self._wait(look, str(wanted))
        return payloads

    def nothing(self, *actions: str, within: float = MOMENT_S) -> None:
        """None of these comes from the cursor on, for a moment."""
        deadline = time.monotonic() + within
        with self._condition:
            while (left := deadline - time.monotonic()) > 0:
                self._condition.wait(left)
            seen = [call.action for call in self.calls[self._cursor :] if call.action in actions]
        assert not seen, f"{seen} came\n{self.transcript()}"

    def since(self, action: str) -> list[dict[str, Any]]:
        """What came of an action from the cursor on; the cursor stays."""
        with self._condition:
            return [call.payload for call in self.calls[self._cursor :] if call.action == action]

    def all(self, action: str) -> list[dict[str, Any]]:
        with self._condition:
            return [call.payload for call in self.calls if call.action == action]

    def mark(self) -> None:
        """Forget what has come so far."""
        with self._condition:
            self._cursor = len(self.calls)

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        return self._wait(condition, what)

    def wait_connection(self, number: int) -> None:
        self._wait(lambda: self.connections >= number, f"connection {number}")

    def wait_attempt(self, number: int) -> None:
        self._wait(lambda: len(self.attempts) >= number, f"connection attempt {number}")

    def wait_disconnected(self) -> None:
        self._wait(lambda: self._connection is None, "the end of the connection")

    def _wait(self, condition: Callable[[], Any], what: str, within: float = PATIENCE_S) -> Any:
        deadline = time.monotonic() + within
        with self._condition:
            while not (value := condition()):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"did not come: {what}\n{self.transcript()}")
                self._condition.wait(left)
        return value

    def transcript(self) -> str:
        lines = [f"{'->' if i < self._cursor else '  '} {c.action} {c.payload}" for i, c in enumerate(self.calls)]
        return "\n".join(lines[-30:])


class Setup:
    """A CSMS and a station that belong together; the station file from what the test case configures."""

    def __init__(self, folder: Path, version: OcppVersion) -> None:
        self.folder = folder
        self.version = version
        self.csms = ConformanceCsms(version)
        self.station: StationProcess | None = None

    def file(
        self,
        *,
        evses: int = 1,
        connector: str = "",
        evse: str = "",
        keys: dict[str, Any] | None = None,
        variables: dict[str, Any] | None = None,
        station: str = "",
        network: str = "security_profile = 0",
        sections: str = "",
        simulation: str = "",
        scheme: str = "ws",
        host: str = "127.0.0.1",
    ) -> str:
        settings = {
            "OCPPCommCtrlr/RetryBackOffWaitMinimum": 1,
            "OCPPCommCtrlr/RetryBackOffRandomRange": 0,
            "OCPPCommCtrlr/RetryBackOffRepeatTimes": 0,
            "AlignedDataCtrlr/Interval": 0,  # a test must not depend on the quarter of an hour in which it runs
            **(variables or {}),
        }
        parts = [
            f'[station]\nid = "CS001"\n{station}',
            f'[[network]]\nurl = "{scheme}://{host}:{self.csms.port}/ocpp"\nversion = "{self.version}"\n'
            f'offer = ["{self.version}"]\n{network}',
            *([f"[[evse]]\n{evse}\n[[evse.connector]]\n{connector}"] * evses),
            f'[local_api]\nlisten = "127.0.0.1:0"\n[simulation]\n{simulation}',
            "[variables]\n" + _table(settings),
            "[keys]\n" + _table(keys or {}),
            sections,
        ]
        return "\n".join(parts) + "\n"

    def start(self, *, wait: bool = True, **options: Any) -> StationProcess:
        """Start the station on a new file; by default until it was accepted and has told its statuses."""
        self.station = StationProcess(self.folder, self.file(**options))
        self.station.start()
        if wait:
            self.accepted()
        return self.station

    def accepted(self) -> None:
        """The station has booted and told the status of every connector."""
        assert self.station is not None
        self.csms.expect("BootNotification")
        self.station.wait_accepted()
        connectors = sum(len(evse["connectors"]) for evse in self.station.status()["evses"])
        wanted = connectors + (1 if self.version is OcppVersion.V16 else 0)
        self.csms.expect_all(*[("StatusNotification", {})] * wanted)

    def restart(self, *, wait: bool = True) -> None:
        """The supervisor starts the program again after it has ended."""
        assert self.station is not None
        assert self.station.process is not None
        self.station.process.wait(PATIENCE_S)
        self.station.start()
        if wait:
            self.accepted()

    def close(self) -> None:
        if self.station is not None:
            self.station.kill()
        self.csms.stop()
        assert not self.csms.violations, self.csms.violations


def _table(values: dict[str, Any]) -> str:
    return "\n".join(f'"{name}" = {json.dumps(value)}' for name, value in values.items())


def statuses(calls: Iterable[dict[str, Any]], connector: int = 1) -> list[str]:
    """The statuses that 1.6 StatusNotifications tell of a connector."""
    return [call["status"] for call in calls if call["connectorId"] == connector]
