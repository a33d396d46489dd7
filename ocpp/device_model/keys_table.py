"""The standard configuration keys of OCPP 1.6, and the variables behind them (1.6 section 9, white paper chapter 4)."""

from collections.abc import Callable

import msgspec

from ocpp.device_model.standard.metering import MAX_ENDED_SAMPLES, MEASURANDS

PHASES = ("L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1")
MAX_MEASURANDS = 20
"""Entries one of the measurand lists takes (…MaxLength)."""

MAX_ROTATIONS = 64
PLUG_AND_CHARGE = "org.openchargealliance.iso15118pnc"


class Key(msgspec.Struct, frozen=True):
    """A configuration key: what it does, and the variable it shows.

    `list_of` are the values a list may hold. `shows_maximum`: the key is the largest value of the variable, not the
    value. `raised_only`: a CSMS may raise the number, never lower it, although the variable is read-only; the block
    concerned makes the change (`KeyView.on_set`), and without one nothing does. `whole`: a value that is too long for a
    key is told as an empty one, since a part of it would be wrong.
    """

    name: str
    address: str
    profile: str = "Core"
    meaning: str = ""
    fixed: str | None = None
    list_of: tuple[str, ...] = ()
    max_length: int | None = None
    reboot_required: bool = False
    shows_maximum: bool = False
    raised_only: bool = False
    whole: bool = False
    check: Callable[[str], str] | None = None


def _phase_rotation(value: str) -> str:
    orders = {"NotApplicable", "Unknown", "RST", "RTS", "SRT", "STR", "TRS", "TSR"}
    entries = [entry.strip() for entry in value.split(",") if entry.strip()]
    if len(entries) > MAX_ROTATIONS:
        return f"more than {MAX_ROTATIONS} entries"
    for entry in entries:
        connector, _, order = entry.partition(".")
        if not (connector.isascii() and connector.isdigit()) or order not in orders:
            return f"{entry!r} is not of the form connector.rotation, such as 1.RST"
    return ""


_MEASURANDS_16 = (*MEASURANDS, *(f"{measurand}.{phase}" for measurand in MEASURANDS for phase in PHASES))

KEYS: tuple[Key, ...] = (
    Key(
        "AllowOfflineTxForUnknownId",
        "AuthCtrlr/OfflineTxForUnknownIdEnabled",
        meaning="whether an unknown card may charge while there is no connection",
    ),
    Key(
        "AuthorizationCacheEnabled",
        "AuthCacheCtrlr/Enabled",
        meaning="whether answers of the CSMS about cards are remembered",
    ),
    Key(
        "AuthorizeRemoteTxRequests",
        "AuthCtrlr/AuthorizeRemoteStart",
        meaning="whether the card of a remote start is authorized first, as if it had been presented",
    ),
    Key("BlinkRepeat", "OCPP16Ctrlr/BlinkRepeat", meaning="how often the light blinks as a signal"),
    Key(
        "ClockAlignedDataInterval",
        "AlignedDataCtrlr/Interval",
        meaning="interval of clock-aligned meter values; 0 switches them off",
    ),
    Key(
        "ConnectionTimeOut", "TxCtrlr/EVConnectionTimeOut", meaning="how long an authorized driver may take to plug in"
    ),
    Key(
        "ConnectorPhaseRotation",
        "OCPP16Ctrlr/ConnectorPhaseRotation",
        check=_phase_rotation,
        meaning="how the phases of each connector are wired to the grid, as in 1.RST,2.RTS",
    ),
    Key(
        "ConnectorPhaseRotationMaxLength",
        "",
        fixed=str(MAX_ROTATIONS),
        meaning="entries of ConnectorPhaseRotation at most",
    ),
    Key(
        "GetConfigurationMaxKeys",
        "OCPP16Ctrlr/GetConfigurationMaxKeys",
        meaning="keys that one GetConfiguration may ask for",
    ),
    Key(
        "HeartbeatInterval",
        "OCPPCommCtrlr/HeartbeatInterval",
        meaning="interval of heartbeats; the CSMS sets it with BootNotification",
    ),
    Key("LightIntensity", "OCPP16Ctrlr/LightIntensity", meaning="brightness of the lights"),
    Key(
        "LocalAuthorizeOffline",
        "AuthCtrlr/LocalAuthorizeOffline",
        meaning="whether cache and local list decide while there is no connection",
    ),
    Key(
        "LocalPreAuthorize",
        "AuthCtrlr/LocalPreAuthorize",
        meaning="whether cache and local list decide before the CSMS is asked",
    ),
    Key(
        "MaxEnergyOnInvalidId",
        "TxCtrlr/MaxEnergyOnInvalidId",
        meaning="energy still delivered when the CSMS refuses the card of a running transaction",
    ),
    Key(
        "MeterValuesAlignedData",
        "AlignedDataCtrlr/Measurands",
        list_of=_MEASURANDS_16,
        max_length=MAX_MEASURANDS,
        meaning="measurands of clock-aligned meter values; a phase may follow, as in Voltage.L1",
    ),
    Key(
        "MeterValuesAlignedDataMaxLength",
        "",
        fixed=str(MAX_MEASURANDS),
        meaning="entries of MeterValuesAlignedData at most",
    ),
    Key(
        "MeterValuesSampledData",
        "SampledDataCtrlr/TxUpdatedMeasurands",
        list_of=_MEASURANDS_16,
        max_length=MAX_MEASURANDS,
        meaning="measurands of periodic meter values; a phase may follow",
    ),
    Key(
        "MeterValuesSampledDataMaxLength",
        "",
        fixed=str(MAX_MEASURANDS),
        meaning="entries of MeterValuesSampledData at most",
    ),
    Key(
        "MeterValueSampleInterval",
        "SampledDataCtrlr/TxUpdatedInterval",
        meaning="interval of periodic meter values during a transaction; 0 switches them off",
    ),
    Key(
        "MinimumStatusDuration",
        "OCPP16Ctrlr/MinimumStatusDuration",
        meaning="how long a status has to last before it is reported",
    ),
    Key("NumberOfConnectors", "OCPP16Ctrlr/NumberOfConnectors", meaning="physical connectors of the station"),
    Key("ResetRetries", "OCPPCommCtrlr/ResetRetries", meaning="attempts at a reset that fails"),
    Key(
        "StopTransactionOnEVSideDisconnect",
        "TxCtrlr/StopTxOnEVSideDisconnect",
        meaning="whether unplugging at the car ends the transaction",
    ),
    Key(
        "StopTransactionOnInvalidId",
        "TxCtrlr/StopTxOnInvalidId",
        meaning="whether a card that the CSMS refuses ends the running transaction",
    ),
    Key(
        "StopTxnAlignedData",
        "AlignedDataCtrlr/TxEndedMeasurands",
        list_of=_MEASURANDS_16,
        max_length=MAX_MEASURANDS,
        meaning="clock-aligned measurands kept for StopTransaction",
    ),
    Key("StopTxnAlignedDataMaxLength", "", fixed=str(MAX_MEASURANDS), meaning="entries of StopTxnAlignedData at most"),
    Key(
        "StopTxnSampledData",
        "SampledDataCtrlr/TxEndedMeasurands",
        list_of=_MEASURANDS_16,
        max_length=MAX_MEASURANDS,
        meaning="periodic measurands kept for StopTransaction",
    ),
    Key("StopTxnSampledDataMaxLength", "", fixed=str(MAX_MEASURANDS), meaning="entries of StopTxnSampledData at most"),
    Key(
        "StopTransactionMaxMeterValues",
        "",
        fixed=str(MAX_ENDED_SAMPLES + 1),
        meaning="meter values that StopTransaction carries at most; beyond it those in between are thinned out",
    ),
    Key("SupportedFeatureProfiles", "OCPP16Ctrlr/SupportedFeatureProfiles", meaning="feature profiles the station has"),
    Key("SupportedFeatureProfilesMaxLength", "", fixed="9", meaning="entries of SupportedFeatureProfiles at most"),
    Key(
        "SupportedFileTransferProtocols",
        "OCPPCommCtrlr/FileTransferProtocols",
        "FirmwareManagement",
        meaning="protocols that logs and firmware may be transferred with; SFTP needs the extra `sftp`",
    ),
    Key(
        "TransactionMessageAttempts",
        "OCPPCommCtrlr/MessageAttempts[TransactionEvent]",
        meaning="how often a message about a transaction is sent before it is given up",
    ),
    Key(
        "TransactionMessageRetryInterval",
        "OCPPCommCtrlr/MessageAttemptInterval[TransactionEvent]",
        meaning="wait before such a message is sent again, times the number of attempts",
    ),
    Key(
        "UnlockConnectorOnEVSideDisconnect",
        "OCPPCommCtrlr/UnlockOnEVSideDisconnect",
        meaning="whether the station's end of the cable is released when the car's end is unplugged",
    ),
    Key(
        "WebSocketPingInterval",
        "OCPPCommCtrlr/WebSocketPingInterval",
        meaning="interval of WebSocket pings; 0 switches them off",
    ),
    Key(
        "LocalAuthListEnabled",
        "LocalAuthListCtrlr/Enabled",
        "LocalAuthListManagement",
        meaning="whether the local authorization list is used",
    ),
    Key(
        "LocalAuthListMaxLength",
        "LocalAuthListCtrlr/Entries",
        "LocalAuthListManagement",
        shows_maximum=True,
        meaning="cards that the local list holds at most",
    ),
    Key(
        "SendLocalListMaxLength",
        "LocalAuthListCtrlr/ItemsPerMessage",
        "LocalAuthListManagement",
        meaning="cards that one SendLocalList may carry",
    ),
    Key(
        "ChargeProfileMaxStackLevel",
        "SmartChargingCtrlr/ProfileStackLevel",
        "SmartCharging",
        meaning="highest stack level of a charging profile",
    ),
    Key(
        "ChargingScheduleAllowedChargingRateUnit",
        "",
        "SmartCharging",
        fixed="Current,Power",
        meaning="units that charging schedules may use",
    ),
    Key(
        "ChargingScheduleMaxPeriods",
        "SmartChargingCtrlr/PeriodsPerSchedule",
        "SmartCharging",
        meaning="periods of a charging schedule at most",
    ),
    Key(
        "ConnectorSwitch3to1PhaseSupported",
        "SmartChargingCtrlr/Phases3to1",
        "SmartCharging",
        meaning="whether phases can be switched during a transaction",
    ),
    Key(
        "MaxChargingProfilesInstalled",
        "SmartChargingCtrlr/Entries[ChargingProfiles]",
        "SmartCharging",
        shows_maximum=True,
        meaning="charging profiles the station keeps at most",
    ),
    Key(
        "ReserveConnectorZeroSupported",
        "ReservationCtrlr/NonEvseSpecific",
        "Reservation",
        meaning="whether connector 0 can be reserved: any connector",
    ),
    *(
        Key(name, f"ISO15118Ctrlr/{variable}", "PlugAndCharge", meaning=f"{meaning} (extension {PLUG_AND_CHARGE})")
        for name, variable, meaning in (
            ("ISO15118PnCEnabled", "PnCEnabled", "whether EVs may charge by contract"),
            (
                "CentralContractValidationAllowed",
                "CentralContractValidationAllowed",
                "whether the CSMS may validate a contract whose root is not installed",
            ),
            ("ContractValidationOffline", "ContractValidationOffline", "whether contracts are validated offline"),
        )
    ),
    Key(
        "CustomDisplayCostAndPrice",
        "TariffCostCtrlr/Enabled[Cost]",
        "CostMessages",
        meaning="whether prices and costs that the CSMS sends are shown (extension org.openchargealliance.costmsg)",
    ),
    Key(
        "CustomIdleFeeAfterStop",
        "OCPP16Ctrlr/CustomIdleFeeAfterStop",
        "CostMessages",
        meaning="whether the CSMS is told when the EV leaves after its transaction (same extension)",
    ),
    Key(
        "DefaultPrice",
        "TariffCostCtrlr/TariffFallbackMessage",
        "CostMessages",
        meaning="text shown to drivers without a price of their own (same extension)",
    ),
    Key(
        "NumberOfDecimalsForCostValues",
        "TariffCostCtrlr/NumberOfDecimals",
        "CostMessages",
        meaning="decimals of a cost (same extension)",
    ),
    *(
        Key(name, address, "SignedMeterValues", meaning=f"{meaning} (white paper on signed meter values)")
        for name, address, meaning in (
            (
                "PublicKeyWithSignedMeterValue",
                "OCPPCommCtrlr/PublicKeyWithSignedMeterValue",
                "how often the public key of the meter goes with its signed values",
            ),
            (
                "SampledDataSignReadings",
                "SampledDataCtrlr/SignReadings",
                "whether sampled values are signed at the begin and the end of a transaction",
            ),
            (
                "SampledDataSignStartedReadings",
                "SampledDataCtrlr/SignStartedReadings",
                "whether the value at the begin is told when the transaction begins",
            ),
            (
                "SampledDataSignUpdatedReadings",
                "SampledDataCtrlr/SignUpdatedReadings",
                "whether the values in between are signed",
            ),
            (
                "AlignedDataSignReadings",
                "AlignedDataCtrlr/SignReadings",
                "whether clock-aligned values are signed at the end of a transaction",
            ),
            (
                "AlignedDataSignUpdatedReadings",
                "AlignedDataCtrlr/SignUpdatedReadings",
                "whether clock-aligned values are signed whenever they are sent",
            ),
        )
    ),
    Key(
        "AdditionalRootCertificateCheck",
        "SecurityCtrlr/AdditionalRootCertificateCheck",
        "Security",
        meaning="whether a new CSMS root has to be signed by the one before",
    ),
    Key(
        "AuthorizationKey",
        "SecurityCtrlr/BasicAuthPassword",
        "Security",
        meaning="password of the station; it can only be written",
    ),
    Key(
        "CertificateSignedMaxChainSize",
        "SecurityCtrlr/MaxCertificateChainSize",
        "Security",
        meaning="bytes of a certificate chain in CertificateSigned at most",
    ),
    Key(
        "CertificateStoreMaxLength",
        "SecurityCtrlr/CertificateEntries",
        "Security",
        shows_maximum=True,
        meaning="certificates the station keeps at most",
    ),
    Key("CpoName", "SecurityCtrlr/OrganizationName", "Security", meaning="operator, as certificate requests name it"),
    Key(
        "SecurityProfile",
        "SecurityCtrlr/SecurityProfile",
        "Security",
        raised_only=True,
        meaning="security profile of the connection; it can only be raised",
    ),
)
"""Keys of feature profiles that the station does not have are not there at all (1.6 section 9)."""
