"""What the domain tells the protocol strategy. Called synchronously, inside the storage transaction of the change."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

from ocpp.core.hardware import Sample, SignedReading
from ocpp.core.identity import IdToken

if TYPE_CHECKING:
    from ocpp.core.evse import Connector, Evse
    from ocpp.core.transaction import Transaction


class EventKind(StrEnum):
    """TransactionEventEnumType."""

    STARTED = "Started"
    UPDATED = "Updated"
    ENDED = "Ended"


class Trigger(StrEnum):
    """Why a transaction event happened (TriggerReasonEnumType)."""

    ABNORMAL_CONDITION = "AbnormalCondition"
    AUTHORIZED = "Authorized"
    CABLE_PLUGGED_IN = "CablePluggedIn"
    CHARGING_RATE_CHANGED = "ChargingRateChanged"
    CHARGING_STATE_CHANGED = "ChargingStateChanged"
    DEAUTHORIZED = "Deauthorized"
    ENERGY_LIMIT_REACHED = "EnergyLimitReached"
    EV_COMMUNICATION_LOST = "EVCommunicationLost"
    EV_CONNECT_TIMEOUT = "EVConnectTimeout"
    EV_DEPARTED = "EVDeparted"
    EV_DETECTED = "EVDetected"
    METER_VALUE_CLOCK = "MeterValueClock"
    METER_VALUE_PERIODIC = "MeterValuePeriodic"
    REMOTE_START = "RemoteStart"
    REMOTE_STOP = "RemoteStop"
    RESET_COMMAND = "ResetCommand"
    SIGNED_DATA_RECEIVED = "SignedDataReceived"
    STOP_AUTHORIZED = "StopAuthorized"
    TIME_LIMIT_REACHED = "TimeLimitReached"
    TRIGGER = "Trigger"
    TX_RESUMED = "TxResumed"
    UNLOCK_COMMAND = "UnlockCommand"


class StopReason(StrEnum):
    """Why a transaction ended (ReasonEnumType)."""

    DEAUTHORIZED = "DeAuthorized"
    EMERGENCY_STOP = "EmergencyStop"
    ENERGY_LIMIT_REACHED = "EnergyLimitReached"
    EV_DISCONNECTED = "EVDisconnected"
    GROUND_FAULT = "GroundFault"
    HARD_RESET = "HardReset"
    IMMEDIATE_RESET = "ImmediateReset"
    LOCAL = "Local"
    MASTER_PASS = "MasterPass"
    OTHER = "Other"
    OVERCURRENT_FAULT = "OvercurrentFault"
    POWER_LOSS = "PowerLoss"
    POWER_QUALITY = "PowerQuality"
    REBOOT = "Reboot"
    REMOTE = "Remote"
    SOFT_RESET = "SoftReset"
    STOPPED_BY_EV = "StoppedByEV"
    TIMEOUT = "Timeout"
    UNLOCK_COMMAND = "UnlockCommand"


class ReadingContext(StrEnum):
    """Why a meter value was taken (ReadingContextEnumType)."""

    INTERRUPTION_BEGIN = "Interruption.Begin"
    INTERRUPTION_END = "Interruption.End"
    OTHER = "Other"
    SAMPLE_CLOCK = "Sample.Clock"
    SAMPLE_PERIODIC = "Sample.Periodic"
    TRANSACTION_BEGIN = "Transaction.Begin"
    TRANSACTION_END = "Transaction.End"
    TRIGGER = "Trigger"


class MeterValue(msgspec.Struct, frozen=True, omit_defaults=True):
    """Samples taken at one moment, for one reason."""

    timestamp: datetime
    context: ReadingContext
    samples: tuple[Sample, ...]
    signed: SignedReading | None = None


class TransactionEvent(msgspec.Struct, frozen=True):
    """One event of a transaction's life, numbered without gaps."""

    kind: EventKind
    trigger: Trigger
    transaction: "Transaction"
    seq_no: int
    timestamp: datetime
    offline: bool
    id_token: IdToken | None
    meter_values: tuple[MeterValue, ...]
    reservation_id: int | None = None


class DomainListener(Protocol):
    """The strategy's ear."""

    def transaction_event(self, event: TransactionEvent) -> None:
        """Something happened to a transaction. Messages about it belong into the outbox, now."""

    def connector_changed(self, evse: "Evse", connector: "Connector") -> None:
        """Something that the connector's status is made of has changed; the status may be the same."""

    def evse_changed(self, evse: "Evse") -> None:
        """The same for the EVSE as a whole (fault or availability of EVSE or station)."""

    def aligned_values(self, evse_id: int, value: MeterValue) -> None:
        """Clock-aligned values of an EVSE without a transaction (0: the station's main meter)."""

    def local_authorization(self, token: IdToken, status: str) -> None:
        """The outcome for a presented token, for logs, displays and the local API."""
