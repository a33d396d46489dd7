"""A CSMS in the test's hands, at the far end of a fake link; speaks plain JSON, so that it shares nothing with the station."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from ocpp.versions import OcppVersion
from support.links import FakeLink

NOW = "2026-01-01T00:00:00Z"


class ScriptedCsms:
    """Answers every call with the next scripted payload for its action, or the standard one."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, list[Any]] = {}
        self.frames: list[list[Any]] = []
        self.results: dict[str, Any] = {}
        self.now = lambda: NOW
        self.next_transaction_id = 1
        self.kills: Callable[[str, dict[str, Any]], bool] = lambda action, payload: False
        """Whether the connection is dropped at a call, without an answer."""
        self._ids = 0
        self._task: asyncio.Task[None] | None = None
        self.link: FakeLink | None = None

    def script(self, action: str, *payloads: Any) -> None:
        """The next answers to an action: a payload, an error code (str), a whole frame (bytes, ID stands for the
        message id), or None for silence.
        """
        self.answers.setdefault(action, []).extend(payloads)

    def of(self, action: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.calls if name == action]

    @property
    def actions(self) -> list[str]:
        return [action for action, _ in self.calls]

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.actions)

    def attach(self, link: FakeLink) -> None:
        self.link = link
        link.send = self._receive

    async def _receive(self, frame: bytes) -> None:
        if self.link is None or self.link.gone:
            raise ConnectionError("gone")
        message = json.loads(frame)
        self.frames.append(message)
        if message[0] == 2:
            self.calls.append((message[2], message[3]))
            if self.kills(message[2], message[3]):
                self.link.drop()
                return
            self._answer(message)
        elif message[0] in (3, 4):
            self.results[message[1]] = message

    def _answer(self, message: list[Any]) -> None:
        scripted = self.answers.get(message[2])
        answer = scripted.pop(0) if scripted else self._standard(message[2], message[3])
        if answer is None:
            return
        assert self.link is not None
        if isinstance(answer, bytes):
            self.link.feed(answer.replace(b"ID", message[1].encode()))
            return
        frame = [4, message[1], answer, "", {}] if isinstance(answer, str) else [3, message[1], answer]
        self.link.feed(json.dumps(frame))

    def _standard(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        v16 = self.link is not None and self.link.version is OcppVersion.V16
        accepted = {"status": "Accepted"}
        if action == "BootNotification":
            return {"status": "Accepted", "currentTime": self.now(), "interval": 300}
        if action == "Heartbeat":
            return {"currentTime": self.now()}
        if action == "Authorize":
            return {"idTagInfo": accepted} if v16 else {"idTokenInfo": accepted}
        if action == "StartTransaction":
            self.next_transaction_id += 1
            return {"transactionId": self.next_transaction_id, "idTagInfo": accepted}
        if action == "SignCertificate":
            return accepted
        if action == "TransactionEvent":
            return {"idTokenInfo": accepted} if "idToken" in payload else {}
        return {}

    @property
    def answer_to_last_call(self) -> Any:
        """The answer frame to the last `call`; None while it has not come."""
        return self.results.get(f"csms-{self._ids}")

    async def call(self, clock, action: str, payload: dict[str, Any]) -> Any:
        """Call the station; gives its answer frame."""
        self._ids += 1
        message_id = f"csms-{self._ids}"
        assert self.link is not None
        self.link.feed(json.dumps([2, message_id, action, payload]))
        await clock.settle()
        return self.results.get(message_id)
