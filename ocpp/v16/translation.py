"""Between the domain's terms and the messages of 1.6."""

from __future__ import annotations

import msgspec

from ocpp.core.events import MeterValue, StopReason
from ocpp.core.hardware import Sample, SignedReading
from ocpp.core.identity import UNTYPED, AuthorizationInfo, AuthorizationStatus, IdToken
from ocpp.messages import v16
from ocpp.messages.moments import named

STOP_REASONS = {
    StopReason.IMMEDIATE_RESET: "Reboot",
    StopReason.GROUND_FAULT: "Other",
    StopReason.OVERCURRENT_FAULT: "Other",
    StopReason.STOPPED_BY_EV: "Other",
    StopReason.TIMEOUT: "Other",
    StopReason.MASTER_PASS: "Other",
    StopReason.ENERGY_LIMIT_REACHED: "Other",
    StopReason.POWER_QUALITY: "Other",
}
"""Reasons that 1.6 has no word for."""


def authorization_info(message: v16.IdTagInfo) -> AuthorizationInfo:
    """What an IdTagInfo says."""
    return AuthorizationInfo(
        status=AuthorizationStatus(message.status.value),
        group=IdToken(message.parent_id_tag, UNTYPED) if message.parent_id_tag else None,
        expiry=named(message.expiry_date),
    )


def reason(stopped: StopReason) -> v16.Reason:
    """Why a transaction ended, in the words of 1.6."""
    return v16.Reason(STOP_REASONS.get(stopped, stopped.value))


def meter_value(value: MeterValue) -> v16.MeterValue:
    """A meter value with all its samples, every digit as the meter gave it."""
    sampled = [_sampled_value(sample, value) for sample in value.samples]
    if value.signed is not None:
        sampled.append(_signed_value(value.signed, value))
    return v16.MeterValue(timestamp=value.timestamp, sampled_value=sampled)


def _sampled_value(sample: Sample, value: MeterValue) -> v16.SampledValue:
    unit = {"Celsius": "Celcius"}.get(sample.unit, sample.unit)
    return v16.SampledValue(
        value=format(sample.value, "f"),
        context=v16.ReadingContext(value.context.value),
        measurand=v16.Measurand(sample.measurand),
        phase=v16.Phase(sample.phase) if sample.phase is not None else None,
        location=v16.Location(sample.location) if sample.location is not None else None,
        unit=v16.UnitOfMeasure(unit) if unit in {str(known) for known in v16.UnitOfMeasure} else None,
    )


def _contained(signed: SignedReading) -> str:
    fields = {
        "signedMeterData": signed.data,
        "signingMethod": signed.signing_method,
        "encodingMethod": signed.encoding_method,
        "publicKey": signed.public_key,
    }
    return msgspec.json.encode(fields).decode()


def _signed_value(signed: SignedReading, value: MeterValue) -> v16.SampledValue:
    return v16.SampledValue(
        value=_contained(signed) if signed.contained else signed.data,
        context=v16.ReadingContext(value.context.value),
        format=v16.ValueFormat("SignedData"),
        measurand=v16.Measurand("Energy.Active.Import.Register"),
        unit=v16.UnitOfMeasure("Wh"),
    )
