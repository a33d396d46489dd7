"""Names for the types that the 1.6 core schemas leave nameless; they follow section 7 of the 1.6 specification."""

_BY_FIELD = {
    "chargingProfileKind": "ChargingProfileKindType",
    "chargingProfilePurpose": "ChargingProfilePurposeType",
    "chargingRateUnit": "ChargingRateUnitType",
    "context": "ReadingContext",
    "errorCode": "ChargePointErrorCode",
    "format": "ValueFormat",
    "location": "Location",
    "measurand": "Measurand",
    "phase": "Phase",
    "reason": "Reason",
    "recurrencyKind": "RecurrencyKindType",
    "requestedMessage": "MessageTrigger",
    "unit": "UnitOfMeasure",
    "updateType": "UpdateType",
}

_BY_MESSAGE = {
    ("BootNotificationResponse", "status"): "RegistrationStatus",
    ("ChangeAvailability", "type"): "AvailabilityType",
    ("ChangeAvailabilityResponse", "status"): "AvailabilityStatus",
    ("ChangeConfigurationResponse", "status"): "ConfigurationStatus",
    ("DiagnosticsStatusNotification", "status"): "DiagnosticsStatus",
    ("FirmwareStatusNotification", "status"): "FirmwareStatus",
    ("RemoteStartTransactionResponse", "status"): "RemoteStartStopStatus",
    ("RemoteStopTransactionResponse", "status"): "RemoteStartStopStatus",
    ("ReserveNowResponse", "status"): "ReservationStatus",
    ("Reset", "type"): "ResetType",
    ("SendLocalListResponse", "status"): "UpdateStatus",
    ("SetChargingProfileResponse", "status"): "ChargingProfileStatus",
    ("StatusNotification", "status"): "ChargePointStatus",
    ("UnlockConnectorResponse", "status"): "UnlockStatus",
}

_AUTHORIZATION_STATUS = {"Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"}

_STRUCTS = {
    "configurationKey": "KeyValue",
    "csChargingProfiles": "ChargingProfile",
    "localAuthorizationList": "AuthorizationData",
    "transactionData": "MeterValue",
}


def enum_name_16(message: str, field: str, values: list[str]) -> str:
    """The name of a nameless enumeration."""
    if set(values) == _AUTHORIZATION_STATUS:
        return "AuthorizationStatus"
    named = _BY_MESSAGE.get((message, field)) or _BY_FIELD.get(field)
    return named or f"{message.removesuffix('Response')}{field[0].upper()}{field[1:]}"


def struct_name_16(message: str, field: str) -> str:
    """The name of a nameless object."""
    return _STRUCTS.get(field) or field[0].upper() + field[1:]
