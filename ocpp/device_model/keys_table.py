"""The standard configuration keys of OCPP 1.6, and the variables behind them (1.6 section 9, white paper chapter 4)."""

from collections.abc import Callable
from dataclasses import dataclass

from ocpp.device_model.standard.metering import MEASURANDS

PHASES = ("L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1")
MAX_MEASURANDS = 20
"""Entries one of the measurand lists takes (…MaxLength)."""

MAX_ROTATIONS = 64


@dataclass(frozen=True, slots=True)
class Key:
    """A configuration key: what it does, and the variable it shows.

    `list_of` are the values a list may hold. `shows_maximum`: the key is the largest value of the variable, not the
    value. `writable`: a CSMS may write the key although the variable is read-only; the block concerned decides.
    """

    name: str
    address: str
    profile: str = "Core"
    fixed: str | None = None
    list_of: tuple[str, ...] = ()
    max_length: int | None = None
    reboot_required: bool = False
    shows_maximum: bool = False
    writable: bool = False
    check: Callable[[str], str] | None = None


def _phase_rotation(value: str) -> str:
    orders = {"NotApplicable", "Unknown", "RST", "RTS", "SRT", "STR", "TRS", "TSR"}
    entries = [entry.strip() for entry in value.split(",") if entry.strip()]
    if len(entries) > MAX_ROTATIONS:
        return f"more than {MAX_ROTATIONS} entries"
    for entry in entries:
        connector, _, order = entry.partition(".")
        if not connector.isdigit() or order not in orders:
            return f"{entry!r} is not of the form connector.rotation, such as 1.RST"
    return ""


_MEASURANDS_16 = (*MEASURANDS, *(f"{measurand}.{phase}" for measurand in MEASURANDS for phase in PHASES))

KEYS: tuple[Key, ...] = (
    Key("AllowOfflineTxForUnknownId", "AuthCtrlr/OfflineTxForUnknownIdEnabled"),
    Key("AuthorizationCacheEnabled", "AuthCacheCtrlr/Enabled"),
    Key("AuthorizeRemoteTxRequests", "AuthCtrlr/AuthorizeRemoteStart"),
    Key("BlinkRepeat", "OCPP16Ctrlr/BlinkRepeat"),
    Key("ClockAlignedDataInterval", "AlignedDataCtrlr/Interval"),
    Key("ConnectionTimeOut", "TxCtrlr/EVConnectionTimeOut"),
    Key("ConnectorPhaseRotation", "OCPP16Ctrlr/ConnectorPhaseRotation", check=_phase_rotation),
    Key("ConnectorPhaseRotationMaxLength", "", fixed=str(MAX_ROTATIONS)),
    Key("GetConfigurationMaxKeys", "OCPP16Ctrlr/GetConfigurationMaxKeys"),
    Key("HeartbeatInterval", "OCPPCommCtrlr/HeartbeatInterval"),
    Key("LightIntensity", "OCPP16Ctrlr/LightIntensity"),
    Key("LocalAuthorizeOffline", "AuthCtrlr/LocalAuthorizeOffline"),
    Key("LocalPreAuthorize", "AuthCtrlr/LocalPreAuthorize"),
    Key("MaxEnergyOnInvalidId", "TxCtrlr/MaxEnergyOnInvalidId"),
    Key("MeterValuesAlignedData", "AlignedDataCtrlr/Measurands", list_of=_MEASURANDS_16, max_length=MAX_MEASURANDS),
    Key("MeterValuesAlignedDataMaxLength", "", fixed=str(MAX_MEASURANDS)),
    Key(
        "MeterValuesSampledData",
        "SampledDataCtrlr/TxUpdatedMeasurands",
        list_of=_MEASURANDS_16,
        max_length=MAX_MEASURANDS,
    ),
    Key("MeterValuesSampledDataMaxLength", "", fixed=str(MAX_MEASURANDS)),
    Key("MeterValueSampleInterval", "SampledDataCtrlr/TxUpdatedInterval"),
    Key("MinimumStatusDuration", "OCPP16Ctrlr/MinimumStatusDuration"),
    Key("NumberOfConnectors", "OCPP16Ctrlr/NumberOfConnectors"),
    Key("ResetRetries", "OCPPCommCtrlr/ResetRetries"),
    Key("StopTransactionOnEVSideDisconnect", "TxCtrlr/StopTxOnEVSideDisconnect"),
    Key("StopTransactionOnInvalidId", "TxCtrlr/StopTxOnInvalidId"),
    Key("StopTxnAlignedData", "AlignedDataCtrlr/TxEndedMeasurands", list_of=_MEASURANDS_16, max_length=MAX_MEASURANDS),
    Key("StopTxnAlignedDataMaxLength", "", fixed=str(MAX_MEASURANDS)),
    Key("StopTxnSampledData", "SampledDataCtrlr/TxEndedMeasurands", list_of=_MEASURANDS_16, max_length=MAX_MEASURANDS),
    Key("StopTxnSampledDataMaxLength", "", fixed=str(MAX_MEASURANDS)),
    Key("SupportedFeatureProfiles", "OCPP16Ctrlr/SupportedFeatureProfiles"),
    Key("SupportedFeatureProfilesMaxLength", "", fixed="9"),
    Key("TransactionMessageAttempts", "OCPPCommCtrlr/MessageAttempts[TransactionEvent]"),
    Key("TransactionMessageRetryInterval", "OCPPCommCtrlr/MessageAttemptInterval[TransactionEvent]"),
    Key("UnlockConnectorOnEVSideDisconnect", "OCPPCommCtrlr/UnlockOnEVSideDisconnect"),
    Key("WebSocketPingInterval", "OCPPCommCtrlr/WebSocketPingInterval"),
    Key("AdditionalRootCertificateCheck", "SecurityCtrlr/AdditionalRootCertificateCheck", "Security"),
    Key("AuthorizationKey", "SecurityCtrlr/BasicAuthPassword", "Security"),
    Key("CertificateSignedMaxChainSize", "SecurityCtrlr/MaxCertificateChainSize", "Security"),
    Key("CertificateStoreMaxLength", "SecurityCtrlr/CertificateEntries", "Security", shows_maximum=True),
    Key("CpoName", "SecurityCtrlr/OrganizationName", "Security"),
    Key("SecurityProfile", "SecurityCtrlr/SecurityProfile", "Security", writable=True),
)
"""Keys of feature profiles that the station does not have are not there at all (1.6 section 9)."""
