"""Between the domain's terms and the messages of 2.x."""

from __future__ import annotations

from ocpp.core.events import MeterValue
from ocpp.core.hardware import ENERGY_IMPORT, DisplayText, Sample, SignedReading
from ocpp.core.identity import AuthorizationInfo, AuthorizationStatus, IdToken
from ocpp.messages import v2
from ocpp.messages.moments import named


def id_token_message(token: IdToken) -> v2.IdToken:
    """A token as IdTokenType."""
    return v2.IdToken(id_token=token.value, type=token.type)


def id_token(message: v2.IdToken) -> IdToken:
    """The token behind an IdTokenType."""
    return IdToken(message.id_token, str(message.type))


def authorization_info(message: v2.IdTokenInfo) -> AuthorizationInfo:
    """What an IdTokenInfoType says; its personal message, which may be a tariff, is not kept (C10.FR.09)."""
    return AuthorizationInfo(
        status=AuthorizationStatus(message.status),
        group=id_token(message.group_id_token) if message.group_id_token is not None else None,
        expiry=named(message.cache_expiry_date_time),
        evse_ids=tuple(message.evse_id or ()),
        languages=languages(message),
        priority=message.charging_priority or 0,
    )


def languages(message: v2.IdTokenInfo) -> tuple[str, ...]:
    """What an IdTokenInfoType says of the languages its driver reads, best first."""
    return tuple(each for each in (message.language1, message.language2) if each)


def display_text(message: v2.MessageContent) -> DisplayText:
    """What a MessageContentType says."""
    return DisplayText(message.content, str(message.format), message.language or "")


def message_content(text: DisplayText) -> v2.MessageContent:
    """A text as MessageContentType."""
    return v2.MessageContent(
        content=text.content, format=v2.MessageFormatEnum(text.format), language=text.language or None
    )


def personal_texts(message: v2.IdTokenInfo) -> tuple[DisplayText, ...]:
    """What an IdTokenInfoType has for its driver to read."""
    found = message.personal_message
    return (display_text(found),) if found is not None else ()


def meter_values(values: tuple[MeterValue, ...]) -> list[v2.MeterValue] | None:
    """Meter values with all their samples; a signature goes with a sample of what was configured, or not at all."""
    return [meter_value(value) for value in values if value.samples] or None


def meter_value(value: MeterValue) -> v2.MeterValue:
    """A meter value with all its samples, the signature with the one that it signs: the energy register."""
    sampled = [_sampled_value(sample, value) for sample in value.samples]
    if value.signed is not None:
        register = (entry for entry in sampled if entry.measurand == ENERGY_IMPORT and entry.phase is None)
        _sign(next(register, sampled[0]), value.signed)
    return v2.MeterValue(timestamp=value.timestamp, sampled_value=sampled)


def _sampled_value(sample: Sample, value: MeterValue) -> v2.SampledValue:
    return v2.SampledValue(
        value=sample.value,
        context=v2.ReadingContextEnum(value.context.value),
        measurand=v2.MeasurandEnum(sample.measurand),
        phase=v2.PhaseEnum(sample.phase) if sample.phase is not None else None,
        location=v2.LocationEnum(sample.location) if sample.location is not None else None,
        unit_of_measure=v2.UnitOfMeasure(unit=sample.unit) if sample.unit else None,
    )


def _sign(entry: v2.SampledValue, signed: SignedReading) -> None:
    entry.signed_meter_value = v2.SignedMeterValue(
        signed_meter_data=signed.data,
        signing_method=signed.signing_method,
        encoding_method=signed.encoding_method,
        public_key=signed.public_key,
    )
