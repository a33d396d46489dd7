"""The exact second look at a payload: which defect it has, if any, by the tables made from the official schemas.

| defect | 1.6 | 2.x |
| --- | --- | --- |
| no JSON, not an object | FormationViolation | FormatViolation |
| a field that the message does not know | FormationViolation | ProtocolError |
| a required field is missing | ProtocolError | OccurrenceConstraintViolation |
| too few or too many elements in a list | OccurenceConstraintViolation | OccurrenceConstraintViolation |
| another JSON type than the field's | TypeConstraintViolation | TypeConstraintViolation |
| enumeration, length, range, step, date-time | PropertyConstraintViolation | PropertyConstraintViolation |

What the CSMS asks of the station is done only where it cannot be misunderstood: `Leniency` says what is, beyond the letter.
"""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, NamedTuple

import orjson

from ocpp.errors import PayloadError
from ocpp.messages.moments import has_time, later, moment_of
from ocpp.messages.shapes import MAX_CUSTOM_VENDOR_ID, Shapes
from ocpp.messages.tables import Field, Kind, Spec
from ocpp.versions import OcppVersion

MAX_DESCRIPTION = 255
MAX_SHOWN_VALUE = 60
"""Characters of an offending value that the description repeats."""

RFC_3339 = r"(?a)(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}):(\d{2})(\.\d+)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)"


class Defect(Enum):
    """Kinds of defects, with their codes in 1.6 and in 2.x."""

    SYNTAX = ("FormationViolation", "FormatViolation")
    UNKNOWN_FIELD = ("FormationViolation", "ProtocolError")
    MISSING_FIELD = ("ProtocolError", "OccurrenceConstraintViolation")
    COUNT = ("OccurenceConstraintViolation", "OccurrenceConstraintViolation")
    TYPE = ("TypeConstraintViolation", "TypeConstraintViolation")
    VALUE = ("PropertyConstraintViolation", "PropertyConstraintViolation")

    def code(self, version: OcppVersion) -> str:
        """The RPC error code of that version."""
        return self.value[0] if version is OcppVersion.V16 else self.value[1]


def parse(payload: bytes | memoryview, version: OcppVersion) -> Any:
    """The payload as plain objects; PayloadError when it is no JSON."""
    try:
        return orjson.loads(payload)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise defect(Defect.SYNTAX, version, "", f"the payload is not valid JSON: {error}") from None


def defect(kind: Defect, version: OcppVersion, field: str, description: str) -> PayloadError:
    """The error for a defect."""
    return PayloadError(kind.code(version), description[:MAX_DESCRIPTION], field)


class Leniency(NamedTuple):
    """What calls may have beyond the letter: times without an offset (in 1.6 any that ISO 8601 allows, section 3.15), and
    null for an absent member where `nulls` says so. `note` hears of each: message, place, what it is, and the value.
    """

    note: Callable[[str, str, str, Any], None]
    nulls: bool = True


class Examiner:
    """Compares plain objects with the tables of one version, and normalises what JSON Schema takes as equal.

    Without a leniency, by the letter.
    """

    def __init__(self, shapes: Shapes, version: OcppVersion, leniency: Leniency | None = None) -> None:
        self._shapes = shapes
        self._version = version
        self._leniency = leniency
        self._name = ""

    def examine(self, name: str, value: Any) -> dict[str, Any]:
        """The object in the form the typed decoder takes; PayloadError names the first defect."""
        if not isinstance(value, dict):
            raise self._defect(Defect.SYNTAX, "", "the payload is not a JSON object")
        self._name = name
        return self._struct(name, value, "")

    def _defect(self, kind: Defect, path: str, description: str) -> PayloadError:
        return defect(kind, self._version, path, description)

    def _struct(self, name: str, value: dict[str, Any], path: str) -> dict[str, Any]:
        fields = {field.wire: field for field in self._shapes.fields(name)}
        normal: dict[str, Any] = {}
        for key, content in value.items():
            where = f"{path}.{key}" if path else key
            field = fields.get(key)
            if field is None:
                raise self._defect(Defect.UNKNOWN_FIELD, where, f"{where[:100]} is not a field of {name}")
            if content is not None or not self._absent(field, where):
                normal[key] = self._value(field.spec, content, where)
        for key, field in fields.items():
            if field.required and key not in value:
                where = f"{path}.{key}" if path else key
                raise self._defect(Defect.MISSING_FIELD, where, f"{where} is missing")
        return normal

    def _absent(self, field: Field, path: str) -> bool:
        """Whether null says that a member is not there."""
        leniency = self._leniency
        if leniency is None or not leniency.nulls or field.required or field.spec.kind is Kind.ANY:
            return False
        leniency.note(self._name, path, "null for absent", None)
        return True

    def _value(self, spec: Spec, value: Any, path: str) -> Any:
        if spec.kind is Kind.ANY:
            return value
        if spec.kind is Kind.CUSTOM:
            return self._custom(value, path)
        if spec.kind is Kind.STRUCT:
            return self._struct(spec.name, self._typed(value, dict, "an object", path), path)
        if spec.kind is Kind.LIST:
            return self._list(spec, self._typed(value, list, "a list", path), path)
        if spec.kind is Kind.BOOLEAN:
            return self._typed(value, bool, "true or false", path)
        if spec.kind in (Kind.INTEGER, Kind.NUMBER):
            return self._number(spec, value, path)
        return self._string(spec, self._typed(value, str, "a string", path), path)

    def _typed(self, value: Any, kind: type, words: str, path: str) -> Any:
        if not isinstance(value, kind):
            raise self._defect(Defect.TYPE, path, f"{path} must be {words}, not {shown(value)}")
        return value

    def _custom(self, value: Any, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self._typed(value, dict, "an object", path)
        if "vendorId" not in found:
            raise self._defect(Defect.MISSING_FIELD, f"{path}.vendorId", f"{path}.vendorId is missing")
        self._string(
            Spec(Kind.STRING, high=MAX_CUSTOM_VENDOR_ID),
            self._typed(found["vendorId"], str, "a string", f"{path}.vendorId"),
            f"{path}.vendorId",
        )
        return found

    def _list(self, spec: Spec, value: list[Any], path: str) -> list[Any]:
        assert spec.item is not None
        if spec.low is not None and len(value) < spec.low:
            raise self._defect(Defect.COUNT, path, f"{path} needs at least {spec.low:g} element(s), not {len(value)}")
        if spec.high is not None and len(value) > spec.high:
            raise self._defect(Defect.COUNT, path, f"{path} takes at most {spec.high:g} element(s), not {len(value)}")
        return [self._value(spec.item, item, f"{path}[{index}]") for index, item in enumerate(value)]

    def _number(self, spec: Spec, value: Any, path: str) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            words = "an integer" if spec.kind is Kind.INTEGER else "a number"
            raise self._defect(Defect.TYPE, path, f"{path} must be {words}, not {shown(value)}")
        if spec.kind is Kind.INTEGER and isinstance(value, float):
            if not value.is_integer():
                raise self._defect(Defect.TYPE, path, f"{path} must be an integer, not {shown(value)}")
            value = int(value)
        if (spec.low is not None and value < spec.low) or (spec.high is not None and value > spec.high):
            low = "" if spec.low is None else f"at least {spec.low:g}"
            high = "" if spec.high is None else f"at most {spec.high:g}"
            bounds = " and ".join(bound for bound in (low, high) if bound)
            raise self._defect(Defect.VALUE, path, f"{path} must be {bounds}, not {shown(value)}")
        if spec.multiple and not is_multiple(value, spec.multiple):
            raise self._defect(Defect.VALUE, path, f"{path} must be a multiple of {spec.multiple}, not {shown(value)}")
        return value

    def _string(self, spec: Spec, value: str, path: str) -> Any:
        if spec.kind is Kind.ENUM:
            allowed = self._shapes.values(spec.name)
            if value not in allowed:
                listed = ", ".join(allowed)
                raise self._defect(Defect.VALUE, path, f"{path}: {shown(value)} is not one of {listed}")
        elif spec.kind is Kind.DATETIME:
            return self._date_time(value, path)
        elif spec.high is not None and len(value) > spec.high:
            raise self._defect(Defect.VALUE, path, f"{path} takes at most {spec.high:g} characters, not {len(value)}")
        return value

    def _date_time(self, value: str, path: str) -> datetime:
        found = _rfc_3339(value)
        if found is None and self._leniency is not None:
            v16 = self._version is OcppVersion.V16
            found = (moment_of(value) if has_time(value) else None) if v16 else _rfc_3339(f"{value}Z")
            if found is not None:
                self._leniency.note(self._name, path, "a time that is not as RFC 3339 has it", value)
        if found is None:
            raise self._defect(Defect.VALUE, path, f"{path}: {shown(value)} is not an RFC 3339 date-time")
        return found


def _rfc_3339(value: str) -> datetime | None:
    """The instant; a leap second is the one behind it. None for every other form."""
    match = re.fullmatch(RFC_3339, value)
    if match is None:
        return None
    date, minutes, seconds, fraction, offset = match.groups()
    leap = seconds == "60"
    text = f"{date}T{minutes}:{'59' if leap else seconds}{(fraction or '')[:7]}{offset.upper()}"
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return later(parsed, 1) if leap else parsed


def is_multiple(value: float, step: str) -> bool:
    """Whether a number, as written, is a multiple of `step`: 21.4 is one of 0.1, whatever binary floats make of it."""
    try:
        return Decimal(repr(value)) % Decimal(step) == 0
    except InvalidOperation:
        return False


def shown(value: Any) -> str:
    """A value for an error description: its JSON, cut."""
    try:
        text = orjson.dumps(value).decode()
    except (TypeError, RecursionError):  # no JSON, or nested so deep that nothing can write it
        text = f"a {type(value).__name__}"
    return text if len(text) <= MAX_SHOWN_VALUE else text[:MAX_SHOWN_VALUE] + "…"
