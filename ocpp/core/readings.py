"""From what a meter says to what a message carries: which measurands, signed or not, with the public key or without."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from ocpp.clock import Clock
from ocpp.core.events import MeterValue, ReadingContext
from ocpp.core.hardware import ENERGY_IMPORT, MeterReading, Sample, SignedReading
from ocpp.core.transaction import Transaction
from ocpp.device_model import DeviceModel
from ocpp.device_model.entry import Handle


def selected(reading: MeterReading, measurands: Iterable[str], *, register_phases: bool = True) -> tuple[Sample, ...]:
    """The samples of `reading` that `measurands` ask for, in that order.

    A measurand may carry a phase ("Current.Import.L1", 1.6 section 9.1.15); without one all its phases are meant, of
    the energy register only where `register_phases` says so.
    """
    chosen: list[Sample] = []
    for wanted in measurands:
        chosen.extend(
            sample
            for sample in reading.samples
            if sample not in chosen and _asked_for(sample, wanted, register_phases=register_phases)
        )
    return tuple(chosen)


def _asked_for(sample: Sample, wanted: str, *, register_phases: bool) -> bool:
    if sample.phase is not None and f"{sample.measurand}.{sample.phase}" == wanted:
        return True
    if sample.measurand != wanted:
        return False
    return register_phases or sample.measurand != ENERGY_IMPORT or sample.phase is None


class Selection:
    """What one kind of message tells of a reading. Signed only where all of `signing` say so."""

    def __init__(self, measurands: Handle[tuple[str, ...]], *signing: Handle[bool]) -> None:
        self._measurands = measurands
        self._signing = signing

    @property
    def measurands(self) -> tuple[str, ...]:
        """The measurands, in the order in which they are told."""
        return self._measurands.value

    @property
    def signed(self) -> bool:
        """Whether the meter's signature belongs to it."""
        return all(handle.value for handle in self._signing)


class MeteringSettings:
    """What is sampled and when (SampledDataCtrlr, AlignedDataCtrlr; the 1.6 keys are a view on them)."""

    def __init__(self, model: DeviceModel) -> None:
        self.sampled_enabled = model.boolean("SampledDataCtrlr/Enabled")
        self.sampled_signed = model.boolean("SampledDataCtrlr/SignReadings")
        started = model.boolean("SampledDataCtrlr/SignStartedReadings")
        updated = model.boolean("SampledDataCtrlr/SignUpdatedReadings")
        self.started = Selection(model.members("SampledDataCtrlr/TxStartedMeasurands"), self.sampled_signed, started)
        self.updated = Selection(model.members("SampledDataCtrlr/TxUpdatedMeasurands"), self.sampled_signed, updated)
        self.updated_interval = model.integer("SampledDataCtrlr/TxUpdatedInterval")
        self.ended = Selection(model.members("SampledDataCtrlr/TxEndedMeasurands"), self.sampled_signed)
        self.ended_interval = model.integer("SampledDataCtrlr/TxEndedInterval")
        self.aligned_enabled = model.boolean("AlignedDataCtrlr/Enabled")
        signed = model.boolean("AlignedDataCtrlr/SignReadings")
        measurands = model.members("AlignedDataCtrlr/Measurands")
        self.aligned = Selection(measurands, signed)
        self.aligned_updated = Selection(measurands, signed, model.boolean("AlignedDataCtrlr/SignUpdatedReadings"))
        self.aligned_interval = model.integer("AlignedDataCtrlr/Interval")
        self.aligned_ended = Selection(model.members("AlignedDataCtrlr/TxEndedMeasurands"), signed)
        self.aligned_ended_interval = model.integer("AlignedDataCtrlr/TxEndedInterval")
        self.aligned_when_idle_only = model.boolean("AlignedDataCtrlr/SendDuringIdle")
        self._model = model
        self._whole_register = model.boolean("SampledDataCtrlr/RegisterValuesWithoutPhases")
        self._public_key = model.text("OCPPCommCtrlr/PublicKeyWithSignedMeterValue")

    @property
    def register_phases(self) -> bool:
        """Whether the phases of the energy register are told, too, where the meter knows them."""
        return not self._whole_register.value

    def idle_only(self, evse_id: int) -> bool:
        """Whether clock-aligned values of that EVSE are held back during its transactions (J01.FR.19)."""
        return self._model.boolean(f"AlignedDataCtrlr@{evse_id}/SendDuringIdle").value

    def with_public_keys(
        self, values: tuple[MeterValue, ...], transaction: Transaction | None
    ) -> tuple[MeterValue, ...]:
        """The values as they are told: with the meter's public key where PublicKeyWithSignedMeterValue wants it.

        Notes in the transaction that its key has been told; the caller saves it.
        """
        rule = self._public_key.value
        if rule == "EveryMeterValue":
            return values
        told = rule == "Never" or transaction is None or transaction.public_key_told
        found = []
        for value in values:
            signed = value.signed
            if signed is not None and signed.public_key:
                if told:
                    value = msgspec.structs.replace(value, signed=msgspec.structs.replace(signed, public_key=""))
                told = True
                if transaction is not None:
                    transaction.public_key_told = True
            found.append(value)
        return tuple(found)


class Readings:
    """Makes meter values."""

    def __init__(self, settings: MeteringSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def value(
        self, reading: MeterReading | None, context: ReadingContext, selection: Selection, at: datetime | None = None
    ) -> MeterValue | None:
        """What `selection` tells of a reading, taken `at` (default: now); None when nothing of it is measured."""
        if reading is None:
            return None
        samples = selected(reading, selection.measurands, register_phases=self._settings.register_phases)
        signed = _signature(reading, context) if selection.signed else None
        if not samples and signed is None:
            return None
        return MeterValue(timestamp=at or self._clock.now(), context=context, samples=samples, signed=signed)


def _signature(reading: MeterReading, context: ReadingContext) -> SignedReading | None:
    """What the meter signs at the begin, at the end, and in between."""
    if context is ReadingContext.TRANSACTION_BEGIN:
        return reading.signed_start
    return reading.signed_end if context is ReadingContext.TRANSACTION_END else reading.signed_now
