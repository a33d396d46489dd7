"""What a session tells of its running transaction although nothing has happened: samples, and what somebody asks for."""

from datetime import datetime
from typing import TYPE_CHECKING

from ocpp.core.changes import Changes
from ocpp.core.events import MeterValue, ReadingContext, Trigger
from ocpp.core.hardware import MeterReading
from ocpp.core.recorder import TransactionRecorder
from ocpp.core.refusal import Refusal
from ocpp.core.transaction import Transaction

if TYPE_CHECKING:
    from ocpp.core.charging import Charging
    from ocpp.core.session import ChargingSession


class Reports:
    """`Metered` of a session."""

    def __init__(
        self,
        charging: "Charging",
        session: "ChargingSession",
        changes: Changes,
        recorder: TransactionRecorder,
        refusal: Refusal,
    ) -> None:
        self._charging = charging
        self._session = session
        self._changes = changes
        self._recorder = recorder
        self._refusal = refusal

    @property
    def transaction(self) -> Transaction | None:
        """See `Metered.transaction`."""
        return self._session.transaction

    def read(self) -> MeterReading | None:
        """See `Metered.read`."""
        return self._session.read()

    def report_samples(self, value: MeterValue) -> None:
        """See `Metered.report_samples`."""
        clocked = value.context is ReadingContext.SAMPLE_CLOCK
        self._tell(Trigger.METER_VALUE_CLOCK if clocked else Trigger.METER_VALUE_PERIODIC, (value,))
        self.check_energy_limit()

    def report(self, trigger: Trigger) -> None:
        """Tell about the running transaction, with fresh samples, because somebody wants to know."""
        value = self._session.meter.value(ReadingContext.TRIGGER, self._charging.metering.updated)
        self._tell(trigger, (value,) if value is not None else ())

    def _tell(self, trigger: Trigger, values: tuple[MeterValue, ...]) -> None:
        if self.transaction is not None and not self._session.ending:
            with self._changes.whole():
                self._recorder.update(trigger, values)

    def interruption(self, last: MeterReading | None, read_at: datetime, at: datetime) -> None:
        """Tell that the transaction was interrupted, and that it goes on, each with the reading of its time.

        Two events, because one may only carry readings of its own sampling interval (J02.FR.10).
        """
        meter = self._session.meter
        with self._changes.whole():
            before = meter.interruption(last, read_at)
            if before:
                self._recorder.interrupted(at, before)
            self._recorder.update(Trigger.TX_RESUMED, meter.resumed())

    def checkpoint(self) -> None:
        """See `Metered.checkpoint`."""
        if self.transaction is not None:
            with self._changes.whole(durable=False):
                self._recorder.note_reading(self.transaction)
                self._charging.store.save(self.transaction)

    @property
    def energy_limited(self) -> bool:
        """See `Metered.energy_limited`."""
        return self._refusal.limits_energy

    def check_energy_limit(self) -> None:
        """See `Metered.check_energy_limit`."""
        if self._refusal.exhausted and not self._session.suspended_by_csms:
            self._session.suspend_by_csms()
