"""Whole sessions with CSMSs that nobody here wrote; every frame has to pass their own schema validation."""

import sys

import pytest
from support.peers import MOBILITYHOUSE, OCPP_RPC, mobilityhouse, ocpp_rpc, send_all
from support.processes import StationProcess, station_file

VARIABLES = {
    "TxCtrlr/TxStartPoint": "EVConnected,Authorized",
    "TxCtrlr/TxStopPoint": "EVConnected,Authorized",
    "SampledDataCtrlr/TxUpdatedInterval": 1,
    "SampledDataCtrlr/TxEndedInterval": 1,
    "AlignedDataCtrlr/Interval": 1,
}

COMMON_CALLS = [("DataTransfer", {"vendorId": "nobody"}), ("ClearCache", {})]

CALLS_16 = [
    ("GetConfiguration", {}),
    ("GetConfiguration", {"key": ["HeartbeatInterval", "Nonsense"]}),
    ("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "2"}),
    ("ChangeAvailability", {"connectorId": 1, "type": "Operative"}),
    ("TriggerMessage", {"requestedMessage": "StatusNotification"}),
    ("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}),
    ("TriggerMessage", {"requestedMessage": "BootNotification"}),
    ("UnlockConnector", {"connectorId": 7}),
    ("RemoteStopTransaction", {"transactionId": 4711}),
    ("GetLocalListVersion", {}),
    ("SendLocalList", {"listVersion": 1, "updateType": "Full"}),
]

CALLS_2 = [
    ("GetVariables", {"getVariableData": [{"component": {"name": "TxCtrlr"}, "variable": {"name": "TxStartPoint"}}]}),
    (
        "SetVariables",
        {
            "setVariableData": [
                {
                    "attributeValue": "2",
                    "component": {"name": "SampledDataCtrlr"},
                    "variable": {"name": "TxUpdatedInterval"},
                },
                {"attributeValue": "x", "component": {"name": "Nothing"}, "variable": {"name": "Nothing"}},
            ]
        },
    ),
    ("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}),
    ("GetReport", {"requestId": 2, "componentCriteria": ["Problem"]}),
    ("ChangeAvailability", {"operationalStatus": "Operative"}),
    ("TriggerMessage", {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}),
    ("TriggerMessage", {"requestedMessage": "MeterValues"}),
    ("TriggerMessage", {"requestedMessage": "TransactionEvent"}),
    ("UnlockConnector", {"evseId": 1, "connectorId": 1}),
    ("RequestStopTransaction", {"transactionId": "nobody"}),
    ("GetTransactionStatus", {}),
]


CASES = [
    pytest.param(mobilityhouse, "1.6", id="ocpp-1.6"),
    pytest.param(mobilityhouse, "2.0.1", id="ocpp-2.0.1"),
    pytest.param(mobilityhouse, "2.1", id="ocpp-2.1"),
    pytest.param(ocpp_rpc, "1.6", id="ocpp-rpc-1.6"),
    pytest.param(ocpp_rpc, "2.0.1", id="ocpp-rpc-2.0.1"),
]


@pytest.mark.parametrize(("peer", "version"), CASES)
def test_a_whole_session_and_every_call_pass_the_validation_of_a_foreign_csms(tmp_path, peer, version):
    csms = peer(version)
    station = None
    try:
        port = csms.until(lambda line: line["kind"] == "listening")["port"]
        station = StationProcess(tmp_path, station_file(port, version, VARIABLES)).start()
        station.wait_accepted()
        station.plug()
        station.card()
        station.wait_state("Charging")
        answers = send_all(csms, [*COMMON_CALLS, *(CALLS_16 if version == "1.6" else CALLS_2)])
        end = "StopTransaction" if version == "1.6" else "TransactionEvent"
        samples = "MeterValues" if version == "1.6" else "TransactionEvent"
        csms.until(lambda line: line["kind"] == "call" and line["action"] == samples, "samples")
        station.card()
        csms.until(lambda line: is_end(line, end), "the end of the transaction")
        station.unplug()
        csms.until(
            lambda line: line["kind"] == "call" and line["action"] == "StatusNotification", "status after unplug"
        )
        assert station.stop() == 0
        station = None
        csms.until(lambda line: line["kind"] == "gone")
    finally:
        if station is not None:
            station.kill()
        csms.close()
    assert [line for line in csms.seen if line["kind"] == "invalid"] == []
    assert all(answer["kind"] == "answer" for answer in answers), answers


def is_end(line: dict, action: str) -> bool:
    if line["kind"] != "call" or line["action"] != action:
        return False
    return action == "StopTransaction" or line["payload"]["eventType"] == "Ended"


def test_the_peers_are_there_in_ci():
    import os

    if "PILOTWIRE_CI" not in os.environ:
        pytest.skip("only CI insists on the foreign CSMSs; elsewhere they may be missing")
    assert MOBILITYHOUSE.exists(), sys.executable
    assert OCPP_RPC.exists()
