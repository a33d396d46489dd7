"""Every message of OCPP 1.6, with the security white paper, passes the validation of CSMSs that nobody here wrote."""

from collections.abc import Iterator

import pytest
from support.file_server import FileServer, file_server
from support.peers import came, mobilityhouse, ocpp_rpc, send_all, serving
from support.processes import JsonProcess, StationProcess, station_file
from support.tls import Authority, pem

from ocpp.messages import catalogue
from ocpp.versions import OcppVersion

CARD = "04A2B3C4D5E6F7"
VARIABLES = {"TxCtrlr/TxStartPoint": "Authorized", "SampledDataCtrlr/TxUpdatedInterval": 1}
LATER = "2036-01-01T00:00:00Z"
SECURITY = {
    "CertificateSigned",
    "DeleteCertificate",
    "ExtendedTriggerMessage",
    "GetInstalledCertificateIds",
    "GetLog",
    "InstallCertificate",
    "LogStatusNotification",
    "SecurityEventNotification",
    "SignCertificate",
    "SignedFirmwareStatusNotification",
    "SignedUpdateFirmware",
}
"""The white paper's messages, which ocpp-rpc has no schemas for."""

PERIODS = [{"startPeriod": 0, "limit": 16.0}, {"startPeriod": 600, "limit": 10.0, "numberPhases": 3}]
PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Recurring",
    "recurrencyKind": "Daily",
    "chargingSchedule": {
        "startSchedule": "2026-01-01T00:00:00Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": PERIODS,
    },
}


def core_calls(url: str) -> list[tuple[str, dict]]:
    """Calls of every profile of the first specification; those that end something come last."""
    return [
        ("GetConfiguration", {}),
        ("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "2"}),
        ("ChangeAvailability", {"connectorId": 1, "type": "Operative"}),
        ("ClearCache", {}),
        ("DataTransfer", {"vendorId": "nobody"}),
        ("UnlockConnector", {"connectorId": 7}),
        ("GetLocalListVersion", {}),
        (
            "SendLocalList",
            {
                "listVersion": 1,
                "updateType": "Full",
                "localAuthorizationList": [{"idTag": "A1", "idTagInfo": {"status": "Accepted", "expiryDate": LATER}}],
            },
        ),
        ("ReserveNow", {"connectorId": 1, "expiryDate": LATER, "idTag": "A1", "reservationId": 3}),
        ("CancelReservation", {"reservationId": 3}),
        ("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": PROFILE}),
        ("GetCompositeSchedule", {"connectorId": 1, "duration": 3600, "chargingRateUnit": "W"}),
        ("ClearChargingProfile", {"id": 1}),
        *(
            ("TriggerMessage", {"requestedMessage": message})
            for message in ("Heartbeat", "FirmwareStatusNotification", "DiagnosticsStatusNotification")
        ),
        ("GetDiagnostics", {"location": url}),
        ("UpdateFirmware", {"location": url + "firmware.bin", "retrieveDate": LATER}),
        ("RemoteStartTransaction", {"idTag": CARD, "connectorId": 1}),
    ]


def security_calls(url: str, root: Authority) -> list[tuple[str, dict]]:
    certificate = pem(root.certificate).decode()
    hashes = {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "0" * 64,
        "issuerKeyHash": "0" * 64,
        "serialNumber": "1",
    }
    firmware = {
        "location": url + "firmware.bin",
        "retrieveDateTime": LATER,
        "signingCertificate": certificate,
        "signature": "MEUCIQ==",
    }
    triggers = ("SignChargePointCertificate", "LogStatusNotification", "FirmwareStatusNotification")
    return [
        ("InstallCertificate", {"certificateType": "CentralSystemRootCertificate", "certificate": certificate}),
        ("GetInstalledCertificateIds", {"certificateType": "CentralSystemRootCertificate"}),
        ("DeleteCertificate", {"certificateHashData": hashes}),
        *(("ExtendedTriggerMessage", {"requestedMessage": message}) for message in triggers),
        ("CertificateSigned", {"certificateChain": certificate}),
        ("GetLog", {"logType": "SecurityLog", "requestId": 1, "log": {"remoteLocation": url}}),
        ("SignedUpdateFirmware", {"requestId": 2, "firmware": firmware}),
    ]


def remote_session(csms: JsonProcess, station: StationProcess) -> list[dict]:
    """Started by cable and RemoteStartTransaction, ended by RemoteStopTransaction, then a reset."""
    station.plug()
    station.wait_state("Charging")
    values = came(csms, "MeterValues", transactionId=bool)
    answers = send_all(csms, [("RemoteStopTransaction", {"transactionId": values["payload"]["transactionId"]})])
    came(csms, "StopTransaction")
    station.unplug()
    return answers


@pytest.fixture
def files() -> Iterator[FileServer]:
    with file_server() as server:
        yield server


@pytest.mark.parametrize("peer", [mobilityhouse, ocpp_rpc])
def test_every_message_of_every_profile(tmp_path, peer, files):
    csms = peer("1.6")
    calls = core_calls(files.url)
    secure = peer is mobilityhouse
    if secure:
        calls = [*security_calls(files.url, Authority("CSMS root")), *calls]
    try:
        with serving(csms, tmp_path, lambda port: station_file(port, "1.6", VARIABLES)) as station:
            answers = send_all(csms, calls)
            came(csms, "DiagnosticsStatusNotification", status="Uploaded")
            if secure:
                came(csms, "LogStatusNotification", status="Uploaded")
                came(csms, "SignCertificate")
            answers += remote_session(csms, station)
            answers += send_all(csms, [("Reset", {"type": "Hard"})])
            assert station.process.wait(20) == 75
            station.process = None
            csms.until(lambda line: line["kind"] == "gone")
    finally:
        csms.close()
    assert [line for line in csms.seen if line["kind"] == "invalid"] == []
    refused = {line["id"]: line["code"] for line in answers if line["kind"] == "error"}
    assert len(refused) <= 1, refused  # signed or unsigned updates: a station takes one kind only
    assert_complete(csms, calls, secure)


def assert_complete(csms: JsonProcess, calls: list[tuple[str, dict]], secure: bool) -> None:
    """Nothing of the catalogue was left out, either way."""
    v16 = catalogue(OcppVersion.V16)
    sent = {action for action, _ in calls} | {"RemoteStopTransaction", "Reset"}
    came = {line["action"] for line in csms.seen if line["kind"] == "call"}
    missing = set(v16.actions) - sent - came
    assert missing <= ({"none"} if secure else SECURITY), missing
