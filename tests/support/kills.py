"""A real station process that is killed at random, on links that flap, before a CSMS that loses answers and keeps a book.

Drivers come and go at two EVSEs, each with a card of their own. Whatever the local API ever showed as a transaction has to
be in the book in the end: begun once, counted on without a gap, ended once; and nobody pays for more than the meter counted.
"""

import itertools
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ocpp.versions import OcppVersion
from support.conformance import ConformanceCsms
from support.processes import StationProcess, station_file

EVSES = 2
BOOKED = {"TransactionEvent", "StartTransaction", "StopTransaction", "MeterValues"}

MISHAPS = (
    ("answer lost with the link", 0.06),
    ("call lost with the link", 0.04),
    ("no answer", 0.02),
    ("refused", 0.03),
)
"""What the far end does to a transaction message, and how often."""

SETTLED_S = 90.0
"""How long the station may take in the end to deliver all it has: retries wait some seconds each."""


@dataclass
class Entry:
    """What the CSMS has of one transaction."""

    card: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)

    def take(self, action: str, payload: dict[str, Any]) -> bool:
        """Book a message; False for one that is there already, since its answer was lost."""
        plain = {key: value for key, value in payload.items() if key != "offline"}
        if self.messages and self.messages[-1] == plain and self.actions[-1] == action:
            return False
        self.messages.append(plain)
        self.actions.append(action)
        return True


@dataclass
class Book:
    """Every transaction by the id that it has on the wire."""

    entries: dict[str, Entry] = field(default_factory=dict)
    messages: int = 0
    repeated: int = 0
    starts: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def event(self, payload: dict[str, Any]) -> None:
        """A TransactionEvent."""
        entry = self.entries.setdefault(payload["transactionInfo"]["transactionId"], Entry(""))
        entry.card = entry.card or payload.get("idToken", {}).get("idToken", "")
        self._note(entry.take(payload["eventType"], payload))

    def start(self, payload: dict[str, Any]) -> int:
        """A StartTransaction; gives the id of the transaction, the same one where it is repeated."""
        key = tuple(payload[name] for name in ("connectorId", "idTag", "meterStart", "timestamp"))
        number = self.starts.setdefault(key, len(self.starts) + 1)
        self._note(self.entries.setdefault(str(number), Entry(payload["idTag"])).take("Started", payload))
        return number

    def more(self, action: str, payload: dict[str, Any]) -> None:
        """A StopTransaction, or MeterValues of a transaction."""
        entry = self.entries.setdefault(str(payload["transactionId"]), Entry("?"))
        self._note(entry.take("Ended" if action == "StopTransaction" else "Updated", payload))

    def _note(self, new: bool) -> None:
        self.messages += 1
        self.repeated += not new

    # -- what is wrong --------------------------------------------------------------------------------------------

    def faults(self, shown: dict[str, int | None]) -> dict[str, list[str]]:
        """What was lost, doubled or reordered; `shown` are the transactions that the station has shown, by their own ids,
        with the numbers that a 1.6 CSMS has given them.
        """
        found: dict[str, list[str]] = {"lost": [], "doubled": [], "reordered": []}
        for identifier, entry in self.entries.items():
            kinds = entry.actions
            for kind in ("Started", "Ended"):
                if kinds.count(kind) > 1:
                    found["doubled"].append(f"{identifier}: {kind} {kinds.count(kind)} times")
                elif kind not in kinds:
                    found["lost"].append(f"{identifier}: {kind}")
            if kinds[0] != "Started" or ("Ended" in kinds and kinds[-1] != "Ended"):
                found["reordered"].append(f"{identifier}: {kinds}")
            self._numbers(identifier, entry, found)
        if self.starts:
            numbered = {str(number) for number in shown.values() if number is not None}
            found["lost"] += [f"number {number}" for number in sorted(numbered - self.entries.keys())]
            if len(shown) > len(self.entries):
                found["lost"].append(f"{len(shown) - len(self.entries)} of {len(shown)} transactions")
        else:
            found["lost"] += sorted(shown.keys() - self.entries.keys())
        cards = [entry.card for entry in self.entries.values()]
        found["doubled"] += [
            f"card {card} has several transactions" for card in {c for c in cards if cards.count(c) > 1}
        ]
        return found

    @staticmethod
    def _numbers(identifier: str, entry: Entry, found: dict[str, list[str]]) -> None:
        numbers = [message["seqNo"] for message in entry.messages if "seqNo" in message]
        for before, after in itertools.pairwise(numbers):
            if after == before or after in numbers[: numbers.index(before)]:
                found["doubled"].append(f"{identifier}: number {after} twice with other content")
            elif after < before:
                found["reordered"].append(f"{identifier}: {after} after {before}")
            elif after > before + 1:
                found["lost"].append(f"{identifier}: {before + 1} to {after - 1}")
        stamps = [message["timestamp"] for message in entry.messages if "timestamp" in message]
        if not numbers and stamps != sorted(stamps):
            found["reordered"].append(f"{identifier}: {stamps}")

    def billed_wh(self) -> float:
        """What all transactions are charged for."""
        return sum(max(0.0, _register(entry, -1) - _register(entry, 0)) for entry in self.entries.values())


def _register(entry: Entry, index: int) -> float:
    """The first (0) or last (-1) reading of a transaction."""
    message = entry.messages[index]
    if "meterStart" in message or "meterStop" in message:
        return float(message.get("meterStart", message.get("meterStop")))
    samples = [
        float(sample["value"])
        for each in entry.messages
        for value in each.get("meterValue", ())
        for sample in value["sampledValue"]
        if sample.get("measurand", "Energy.Active.Import.Register") == "Energy.Active.Import.Register"
        and "phase" not in sample
    ]
    return samples[index] if samples else 0.0


class MishapCsms(ConformanceCsms):
    """Books what it answers to, and has a mishap now and then."""

    def __init__(self, version: OcppVersion, rng: random.Random) -> None:
        super().__init__(version)
        self.book = Book()
        self.kind = True
        """Without mishaps."""
        self.mishaps: dict[str, int] = {name: 0 for name, _ in MISHAPS}
        self._rng = rng

    def _answer(self, message: list[Any]) -> list[Any] | None:
        action, payload = message[2], message[3]
        del self.calls[:-20], self.frames[:-20]
        if action not in BOOKED or (action == "MeterValues" and payload.get("transactionId") is None):
            return super()._answer(message)
        mishap = self._mishap()
        if mishap == "call lost with the link":
            self.disconnect()
            return None
        if mishap == "refused":
            return [4, message[1], "InternalError", "", {}]
        answer = self._booked(action, payload)
        if mishap == "answer lost with the link":
            self.disconnect()
            return None
        return None if mishap == "no answer" else [3, message[1], answer]

    def _booked(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        if action == "TransactionEvent":
            self.book.event(payload)
            return {"idTokenInfo": {"status": "Accepted"}} if "idToken" in payload else {}
        if action == "StartTransaction":
            return {"transactionId": self.book.start(payload), "idTagInfo": {"status": "Accepted"}}
        self.book.more(action, payload)
        return {}

    def _mishap(self) -> str:
        drawn = self._rng.random()
        for name, chance in MISHAPS:
            drawn -= chance
            if drawn < 0 and not self.kind:
                self.mishaps[name] += 1
                return name
        return ""


class Kills:
    """Runs a station for some time. `resumes`: its transactions go on after a kill, in place of ending by it."""

    def __init__(self, folder: Path, version: OcppVersion, seed: int, *, resumes: bool = False) -> None:
        self._rng = random.Random(seed)
        self.csms = MishapCsms(version, self._rng)
        variables = {**VARIABLES, "TxCtrlr/ResumptionTimeout": 600 if resumes else 0}
        text = station_file(self.csms.port, str(version), variables)
        text = text.replace("security_profile = 0", "security_profile = 0\nmessage_timeout_s = 2")
        text = text.replace("[local_api]", "[[evse]]\n[[evse.connector]]\n[local_api]")
        self.station = StationProcess(folder, text + "[simulation]\nkeep_on_restart = true\nseed = 1\n")
        self._cards: dict[int, str] = {}
        self._drawn = 0
        self.shown: dict[str, int | None] = {}
        self.kills = 0
        self.sessions = 0

    def run(self, seconds: float, most_kills: int | None = None) -> dict[str, list[str]]:
        """Drivers and mishaps for a time; then everything is brought to its end. Gives what is wrong."""
        self.station.start()
        self.csms.kind = False
        until = time.monotonic() + seconds
        while time.monotonic() < until and (most_kills is None or self.kills < most_kills):
            self._something()
        self.csms.kind = True
        self._finish()
        found = self.csms.book.faults(self.shown)
        billed, counted = self.csms.book.billed_wh(), self.register_wh()
        # 1.6 tells whole Wh: one that begins at 0.9 and ends at 1.1 has charged 1.
        found["overbilled"] = [f"{billed} of {counted} Wh"] if billed > counted + len(self.csms.book.entries) else []
        return found

    def close(self) -> None:
        """End everything."""
        self.station.kill()
        self.csms.stop()

    def _something(self) -> None:
        try:
            for evse in self._rng.sample(range(1, EVSES + 1), self._rng.randint(1, EVSES)):
                self._driver(evse)
            if self._rng.random() < 0.1:
                self.csms.disconnect()
            time.sleep(self._rng.uniform(0.0, 0.6))
            self._look()
            if self._rng.random() < 0.2:
                time.sleep(self._rng.uniform(0.0, 0.3))
                self._kill()
        except OSError:
            self._kill()  # killed while it was asked, or not there yet

    def _kill(self) -> None:
        self.station.kill()
        self.kills += 1
        if self._rng.random() < 0.2:
            time.sleep(self._rng.uniform(0.0, 1.0))
        self.station.start()

    def _driver(self, evse: int) -> None:
        transaction = self.station.transaction(evse)
        if transaction is None:
            self.station.unplug(evse)
            self._drawn += 1
            self._cards[evse] = f"CARD{self._drawn:06}"
            self.sessions += 1
            self.station.plug(evse)
            self.station.card(self._cards[evse], evse)
        elif self._rng.random() < 0.2:
            if self._rng.random() < 0.7:
                self.station.card(self._cards[evse], evse)
            else:
                self.station.unplug(evse)

    def _look(self) -> None:
        for each in self.station.status()["evses"]:
            if (transaction := each["transaction"]) is not None:
                self.shown[transaction["id"]] = transaction["csms_id"] or self.shown.get(transaction["id"])

    def _finish(self) -> None:
        """Every cable is pulled; who has presented a card and not plugged in yet goes away."""
        for evse in range(1, EVSES + 1):
            self.station.unplug(evse)
        self.station.wait(self._all_gone, "the end of all transactions")
        self._look()
        deadline = time.monotonic() + SETTLED_S
        while (queued := self.station.status()["queues"]["transaction_messages"]) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not queued, f"{queued} messages are still there\n{self.station.log.read_text()[-2000:]}"

    def _all_gone(self) -> bool:
        evses = self.station.status()["evses"]
        return all(each["transaction"] is None and each["connectors"][0]["status"] == "Available" for each in evses)

    def register_wh(self) -> float:
        """What the meters have counted."""
        return sum(each["meter"]["energy_wh"] for each in self.station.status()["evses"])


VARIABLES = {
    "OCPPCommCtrlr/MessageAttempts[TransactionEvent]": 100,
    "OCPPCommCtrlr/MessageAttemptInterval[TransactionEvent]": 1,
    "OCPPCommCtrlr/RetryBackOffRepeatTimes": 0,
    "SampledDataCtrlr/TxUpdatedInterval": 1,
    "TxCtrlr/EVConnectionTimeOut": 5,
    "TxCtrlr/TxStartPoint": "PowerPathClosed",
    "TxCtrlr/TxStopPoint": "PowerPathClosed",
}
"""No message is given up by the rule of attempts: it is not what is looked at here."""
