"""The terms in which firmware and `ChargePoint` talk; firmware finds them in `ocpp.charge_point`.

Each is loaded when it is asked for: hardly any of them is needed to introduce a station.
"""

from importlib import import_module
from typing import Any

DEFINED_IN = {
    "ocpp.core.context": ("Identity",),
    "ocpp.core.ev_link": ("EvCertificateAnswer", "EvLink", "EvNeeds", "EvSchedule"),
    "ocpp.core.evse": ("Connector", "Evse", "Evses", "Fault"),
    "ocpp.core.external_limits": ("ExternalLimit",),
    "ocpp.core.firmware_update": ("InstallOutcome", "Installer"),
    "ocpp.core.hardware": (
        "DisplayText",
        "Hardware",
        "Indication",
        "MeterReading",
        "PowerLimit",
        "Sample",
        "SignedReading",
    ),
    "ocpp.core.identity": ("AuthorizationInfo", "AuthorizationStatus", "IdToken"),
    "ocpp.core.monitor": ("Monitor", "MonitorType", "Origin"),
    "ocpp.core.schedule": ("Period", "Schedule"),
}


def term(name: str) -> Any:
    """The class of that name; AttributeError when `ocpp.charge_point` has none."""
    for module, names in DEFINED_IN.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'ocpp.charge_point' has no attribute {name!r}")
