"""Which meter values go where: selection by measurand, sampling and clock-aligned timers, samples kept for the end."""

import logging
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from ocpp.clock import Clock, Timer
from ocpp.core.events import MeterValue, ReadingContext
from ocpp.core.hardware import MeterReading, Sample
from ocpp.core.transaction import Transaction, TransactionStore
from ocpp.device_model import DeviceModel
from ocpp.device_model.standard.metering import MAX_ENDED_SAMPLES
from ocpp.errors import StorageError

ENERGY_CHECK_INTERVAL_S = 1.0
"""How often the meter is looked at while only so much energy may be delivered: 6 Wh at 22 kW."""

CHECKPOINT_INTERVAL_S = 60.0
"""How often the last reading of a running transaction is noted, for the bill after a power cut."""

log = logging.getLogger(__name__)


def selected(reading: MeterReading, measurands: Iterable[str]) -> tuple[Sample, ...]:
    """The samples of `reading` that `measurands` ask for, in that order.

    A measurand may carry a phase ("Current.Import.L1", 1.6 section 9.1.15); without one all its phases are meant.
    """
    chosen: list[Sample] = []
    for wanted in measurands:
        chosen.extend(
            sample
            for sample in reading.samples
            if sample not in chosen
            and (
                sample.measurand == wanted
                or (sample.phase is not None and f"{sample.measurand}.{sample.phase}" == wanted)
            )
        )
    return tuple(chosen)


class MeteringSettings:
    """What is sampled and when (SampledDataCtrlr, AlignedDataCtrlr; the 1.6 keys are a view on them)."""

    def __init__(self, model: DeviceModel) -> None:
        self.sampled_enabled = model.boolean("SampledDataCtrlr/Enabled")
        self.aligned_enabled = model.boolean("AlignedDataCtrlr/Enabled")
        self.started = model.members("SampledDataCtrlr/TxStartedMeasurands")
        self.updated = model.members("SampledDataCtrlr/TxUpdatedMeasurands")
        self.updated_interval = model.integer("SampledDataCtrlr/TxUpdatedInterval")
        self.ended = model.members("SampledDataCtrlr/TxEndedMeasurands")
        self.ended_interval = model.integer("SampledDataCtrlr/TxEndedInterval")
        self.sampled_signed = model.boolean("SampledDataCtrlr/SignReadings")
        self.aligned = model.members("AlignedDataCtrlr/Measurands")
        self.aligned_interval = model.integer("AlignedDataCtrlr/Interval")
        self.aligned_ended = model.members("AlignedDataCtrlr/TxEndedMeasurands")
        self.aligned_ended_interval = model.integer("AlignedDataCtrlr/TxEndedInterval")
        self.aligned_when_idle_only = model.boolean("AlignedDataCtrlr/SendDuringIdle")
        self.aligned_signed = model.boolean("AlignedDataCtrlr/SignReadings")


class Metered(Protocol):
    """A session whose transaction is metered."""

    transaction: Transaction | None

    def read(self) -> MeterReading | None:
        """The newest reading; None while no EVSE is known."""

    def report_samples(self, value: MeterValue) -> None:
        """Send periodic or clock-aligned samples of the running transaction."""

    def checkpoint(self) -> None:
        """Note the last reading without a message."""

    @property
    def energy_limited(self) -> bool:
        """Whether only so much energy may be delivered."""

    def check_energy_limit(self) -> None:
        """End the delivery once it is reached."""


class TransactionMeter:
    """The timers of one transaction: samples to send, samples to keep, checkpoints."""

    def __init__(self, settings: MeteringSettings, clock: Clock, store: TransactionStore, session: Metered) -> None:
        self._settings = settings
        self._clock = clock
        self._store = store
        self._session = session
        self._timers: dict[str, Timer] = {}

    def start(self) -> None:
        """Begin sampling; call again after an interval changed."""
        self.stop()
        self._schedule("updated", self._settings.updated_interval.value, self._sample_updated)
        self._schedule("ended", self._settings.ended_interval.value, self._sample_ended)
        self._schedule("checkpoint", CHECKPOINT_INTERVAL_S, self._session.checkpoint)
        if self._session.energy_limited:
            self._schedule("energy", ENERGY_CHECK_INTERVAL_S, self._session.check_energy_limit)

    def stop(self) -> None:
        """No more samples."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _schedule(self, name: str, interval: float, action: Callable[[], None]) -> None:
        if interval <= 0:
            return
        due = self._clock.monotonic() + interval

        def run() -> None:
            nonlocal due
            due += interval
            self._timers[name] = self._clock.call_later(max(0.0, due - self._clock.monotonic()), run)
            try:
                action()
            except StorageError as error:
                log.error("samples (%s) of a transaction are lost: %s", name, error)
            except Exception:
                log.exception("sampling (%s) of a transaction failed", name)

        self._timers[name] = self._clock.call_later(interval, run)

    def _sample_updated(self) -> None:
        if self._settings.sampled_enabled.value:
            value = self.value(ReadingContext.SAMPLE_PERIODIC, self._settings.updated.value)
            if value is not None:
                self._session.report_samples(value)

    def _sample_ended(self) -> None:
        if self._settings.sampled_enabled.value:
            self.keep(self.value(ReadingContext.SAMPLE_PERIODIC, self._settings.ended.value))

    def value(self, context: ReadingContext, measurands: Iterable[str]) -> MeterValue | None:
        """A meter value of now; None when nothing of it is measured here."""
        reading = self._session.read()
        return self.value_of(reading, context, measurands) if reading is not None else None

    def value_of(self, reading: MeterReading, context: ReadingContext, measurands: Iterable[str]) -> MeterValue | None:
        """A meter value made of a given reading, with the meter's signature where that is configured."""
        samples = selected(reading, measurands)
        signed = None
        if self._settings.sampled_signed.value:
            if context is ReadingContext.TRANSACTION_BEGIN:
                signed = reading.signed_start
            elif context is ReadingContext.TRANSACTION_END:
                signed = reading.signed_end
        if not samples and signed is None:
            return None
        return MeterValue(timestamp=self._clock.now(), context=context, samples=samples, signed=signed)

    def begin(self) -> tuple[MeterValue, ...]:
        """What the first event carries; the begin is also kept for the last one."""
        if not self._settings.sampled_enabled.value:
            return ()
        if self._settings.ended_interval.value > 0:
            self.keep(self.value(ReadingContext.TRANSACTION_BEGIN, self._settings.ended.value))
        value = self.value(ReadingContext.TRANSACTION_BEGIN, self._settings.started.value)
        return (value,) if value is not None else ()

    def keep(self, value: MeterValue | None) -> None:
        """Keep a value for the end of the transaction."""
        transaction = self._session.transaction
        if value is None or transaction is None:
            return
        self._store.add_sample(transaction.id, msgspec.json.encode(value))
        if self._store.sample_count(transaction.id) > MAX_ENDED_SAMPLES:
            self._store.thin_samples(transaction.id)

    def keep_aligned(self) -> None:
        """Keep a clock-aligned value for the end, where an interval is configured for that."""
        if self._settings.aligned_ended_interval.value > 0:
            self.keep(self.value(ReadingContext.SAMPLE_CLOCK, self._settings.aligned_ended.value))

    def end(self, reading: MeterReading | None) -> tuple[MeterValue, ...]:
        """What the last event carries: the samples kept, and the reading at the end."""
        transaction = self._session.transaction
        if transaction is None:
            return ()
        kept = [msgspec.json.decode(sample, type=MeterValue) for sample in self._store.samples(transaction.id)]
        if reading is not None and self._settings.sampled_enabled.value:
            last = self.value_of(reading, ReadingContext.TRANSACTION_END, self._settings.ended.value)
            if last is not None:
                kept.append(last)
        return tuple(kept)


class AlignedMeter:
    """The station-wide timer that ticks at multiples of the interval since midnight UTC (1.6 9.1.4, J01.FR.14)."""

    def __init__(self, interval: Callable[[], int], clock: Clock, action: Callable[[], None]) -> None:
        self._interval = interval
        self._clock = clock
        self._action = action
        self._timer: Timer | None = None

    def start(self) -> None:
        """(Re)start, as after a change of the interval or of the clock."""
        self.stop()
        interval = self._interval()
        if interval <= 0:
            return
        since_midnight = self._clock.unix() % 86400.0
        wait = interval - since_midnight % interval
        wait = min(wait, 86400.0 - since_midnight)
        self._timer = self._clock.call_later(wait, self._run)

    def stop(self) -> None:
        """No more ticks."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        self.start()
        try:
            self._action()
        except Exception:
            log.exception("clock-aligned metering failed")
