"""Every message of OCPP 2.0.1, in each of its blocks, passes the validation of CSMSs that nobody here wrote."""

import time
from collections.abc import Iterator

import pytest
from support.file_server import FileServer, file_server
from support.peers import came, mobilityhouse, ocpp_rpc, send_all, serving
from support.processes import JsonProcess, StationProcess
from support.tls import Authority, pem
from support.v201 import CARD, TOKEN, variable

from ocpp.messages import catalogue
from ocpp.versions import OcppVersion

LATER = "2036-01-01T00:00:00Z"
OCSP = "http://ocsp.example/"
LOCAL_CONTROLLER = {"PublishFirmwareStatusNotification"}
"""What only a local controller sends."""

FILE = """
[station]
id = "CS001"
display = true
[[network]]
url = "ws://127.0.0.1:{port}/ocpp"
version = "2.0.1"
offer = ["2.0.1"]
security_profile = 0
[[evse]]
iso15118 = true
[[evse.connector]]
[local_api]
listen = "127.0.0.1:0"
[variables]
"TxCtrlr/TxStartPoint" = "EVConnected"
"SampledDataCtrlr/TxUpdatedInterval" = 1
"SmartChargingCtrlr/ExternalControlSignalsEnabled" = true
"LocalAuthListCtrlr/Enabled" = true
"""


def later(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def profile(number: int = 1) -> dict:
    schedule = {
        "id": 1,
        "chargingRateUnit": "A",
        "startSchedule": "2026-01-01T00:00:00Z",
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 16.0, "numberPhases": 3},
            {"startPeriod": 60, "limit": 8},
        ],
    }
    return {
        "id": number,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
    }


MESSAGE = {
    "id": 1,
    "priority": "NormalCycle",
    "message": {"format": "UTF8", "content": "Have a good trip"},
    "endDateTime": LATER,
}
NETWORK = {
    "ocppVersion": "OCPP20",
    "ocppTransport": "JSON",
    "ocppCsmsUrl": "ws://elsewhere.example/ocpp",
    "messageTimeout": 30,
    "securityProfile": 0,
    "ocppInterface": "Wired0",
}
HASHES = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "0" * 64,
    "issuerKeyHash": "0" * 64,
    "serialNumber": "1",
}


def security_and_provisioning(url: str, root: Authority) -> list[tuple[str, dict]]:
    """Blocks A, B, L, M and N."""
    certificate = pem(root.certificate).decode()
    state = variable("EVSE@1/AvailabilityState", value=1, type="Delta", severity=5)
    return [
        ("GetVariables", {"getVariableData": [variable("TxCtrlr/TxStartPoint")]}),
        ("SetVariables", {"setVariableData": [variable("TxCtrlr/EVConnectionTimeOut", attributeValue="30")]}),
        ("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}),
        ("GetReport", {"requestId": 2, "componentVariable": [variable("TxCtrlr/TxStartPoint")]}),
        ("SetNetworkProfile", {"configurationSlot": 2, "connectionData": NETWORK}),
        ("InstallCertificate", {"certificateType": "V2GRootCertificate", "certificate": certificate}),
        ("GetInstalledCertificateIds", {}),
        ("DeleteCertificate", {"certificateHashData": HASHES}),
        ("CertificateSigned", {"certificateChain": certificate}),
        ("SetMonitoringBase", {"monitoringBase": "All"}),
        ("SetMonitoringLevel", {"severity": 9}),
        ("SetVariableMonitoring", {"setMonitoringData": [state]}),
        ("GetMonitoringReport", {"requestId": 3}),
        ("ClearVariableMonitoring", {"id": [999]}),
        ("CustomerInformation", {"requestId": 4, "report": True, "clear": False, "idToken": TOKEN}),
        ("GetLog", {"logType": "DiagnosticsLog", "requestId": 5, "log": {"remoteLocation": url}}),
        ("UpdateFirmware", {"requestId": 6, "firmware": {"location": url + "f", "retrieveDateTime": LATER}}),
        ("PublishFirmware", {"location": url, "checksum": "0" * 32, "requestId": 7}),
        ("UnpublishFirmware", {"checksum": "0" * 32}),
    ]


def charging_calls() -> list[tuple[str, dict]]:
    """Blocks C to K, O and P, before a transaction."""
    entries = [{"idToken": TOKEN, "idTokenInfo": {"status": "Accepted", "cacheExpiryDateTime": LATER}}]
    criteria = {"chargingProfilePurpose": "TxDefaultProfile"}
    return [
        ("ClearCache", {}),
        ("GetLocalListVersion", {}),
        ("SendLocalList", {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": entries}),
        ("DataTransfer", {"vendorId": "nobody"}),
        ("ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": 1}}),
        ("UnlockConnector", {"evseId": 1, "connectorId": 1}),
        ("ReserveNow", {"id": 1, "expiryDateTime": LATER, "idToken": TOKEN, "evseId": 1}),
        ("CancelReservation", {"reservationId": 1}),
        ("ReserveNow", {"id": 2, "expiryDateTime": later(3), "idToken": TOKEN, "evseId": 1}),
        ("SetChargingProfile", {"evseId": 1, "chargingProfile": profile()}),
        ("GetChargingProfiles", {"requestId": 8, "chargingProfile": criteria}),
        ("GetCompositeSchedule", {"evseId": 1, "duration": 3600, "chargingRateUnit": "W"}),
        ("ClearChargingProfile", {"chargingProfileId": 1}),
        ("SetDisplayMessage", {"message": MESSAGE}),
        ("GetDisplayMessages", {"requestId": 9}),
        ("ClearDisplayMessage", {"id": 1}),
        *(
            ("TriggerMessage", {"requestedMessage": message})
            for message in ("Heartbeat", "FirmwareStatusNotification", "LogStatusNotification", "MeterValues")
        ),
        *(("TriggerMessage", {"requestedMessage": f"Sign{kind}Certificate"}) for kind in ("ChargingStation", "V2G")),
    ]


def certificate_towards_evs(csms: JsonProcess, root: Authority) -> list[dict]:
    """Signed, so that the station asks for its status (M06)."""
    asked = came(csms, "SignCertificate", certificateType="V2GCertificate")
    chain = pem(root.answer(asked["payload"]["csr"], ocsp=OCSP)).decode()
    answers = send_all(csms, [("CertificateSigned", {"certificateChain": chain, "certificateType": "V2GCertificate"})])
    came(csms, "GetCertificateStatus")
    return answers


def session(csms: JsonProcess, station: StationProcess) -> list[dict]:
    """A remote start, ISO 15118, limits of another system, costs, and a remote stop."""
    came(csms, "ReservationStatusUpdate")
    answers = send_all(csms, [("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 1, "evseId": 1})])
    station.plug(requests_energy=False)
    event = came(csms, "TransactionEvent", idToken={"idToken": CARD})
    transaction = event["payload"]["transactionInfo"]["transactionId"]
    iso15118 = "/api/sim/evses/1/iso15118"
    station.post(iso15118, {"certificate": {"action": "Install", "exi": "gJgC"}})
    came(csms, "Get15118EVCertificate")
    ac = {"energy_amount": 20000, "ev_min_current": 6, "ev_max_current": 20, "ev_max_voltage": 400}
    station.post(iso15118, {"needs": {"transfer": "AC_three_phase", "ac": ac}})
    came(csms, "NotifyEVChargingNeeds")
    tx_profile = {**profile(3), "chargingProfilePurpose": "TxProfile", "transactionId": transaction}
    answers += send_all(csms, [("SetChargingProfile", {"evseId": 1, "chargingProfile": tx_profile})])
    came(csms, "NotifyEVChargingSchedule")
    station.post("/api/external_limits", {"source": "EMS", "limit": 10})
    came(csms, "NotifyChargingLimit")
    station.post("/api/external_limits", {"source": "EMS", "limit": None})
    came(csms, "ClearedChargingLimit")
    answers += send_all(
        csms,
        [
            ("GetTransactionStatus", {"transactionId": transaction}),
            ("CostUpdated", {"totalCost": 1.25, "transactionId": transaction}),
            ("RequestStopTransaction", {"transactionId": transaction}),
        ],
    )
    station.unplug()
    came(csms, "TransactionEvent", eventType="Ended")
    return answers


@pytest.fixture
def files() -> Iterator[FileServer]:
    with file_server() as server:
        yield server


@pytest.mark.parametrize("peer", [mobilityhouse, ocpp_rpc])
def test_every_message_of_every_block(tmp_path, peer, files):
    csms = peer("2.0.1")
    root = Authority("V2G root")
    calls = security_and_provisioning(files.url, root)
    try:
        with serving(csms, tmp_path, lambda port: FILE.format(port=port)) as station:
            answers = send_all(csms, calls)
            calls += charging_calls()
            answers += send_all(csms, calls[len(answers) :])
            answers += certificate_towards_evs(csms, root)
            for report in ("NotifyReport", "NotifyMonitoringReport", "NotifyCustomerInformation", "NotifyEvent"):
                came(csms, report)
            came(csms, "LogStatusNotification", status="Uploaded")
            answers += session(csms, station)
            station.card("04FFFFFFFFFFFF")
            came(csms, "Authorize")
            answers += send_all(csms, [("Reset", {"type": "Immediate"})])
            assert station.process.wait(20) == 75
            station.process = None
            csms.until(lambda line: line["kind"] == "gone")
    finally:
        csms.close()
    assert [line for line in csms.seen if line["kind"] == "invalid"] == []
    errors = [line["code"] for line in answers if line["kind"] == "error"]
    assert errors == ["NotSupported"] * 2, answers  # PublishFirmware and UnpublishFirmware: for local controllers
    assert_complete(csms, calls)


def assert_complete(csms: JsonProcess, calls: list[tuple[str, dict]]) -> None:
    """Nothing of the catalogue was left out, either way."""
    in_session = {"RequestStartTransaction", "RequestStopTransaction", "GetTransactionStatus", "CostUpdated", "Reset"}
    sent = {action for action, _ in calls} | in_session
    received = {line["action"] for line in csms.seen if line["kind"] == "call"}
    missing = set(catalogue(OcppVersion.V201).actions) - sent - received
    assert missing <= LOCAL_CONTROLLER, missing
