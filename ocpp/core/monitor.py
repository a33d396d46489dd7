"""What a monitor is, and what a value means to it (block N; Part 2, data type VariableMonitoringType)."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from ocpp.device_model.definition import DataType, Definition, Mutability

MAX_SEVERITY = 9
"""0 is danger, 9 debug."""

NUMERIC = frozenset({DataType.INTEGER, DataType.DECIMAL})


class MonitorType(StrEnum):
    """MonitorEnumType; the last two since 2.1."""

    UPPER_THRESHOLD = "UpperThreshold"
    LOWER_THRESHOLD = "LowerThreshold"
    DELTA = "Delta"
    PERIODIC = "Periodic"
    PERIODIC_CLOCK_ALIGNED = "PeriodicClockAligned"


THRESHOLDS = frozenset({MonitorType.UPPER_THRESHOLD, MonitorType.LOWER_THRESHOLD})
PERIODICS = frozenset({MonitorType.PERIODIC, MonitorType.PERIODIC_CLOCK_ALIGNED})

CRITERIA = {
    "ThresholdMonitoring": THRESHOLDS,
    "DeltaMonitoring": frozenset({MonitorType.DELTA}),
    "PeriodicMonitoring": PERIODICS,
}
"""MonitoringCriterionEnumType (N02.FR.12-14)."""


class Origin(StrEnum):
    """Where a monitor comes from; names of EventNotificationEnumType."""

    HARD_WIRED = "HardWiredMonitor"
    PRECONFIGURED = "PreconfiguredMonitor"
    CUSTOM = "CustomMonitor"


class Monitor(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A monitor on the actual value of one variable. `address` is the variable's name in the device model."""

    id: int
    address: str
    type: MonitorType
    value: Decimal
    severity: int
    in_transaction: bool = False
    origin: Origin = Origin.CUSTOM
    exceeded: bool = False
    """Whether a threshold was exceeded when last looked at; survives a restart (N07.FR.14)."""
    reference: str | None = None
    """The value that a delta counts from: when the monitor was set, or told last."""

    def same_definition(self, other: "Monitor") -> bool:
        """Whether both watch the same variable in the same way with the same severity (N04.FR.10)."""
        return (self.address, self.type, self.severity) == (other.address, other.type, other.severity)

    def exceeds(self, value: str) -> bool:
        """Whether a value is beyond the threshold, not on it (N07.FR.16-17)."""
        try:
            number = Decimal(value)
        except ArithmeticError:
            return False
        return number > self.value if self.type is MonitorType.UPPER_THRESHOLD else number < self.value

    def differs(self, value: str, definition: Definition) -> bool:
        """Whether a value is away from the reference by more than the delta; of a text by anything (N07.FR.18-19)."""
        if self.reference is None or definition.mutability is Mutability.WRITE_ONLY:
            return True
        if definition.data_type not in NUMERIC:
            return value != self.reference
        try:
            return abs(Decimal(value) - Decimal(self.reference)) > self.value
        except ArithmeticError:
            return value != self.reference


def defect(definition: Definition, kind: MonitorType, value: Decimal, severity: int) -> tuple[str, str]:
    """Status and reason code for a monitor that cannot be on a variable; ("", "") for a good one."""
    if not definition.monitored:
        return "UnsupportedMonitorType", "UnsupportedRequest"
    if not 0 <= severity <= MAX_SEVERITY:
        return "Rejected", "ValueOutOfRange"
    if kind in THRESHOLDS:
        if definition.data_type not in NUMERIC or definition.mutability is Mutability.WRITE_ONLY:
            return "UnsupportedMonitorType", "UnsupportedRequest"
        low, high = definition.low, definition.high
        if (low is not None and value < Decimal(str(low))) or (high is not None and value > Decimal(str(high))):
            return "Rejected", "ValueOutOfRange"
    if kind is MonitorType.DELTA and value < 0:
        return "Rejected", "ValuePositiveOnly"
    if kind in PERIODICS and value < 1:
        return "Rejected", "ValueTooLow"
    return "", ""
