"""The frames that are measured: typical ones of every size, in both directions."""

import json
from typing import Any

from ocpp.versions import OcppVersion

TIME = "2026-11-23T12:00:00Z"


def _sample(number: int) -> dict[str, Any]:
    measurands = ("Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Voltage")
    return {
        "value": round(1234.5 + number * 3.25, 2),
        "context": "Sample.Periodic",
        "measurand": measurands[number % 4],
        "phase": ("L1", "L2", "L3")[number % 3],
        "location": "Outlet",
        "unitOfMeasure": {"unit": ("Wh", "W", "A", "V")[number % 4]},
    }


def _report(number: int) -> dict[str, Any]:
    return {
        "component": {"name": "SampledDataCtrlr", "evse": {"id": 1 + number % 2}},
        "variable": {"name": f"Variable{number}"},
        "variableAttribute": [{"type": "Actual", "value": str(number), "mutability": "ReadWrite", "persistent": True}],
        "variableCharacteristics": {"dataType": "integer", "supportsMonitoring": False, "unit": "s"},
    }


CALLS: dict[str, tuple[OcppVersion, str, dict[str, Any]]] = {
    "BootNotification": (
        OcppVersion.V201,
        "BootNotification",
        {
            "reason": "PowerUp",
            "chargingStation": {"model": "Virtual 22", "vendorName": "pilotwire", "serialNumber": "1"},
        },
    ),
    "TransactionEvent 3x8": (
        OcppVersion.V201,
        "TransactionEvent",
        {
            "eventType": "Updated",
            "timestamp": TIME,
            "triggerReason": "MeterValuePeriodic",
            "seqNo": 7,
            "transactionInfo": {"transactionId": "0b4c1f9e-6b1c-4c53-9d35-2f9f0a1b2c3d", "chargingState": "Charging"},
            "evse": {"id": 1, "connectorId": 1},
            "meterValue": [{"timestamp": TIME, "sampledValue": [_sample(n) for n in range(8)]} for _ in range(3)],
        },
    ),
    "SetChargingProfile 24": (
        OcppVersion.V201,
        "SetChargingProfile",
        {
            "evseId": 1,
            "chargingProfile": {
                "id": 1,
                "stackLevel": 0,
                "chargingProfilePurpose": "TxDefaultProfile",
                "chargingProfileKind": "Absolute",
                "chargingSchedule": [
                    {
                        "id": 1,
                        "startSchedule": TIME,
                        "chargingRateUnit": "A",
                        "chargingSchedulePeriod": [
                            {"startPeriod": n * 3600, "limit": 6.0 + n, "numberPhases": 3} for n in range(24)
                        ],
                    }
                ],
            },
        },
    ),
    "NotifyReport 50": (
        OcppVersion.V201,
        "NotifyReport",
        {"requestId": 1, "generatedAt": TIME, "seqNo": 0, "reportData": [_report(n) for n in range(50)]},
    ),
    "1.6 MeterValues": (
        OcppVersion.V16,
        "MeterValues",
        {
            "connectorId": 1,
            "transactionId": 17,
            "meterValue": [
                {
                    "timestamp": TIME,
                    "sampledValue": [
                        {
                            "value": "1234.5",
                            "context": "Sample.Periodic",
                            "measurand": "Voltage",
                            "phase": "L1-N",
                            "unit": "V",
                        }
                        for _ in range(8)
                    ],
                }
            ],
        },
    ),
}

RESULT = (OcppVersion.V16, "StartTransaction", {"transactionId": 4711, "idTagInfo": {"status": "Accepted"}})


def frame(name: str) -> bytes:
    """The CALL of that name as it comes from the socket."""
    _, action, payload = CALLS[name]
    return json.dumps([2, "19223201-7b1c-4c53-9d35-2f9f0a1b2c3d", action, payload], separators=(",", ":")).encode()


def result_frame() -> bytes:
    """A 1.6 StartTransaction.conf as it comes from the socket."""
    return json.dumps([3, "19223201-7b1c-4c53-9d35-2f9f0a1b2c3d", RESULT[2]], separators=(",", ":")).encode()
