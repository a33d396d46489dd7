"""The power fails at every point of a session where something is stored, sent or answered.

A child process runs a whole session and is killed (SIGKILL) at the n-th such point; another child starts on the same
files and delivers what is left. The CSMS's memory is a file that both append to before they answer.
"""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.station import StationUnderTest

from ocpp.clock import ManualClock
from ocpp.versions import OcppVersion

TRANSACTION_ACTIONS = {"TransactionEvent", "StartTransaction", "StopTransaction", "MeterValues"}
MAX_POINTS = 400


class Fuse:
    """Kills its own process at the n-th point; 0: never. Notes how many points there were."""

    def __init__(self, at: int, notes: Path) -> None:
        self._at = at
        self._notes = notes
        self.count = 0

    def burn(self, *_: Any) -> None:
        self.count += 1
        if self.count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def note(self) -> None:
        self._notes.write_text(str(self.count))


def remember(station: StationUnderTest, memory: Path, fuse: Fuse) -> None:
    """Let the CSMS write down what it takes, and number a repeated StartTransaction as the first one."""
    csms = station.csms
    answer = csms._answer

    def take(message: list[Any]) -> None:
        with memory.open("a") as file:
            file.write(json.dumps([message[2], message[3]]) + "\n")
        fuse.burn()
        if message[2] == "StartTransaction":
            starts = [payload for action, payload in recall(memory) if action == "StartTransaction"]
            csms.script(
                "StartTransaction", {"transactionId": 1 + starts.index(message[3]), "idTagInfo": {"status": "Accepted"}}
            )
        answer(message)
        fuse.burn()

    csms._answer = take


def recall(memory: Path) -> list[tuple[str, dict[str, Any]]]:
    return [tuple(json.loads(line)) for line in memory.read_text().splitlines()]


async def session(folder: Path, version: OcppVersion, fuse: Fuse) -> None:
    clock = ManualClock()
    variables = {
        "SampledDataCtrlr/TxUpdatedInterval": 60,
        "SampledDataCtrlr/TxEndedInterval": 60,
        "AlignedDataCtrlr/Interval": 0,
        "TxCtrlr/TxStartPoint": "EVConnected",
        "TxCtrlr/TxStopPoint": "EVConnected",
    }
    station = StationUnderTest(folder, version, clock=clock, variables=variables)
    remember(station, folder / "csms", fuse)
    station.database.on_step = fuse.burn
    await station.start()
    await station.plug()
    await station.present()
    await station.draw()
    for minute in range(3):
        station.meter(str(1000 + 100 * minute))
        await clock.advance(60)
    station.meter("1400.5")
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    await clock.advance(60)
    fuse.note()


async def aftermath(folder: Path, version: OcppVersion, fuse: Fuse) -> None:
    clock = ManualClock(monotonic=5.0)
    clock.tick(7200)
    station = StationUnderTest(folder, version, clock=clock, seed=2)
    remember(station, folder / "csms", fuse)
    await station.start()
    await clock.advance(3600)
    fuse.note()
    (folder / "left").write_text(str(station.charge_point.queued_messages))


def in_child(work: Callable[[], Any]) -> int:
    """Run in a forked process; gives its wait status."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            asyncio.run(work())
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


def points(folder: Path, version: OcppVersion) -> int:
    folder.mkdir()
    (folder / "csms").touch()
    assert in_child(lambda: session(folder, version, Fuse(0, folder / "points"))) == 0
    return int((folder / "points").read_text())


@pytest.mark.parametrize("version", [OcppVersion.V16, OcppVersion.V201, OcppVersion.V21], ids=str)
@pytest.mark.req("B12.FR.05", "E04.FR.01", "E04.FR.02", "E01.FR.08", "E02.FR.08")
def test_whenever_the_power_fails_every_message_arrives_in_order_and_nothing_is_made_up(tmp_path, version):
    total = points(tmp_path / "whole", version)
    assert 30 < total < MAX_POINTS
    check = check_16 if version is OcppVersion.V16 else check_2
    check(recall(tmp_path / "whole" / "csms"))
    for at in range(1, total + 1):
        folder = tmp_path / str(at)
        folder.mkdir()
        (folder / "csms").touch()
        status = in_child(lambda folder=folder, at=at: session(folder, version, Fuse(at, folder / "points")))
        assert os.WIFSIGNALED(status), f"point {at} was not reached"
        assert in_child(lambda folder=folder: aftermath(folder, version, Fuse(0, folder / "after"))) == 0, at
        assert (folder / "left").read_text() == "0", f"messages are left after a kill at point {at}"
        try:
            check(recall(folder / "csms"))
        except AssertionError as error:
            raise AssertionError(f"killed at point {at} of {total}: {error}") from error


def without_repetitions(messages: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """A message whose answer was lost comes again, at once and with the same content (but for the offline flag)."""
    kept: list[tuple[str, dict[str, Any]]] = []
    for action, payload in messages:
        if action not in TRANSACTION_ACTIONS:
            continue
        plain = {key: value for key, value in payload.items() if key != "offline"}
        if not kept or kept[-1] != (action, plain):
            kept.append((action, plain))
    return kept


def check_2(messages: list[tuple[str, dict[str, Any]]]) -> None:
    events = [payload for _, payload in without_repetitions(messages)]
    identifiers = {event["transactionInfo"]["transactionId"] for event in events}
    assert len(identifiers) <= 1, "one session is one transaction"
    assert [event["seqNo"] for event in events] == list(range(len(events))), [event["seqNo"] for event in events]
    kinds = [event["eventType"] for event in events]
    assert kinds.count("Started") == (1 if events else 0)
    assert kinds.count("Ended") == (1 if events else 0)
    assert not events or (kinds[0], kinds[-1]) == ("Started", "Ended")


def check_16(messages: list[tuple[str, dict[str, Any]]]) -> None:
    kept = without_repetitions(messages)
    actions = [action for action, _ in kept]
    assert actions.count("StartTransaction") == actions.count("StopTransaction") <= 1, actions
    if kept:
        assert (actions[0], actions[-1]) == ("StartTransaction", "StopTransaction"), actions
    for action, payload in kept[1:]:
        assert payload["transactionId"] == 1, (action, payload)
    stamps = [payload["timestamp"] for action, payload in kept if "timestamp" in payload]
    assert stamps == sorted(stamps)
