"""When meters are read, and where the values go: sampling and clock-aligned timers, samples kept for the end."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from ocpp.clock import Clock, Timer, instant
from ocpp.core.events import MeterValue, ReadingContext
from ocpp.core.hardware import MeterReading
from ocpp.core.readings import MeteringSettings, Readings, Selection
from ocpp.core.transaction import Transaction, TransactionStore
from ocpp.device_model.entry import Handle
from ocpp.device_model.standard.metering import MAX_ENDED_SAMPLES
from ocpp.errors import StorageError

ENERGY_CHECK_INTERVAL_S = 1.0
"""How often the meter is looked at while only so much energy may be delivered: 6 Wh at 22 kW."""

CHECKPOINT_INTERVAL_S = 60.0
"""How often the last reading of a running transaction is noted, for the bill after a power cut."""

DAY_S = 86400

EARLY_OR_LATE_S = 1.0
"""How far a tick may be from its instant; beyond it the wall clock has jumped, or the program did not run, and what would
be measured now is not what is to be told of that instant."""

log = logging.getLogger(__name__)


class Metered(Protocol):
    """A session whose transaction is metered."""

    @property
    def transaction(self) -> Transaction | None:
        """The running transaction."""

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
        self._readings = Readings(settings, clock)
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
            now = self._clock.monotonic()
            missed = int(max(0.0, now - due) // interval)
            if missed:
                log.warning("%d samples (%s) were missed: the program did not run", missed, name)
            due += (missed + 1) * interval
            self._timers[name] = self._clock.call_later(due - now, run)
            try:
                action()
            except StorageError as error:
                log.error("samples (%s) of a transaction are lost: %s", name, error)
            except Exception:
                log.exception("sampling (%s) of a transaction failed", name)

        self._timers[name] = self._clock.call_later(interval, run)

    def _sample_updated(self) -> None:
        if self._settings.sampled_enabled.value:
            value = self.value(ReadingContext.SAMPLE_PERIODIC, self._settings.updated)
            if value is not None:
                self._session.report_samples(value)

    def _sample_ended(self) -> None:
        if self._settings.sampled_enabled.value:
            self.keep(self.value(ReadingContext.SAMPLE_PERIODIC, self._settings.ended))

    def value(self, context: ReadingContext, selection: Selection, at: datetime | None = None) -> MeterValue | None:
        """A meter value of now; None when nothing of it is measured here."""
        return self._readings.value(self._session.read(), context, selection, at)

    def begin(self) -> tuple[MeterValue, ...]:
        """What the first event carries; the begin is also kept for the last one."""
        if not self._settings.sampled_enabled.value:
            return ()
        self.keep(self.value(ReadingContext.TRANSACTION_BEGIN, self._settings.ended))
        value = self.value(ReadingContext.TRANSACTION_BEGIN, self._settings.started)
        return (value,) if value is not None else ()

    def interruption(self, last: MeterReading | None, at: datetime) -> tuple[MeterValue, ...]:
        """What was measured last before an interruption, at that time."""
        value = self._readings.value(last, ReadingContext.INTERRUPTION_BEGIN, self._settings.updated, at)
        return (value,) if value is not None else ()

    def resumed(self) -> tuple[MeterValue, ...]:
        """What is measured after an interruption."""
        value = self.value(ReadingContext.INTERRUPTION_END, self._settings.updated)
        return (value,) if value is not None else ()

    def keep(self, value: MeterValue | None) -> None:
        """Keep a value for the end of the transaction."""
        transaction = self._session.transaction
        if value is None or transaction is None:
            return
        self._store.add_sample(transaction.id, msgspec.json.encode(value))
        if self._store.sample_count(transaction.id) > MAX_ENDED_SAMPLES:
            self._store.thin_samples(transaction.id)

    def keep_aligned(self, at: datetime) -> None:
        """Keep a clock-aligned value for the end."""
        self.keep(self.value(ReadingContext.SAMPLE_CLOCK, self._settings.aligned_ended, at))

    def end(self, reading: MeterReading | None, at: datetime | None = None) -> tuple[MeterValue, ...]:
        """What the last event carries: the samples kept, and the reading at the end, which was taken `at` (default: now)."""
        transaction = self._session.transaction
        if transaction is None:
            return ()
        kept = [msgspec.json.decode(sample, type=MeterValue) for sample in self._store.samples(transaction.id)]
        if self._settings.sampled_enabled.value:
            last = self._readings.value(reading, ReadingContext.TRANSACTION_END, self._settings.ended, at)
            if last is not None:
                kept.append(last)
        return tuple(kept)


class AlignedMeter:
    """A station-wide timer that ticks at multiples of the interval since midnight UTC (1.6 9.1.4, J01.FR.14)."""

    def __init__(self, interval: Handle[int], clock: Clock, action: Callable[[datetime], None]) -> None:
        self._interval = interval
        self._clock = clock
        self._action = action
        self._timer: Timer | None = None

    def start(self) -> None:
        """(Re)start, as after a change of the interval or of the clock."""
        self._wait_from(self._clock.unix())

    def _wait_from(self, instant: float) -> None:
        self.stop()
        interval = self._interval.value
        if interval <= 0:
            return
        midnight = instant // DAY_S * DAY_S
        passed = (instant - midnight) // interval
        due = min(midnight + (passed + 1) * interval, midnight + DAY_S)
        self._timer = self._clock.call_later(max(0.0, due - self._clock.unix()), lambda: self._run(due))

    def stop(self) -> None:
        """No more ticks."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self, due: float) -> None:
        # A timer may be early by a hair: the tick that it is for is over all the same.
        now = self._clock.unix()
        in_time = abs(now - due) < EARLY_OR_LATE_S
        self._wait_from(due if in_time else now)
        if not in_time:
            log.warning("a clock-aligned sample was missed: its instant was %.0f s ago", now - due)
            return
        try:
            self._action(instant(due))
        except Exception:
            log.exception("clock-aligned metering failed")
