"""RPC error codes, and their spelling in each version.

Inside the program the 2.x names are used. OCPP-J 1.6 spells two of them differently and does not know two others
(OCPP-J 1.6 section 4.2.3, OCPP-J 2.0.1 and 2.1 section 4.3).
"""

from ocpp.versions import OcppVersion

FORMAT_VIOLATION = "FormatViolation"
GENERIC_ERROR = "GenericError"
INTERNAL_ERROR = "InternalError"
MESSAGE_TYPE_NOT_SUPPORTED = "MessageTypeNotSupported"
NOT_IMPLEMENTED = "NotImplemented"
NOT_SUPPORTED = "NotSupported"
OCCURRENCE_CONSTRAINT_VIOLATION = "OccurrenceConstraintViolation"
PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
PROTOCOL_ERROR = "ProtocolError"
RPC_FRAMEWORK_ERROR = "RpcFrameworkError"
SECURITY_ERROR = "SecurityError"
TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"

_SPELLING_16 = {
    FORMAT_VIOLATION: "FormationViolation",
    OCCURRENCE_CONSTRAINT_VIOLATION: "OccurenceConstraintViolation",
    RPC_FRAMEWORK_ERROR: "ProtocolError",
    MESSAGE_TYPE_NOT_SUPPORTED: "NotSupported",
}


def spelled(code: str, version: OcppVersion) -> str:
    """`code` as `version` writes it; a code that is already in that spelling stays as it is."""
    return _SPELLING_16.get(code, code) if version is OcppVersion.V16 else code
