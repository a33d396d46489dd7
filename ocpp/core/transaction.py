"""A transaction, as it is kept on disk, and its store."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import msgspec

from ocpp.core.events import StopReason, Trigger
from ocpp.core.hardware import MeterReading
from ocpp.core.identity import IdToken
from ocpp.storage.transactions import TransactionRecord, TransactionRepository

MAX_ENDED_TRANSACTIONS = 200
"""Ended transactions kept for GetTransactionStatus and late answers; older ones are forgotten."""


class ChargingState(StrEnum):
    """What is going on between EVSE and EV (ChargingStateEnumType)."""

    IDLE = "Idle"
    EV_CONNECTED = "EVConnected"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"


class Authorization(msgspec.Struct, frozen=True):
    """The right to charge that a session has been given."""

    token: IdToken
    group: IdToken | None = None
    remote_start_id: int | None = None
    reservation_id: int | None = None
    priority: int = 0
    """The token's chargingPriority, -9 to 9."""
    languages: tuple[str, ...] = ()
    """What the driver reads, best first."""


class Transaction(msgspec.Struct, omit_defaults=True):
    """One transaction. Saved with every event, so that a power cut finds it as the CSMS knows it."""

    id: str
    started_at: datetime
    evse_id: int | None = None
    connector_id: int | None = None
    next_seq_no: int = 0
    active: bool = True
    charging_state: ChargingState = ChargingState.IDLE
    phases_used: int | None = None
    token: IdToken | None = None
    group: IdToken | None = None
    authorized: bool = False
    token_reported: bool = False
    remote_start_id: int | None = None
    reservation_id: int | None = None
    begin_reported: bool = False
    public_key_told: bool = False
    begin: MeterReading | None = None
    last: MeterReading | None = None
    last_at: datetime | None = None
    ended_at: datetime | None = None
    stop_trigger: Trigger | None = None
    stop_reason: StopReason | None = None
    stop_token: IdToken | None = None
    deauthorized: bool = False
    energy_limit_wh: int | None = None
    csms_id: int | None = None
    priority: int = 0
    """The token's chargingPriority, or what the CSMS gave this transaction alone (K03.FR.05)."""

    def take(self, authorization: Authorization) -> None:
        """It is charged on this authorization from now on."""
        self.token, self.group = authorization.token, authorization.group
        self.authorized, self.deauthorized = True, False
        self.energy_limit_wh, self.stop_reason = None, None
        self.priority = authorization.priority
        if authorization.remote_start_id is not None:
            self.remote_start_id = authorization.remote_start_id
        if authorization.reservation_id is not None:
            self.reservation_id = authorization.reservation_id

    @property
    def energy_wh(self) -> int:
        """What has been delivered so far, by the meter's own register."""
        if self.begin is None or self.last is None:
            return 0
        return self.last.energy_wh - self.begin.energy_wh


class TransactionStore:
    """Transactions on disk."""

    def __init__(self, repository: TransactionRepository, major: int) -> None:
        self._repository = repository
        self._major = major

    def save(self, transaction: Transaction) -> None:
        """Write the transaction; belongs into the storage transaction of what changed it."""
        self._repository.save(
            TransactionRecord(
                id=transaction.id,
                evse_id=transaction.evse_id,
                connector_id=transaction.connector_id,
                major=self._major,
                csms_id=transaction.csms_id,
                active=transaction.active,
                seq_no=transaction.next_seq_no,
                data=msgspec.json.encode(transaction),
                started_unix=transaction.started_at.timestamp(),
            )
        )

    def get(self, transaction_id: str) -> Transaction | None:
        """A transaction by its own id, ongoing or ended not long ago."""
        record = self._repository.get(transaction_id)
        return self._decode(record) if record is not None and record.major == self._major else None

    def by_csms_id(self, csms_id: int) -> Transaction | None:
        """A transaction by the id a 1.6 CSMS gave it."""
        record = self._repository.by_csms_id(csms_id)
        return self._decode(record) if record is not None and record.major == self._major else None

    def open(self) -> list[Transaction]:
        """Those that had not ended when the station stopped."""
        return [self._decode(record) for record in self._repository.active() if record.major == self._major]

    def is_followed(self, transaction: Transaction) -> bool:
        """Whether another transaction began at the same EVSE afterwards."""
        started = transaction.started_at.timestamp()
        return transaction.evse_id is not None and self._repository.has_later(transaction.evse_id, started)

    def prune(self) -> None:
        """Forget the oldest ended ones beyond the bound."""
        self._repository.prune(MAX_ENDED_TRANSACTIONS)

    def add_sample(self, transaction_id: str, sample: bytes) -> None:
        """Keep a sample for the end of the transaction."""
        self._repository.add_sample(transaction_id, sample)

    def sample_count(self, transaction_id: str) -> int:
        """How many samples are kept."""
        return self._repository.sample_count(transaction_id)

    def samples(self, transaction_id: str) -> list[bytes]:
        """The samples kept, oldest first."""
        return self._repository.samples(transaction_id)

    def change_samples(self, transaction_id: str, change: Callable[[bytes], bytes]) -> None:
        """Put what `change` makes of each sample in its place."""
        self._repository.change_samples(transaction_id, change)

    def thin_samples(self, transaction_id: str) -> None:
        """Drop every second intermediate sample (E07.FR.10)."""
        self._repository.thin_samples(transaction_id)

    def drop_samples(self, transaction_id: str) -> None:
        """The transaction has ended: its samples are in the message."""
        self._repository.drop_samples(transaction_id)

    @staticmethod
    def _decode(record: TransactionRecord) -> Transaction:
        transaction = msgspec.json.decode(record.data, type=Transaction)
        transaction.csms_id = record.csms_id
        return transaction
