"""CSMSs that nobody here wrote, each in its own process; see tests/integration/peers."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.conformance import matches
from support.processes import ROOT, JsonProcess, StationProcess

PEERS = ROOT / "tests/integration/peers"
MOBILITYHOUSE = ROOT / ".venvs/mobilityhouse/bin/python"
OCPP_RPC = ROOT / ".venvs/ocpp-rpc/node_modules/ocpp-rpc"


def mobilityhouse(version: str) -> JsonProcess:
    if not MOBILITYHOUSE.exists():
        pytest.skip("the peer 'ocpp' is not installed: make peers")
    return JsonProcess([str(MOBILITYHOUSE), "-P", str(PEERS / "mobilityhouse_csms.py"), f"ocpp{version}"], cwd=PEERS)


def ocpp_rpc(version: str) -> JsonProcess:
    node = shutil.which("node")
    if node is None or not OCPP_RPC.exists():
        pytest.skip("the peer 'ocpp-rpc' is not installed: install node and npm, then make peers")
    environment = {"NODE_PATH": str(OCPP_RPC.parent)}
    return JsonProcess([node, str(PEERS / "ocpp_rpc_csms.js"), f"ocpp{version}"], env=environment)


@contextlib.contextmanager
def serving(csms: JsonProcess, folder: Path, file: Callable[[int], str]) -> Iterator[StationProcess]:
    """A station on the file that `file` makes of the CSMS's port, booted; ended and checked for a clean end."""
    port = csms.until(lambda line: line["kind"] == "listening")["port"]
    station = StationProcess(folder, file(port)).start()
    try:
        station.wait_accepted()
        yield station
        assert station.stop() == 0
    finally:
        station.kill()


def came(csms: JsonProcess, action: str, **fields) -> dict:
    """The first call of that action, which has come already or will."""

    def wanted(line: dict) -> bool:
        return line["kind"] == "call" and line["action"] == action and matches(line["payload"], fields)

    return next((line for line in csms.seen if wanted(line)), None) or csms.until(wanted, action)


def send_all(csms: JsonProcess, calls: list) -> list[dict]:
    answers = []
    for action, payload in calls:
        csms.tell({"action": action, "payload": payload})
        answers.append(csms.until(lambda line: line["kind"] in ("answer", "error"), f"answer to {action}"))
    return answers
