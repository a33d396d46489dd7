"""CSMSs that nobody here wrote, each in its own process; see tests/integration/peers."""

import shutil

import pytest

from support.processes import ROOT, JsonProcess

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


def send_all(csms: JsonProcess, calls: list) -> list[dict]:
    answers = []
    for action, payload in calls:
        csms.tell({"action": action, "payload": payload})
        answers.append(csms.until(lambda line: line["kind"] in ("answer", "error"), f"answer to {action}"))
    return answers
