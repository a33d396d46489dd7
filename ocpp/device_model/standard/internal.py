"""What OCPP 1.6 configures and no 2.x variable tells: a component of its own, not shown to a 2.x CSMS."""

from ocpp.device_model.definition import DataType, Definition
from ocpp.device_model.standard.rows import RO, boolean, integer, seconds

CONTROLLER = "OCPP16Ctrlr"

PROFILES = {
    "LocalAuthListManagement": "LocalAuthListCtrlr/Available",
    "Reservation": "ReservationCtrlr/Available",
    "SmartCharging": "SmartChargingCtrlr/Available",
}
"""Feature profiles that may be missing, and the variable that says so."""

EXTENSIONS = {"PlugAndCharge": "ISO15118Ctrlr/Available", "SignedMeterValues": f"{CONTROLLER}/SignedMeterValues"}
"""Extensions that may be missing, and the variable that says so."""

TABLE = {
    f"{CONTROLLER}/BlinkRepeat": integer(3, hidden=True, high=1000),
    f"{CONTROLLER}/ConnectorPhaseRotation": Definition(
        data_type=DataType.STRING, mutability=boolean(True).mutability, default="0.Unknown", hidden=True, high=500
    ),
    f"{CONTROLLER}/CustomIdleFeeAfterStop": boolean(False, hidden=True),
    f"{CONTROLLER}/GetConfigurationMaxKeys": integer(100, RO, hidden=True, constant=True),
    f"{CONTROLLER}/LightIntensity": integer(100, hidden=True, high=100, unit="Percent"),
    f"{CONTROLLER}/MinimumStatusDuration": seconds(0, hidden=True, high=3600),
    f"{CONTROLLER}/NumberOfConnectors": integer(1, RO, hidden=True, persistent=False),
    f"{CONTROLLER}/SignedMeterValues": boolean(False, RO, hidden=True, persistent=False),
    f"{CONTROLLER}/SupportedFeatureProfiles": Definition(
        data_type=DataType.STRING, default="Core", hidden=True, persistent=False
    ),
}
