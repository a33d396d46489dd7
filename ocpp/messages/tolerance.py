"""The tolerant second look at an answer that breaks its schema: it is read as far as it can be understood.

Who answers a call has received it, so that an answer settles the call whatever it looks like. By the tables made from the
official schemas:

| what stands in the answer | what it is taken for |
| --- | --- |
| null, or an element of a list that is null | absent |
| a member that the message does not know | nothing |
| a member's name or an enumeration's value in other case | the one that is meant |
| a number or truth value as a text, a text as a number | what the schema wants |
| one object in place of a list | a list of one |
| a text longer than allowed | as it is |
| a time in any form of ISO 8601, without an offset in UTC | that time |
| what cannot be read in an optional place | absent |
| no object at all | an empty one |

Only what is needed and missing makes the call fail; `DISPENSABLE` names what a schema demands and a station can do without.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

import orjson

from ocpp.messages.bent import Bent
from ocpp.messages.diagnosis import RFC_3339, Defect, defect, is_multiple, shown
from ocpp.messages.moments import EARLIEST, has_time, moment_of
from ocpp.messages.naming import attribute_name
from ocpp.messages.shapes import MAX_CUSTOM_VENDOR_ID, CustomData, Shapes
from ocpp.messages.tables import Field, Kind, Spec
from ocpp.versions import OcppVersion

MAX_INTEGER = 2**63 - 1
"""The largest integer that can be stored; no field of OCPP needs a larger one."""

DISPENSABLE: dict[tuple[str, str], Any] = {
    ("BootNotificationResponse", "currentTime"): EARLIEST,
    ("BootNotificationResponse", "interval"): 0,
    ("StartTransactionResponse", "transactionId"): None,
    ("StartTransactionResponse", "idTagInfo"): None,
}
"""What stands for a required member that is missing: an instant that is nobody's present, an interval that the CSMS does
not name; a transaction that goes on without the id of the Central System (1.6 errata 3.18), or without its opinion of the
card. That the CSMS has accepted the station, or booked the transaction, holds without them.
"""


class _Unreadable(Exception):
    """A value that cannot be understood; with the place that is to blame."""

    def __init__(self, path: str, why: str, kind: Defect = Defect.TYPE) -> None:
        super().__init__(why)
        self.path = path
        self.why = why
        self.kind = kind


class Tolerance:
    """Reads the answers of one version tolerantly."""

    def __init__(self, shapes: Shapes, version: OcppVersion, bent: Bent) -> None:
        self._shapes = shapes
        self._version = version
        self._bent = bent
        self._message = ""
        self._readers: dict[Kind, Callable[[Spec, Any, str], Any]] = {
            Kind.STRING: self._text,
            Kind.DATETIME: self._moment,
            Kind.INTEGER: self._integer,
            Kind.NUMBER: self._number,
            Kind.BOOLEAN: self._truth,
            Kind.ENUM: self._member,
            Kind.STRUCT: lambda spec, value, path: self._struct(spec.name, value, path),
            Kind.LIST: self._list,
            Kind.ANY: lambda spec, value, path: value,
            Kind.CUSTOM: self._custom,
        }

    def understand(self, name: str, value: Any) -> Any:
        """The message of that name, of plain objects; PayloadError where something needed is missing."""
        self._message = name
        if not isinstance(value, dict):
            self._bent.note(name, "", "not an object", value)
            value = {}
        try:
            return self._struct(name, value, "")
        except _Unreadable as reason:
            raise defect(reason.kind, self._version, reason.path, reason.why) from None

    def _struct(self, name: str, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise _Unreadable(path, f"{path} must be an object, not {shown(value)}")
        given = self._named(name, value, path)
        attributes: dict[str, Any] = {}
        for field in self._shapes.fields(name):
            where = f"{path}.{field.wire}" if path else field.wire
            found = self._field(name, field, given.get(field.wire), where)
            if found is not None or field.required:
                attributes[attribute_name(field.wire)] = found
        return self._shapes.get(name)(**attributes)

    def _named(self, name: str, value: dict[str, Any], path: str) -> dict[str, Any]:
        """The members by the names of the schema; in the exact spelling they count first."""
        known = {field.wire for field in self._shapes.fields(name)}
        given = {key: content for key, content in value.items() if key in known}
        folded = {wire.casefold(): wire for wire in known}
        for key, content in value.items():
            if key in known:
                continue
            wire = folded.get(key.casefold())
            if wire is None or wire in given:
                self._bent.note(self._message, path, "a member that is not known", key)
            else:
                self._bent.note(self._message, f"{path}.{wire}" if path else wire, "its name in other case", key)
                given[wire] = content
        return given

    def _field(self, name: str, field: Field, value: Any, path: str) -> Any:
        """The value of a field; None: absent. Raises _Unreadable where it is needed."""
        blame = (path, f"{path} is missing", Defect.MISSING_FIELD)
        if value is not None:
            try:
                return self._readers[field.spec.kind](field.spec, value, path)
            except _Unreadable as found:
                blame = (found.path, found.why, found.kind)  # the exception itself would hold this call in a circle
        if not field.required:
            if value is not None:
                self._bent.note(self._message, blame[0], "cannot be read and is left out", blame[1])
            return None
        if (name, field.wire) not in DISPENSABLE:
            raise _Unreadable(*blame)
        self._bent.note(self._message, path, "is missing or cannot be read, and is done without", value)
        return DISPENSABLE[name, field.wire]

    # -- values ---------------------------------------------------------------------------------------------------

    def _text(self, spec: Spec, value: Any, path: str) -> str:
        if isinstance(value, str):
            text = value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            text = str(value)
            self._bent.note(self._message, path, "a number in place of a text", value)
        elif isinstance(value, dict | list) and path == "data":  # of a DataTransfer of 1.6
            text = self._as_json(value, path)
            self._bent.note(self._message, path, "JSON in place of a text", value)
        else:
            raise _Unreadable(path, f"{path} must be a string, not {shown(value)}")
        if spec.high is not None and len(text) > spec.high:
            self._bent.note(self._message, path, f"longer than {spec.high:g} characters")
        return text

    @staticmethod
    def _as_json(value: Any, path: str) -> str:
        try:
            return orjson.dumps(value).decode()
        except (TypeError, RecursionError):
            raise _Unreadable(path, f"{path} is nested too deep") from None

    def _moment(self, spec: Spec, value: Any, path: str) -> Any:
        found = moment_of(value) if isinstance(value, str) else None
        if found is None or (path == "currentTime" and not has_time(value)):
            raise _Unreadable(path, f"{path}: {shown(value)} is not a date-time", Defect.VALUE)
        if not re.fullmatch(RFC_3339, value):
            self._bent.note(self._message, path, "a time that is not as RFC 3339 has it", value)
        return found

    def _integer(self, spec: Spec, value: Any, path: str) -> int:
        number = self._decimal(value, path)
        if number != number.to_integral_value() or abs(number) > MAX_INTEGER:
            raise _Unreadable(path, f"{path} must be an integer, not {shown(value)}")
        return int(self._within(spec, int(number), path))

    def _number(self, spec: Spec, value: Any, path: str) -> float:
        number = float(self._decimal(value, path))
        if not isfinite(number):
            raise _Unreadable(path, f"{path} must be a number, not {shown(value)}")
        return self._within(spec, number, path)

    def _decimal(self, value: Any, path: str) -> Decimal:
        """A finite number, from a number or a text."""
        try:
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                raise ValueError(value)
            number = Decimal(value.strip() if isinstance(value, str) else repr(value))
            if not number.is_finite() or abs(number.adjusted()) > 400:
                raise ValueError(value)
        except (ValueError, InvalidOperation):
            raise _Unreadable(path, f"{path} must be a number, not {shown(value)}") from None
        if isinstance(value, str):
            self._bent.note(self._message, path, "a number written as a text", value)
        return number

    @staticmethod
    def _within(spec: Spec, number: float, path: str) -> float:
        too_low = spec.low is not None and number < spec.low
        if too_low or (spec.high is not None and number > spec.high):
            raise _Unreadable(path, f"{path}: {shown(number)} is out of range", Defect.VALUE)
        if spec.multiple and not is_multiple(number, spec.multiple):
            raise _Unreadable(path, f"{path} must be a multiple of {spec.multiple}, not {shown(number)}", Defect.VALUE)
        return number

    def _truth(self, spec: Spec, value: Any, path: str) -> bool:
        if isinstance(value, bool):
            return value
        word = str(value).strip().casefold() if isinstance(value, str | int) else ""
        if word not in ("true", "false", "1", "0"):
            raise _Unreadable(path, f"{path} must be true or false, not {shown(value)}")
        self._bent.note(self._message, path, "a truth value in another form", value)
        return word in ("true", "1")

    def _member(self, spec: Spec, value: Any, path: str) -> Any:
        """An element of an enumeration, in whatever case and with whatever between its words."""
        values = self._shapes.values(spec.name)
        if value not in values:
            meant = [each for each in values if isinstance(value, str) and _bare(each) == _bare(value)]
            if len(meant) != 1:
                listed = ", ".join(values)
                raise _Unreadable(path, f"{path}: {shown(value)} is not one of {listed}", Defect.VALUE)
            self._bent.note(self._message, path, "a value in another spelling", value)
            value = meant[0]
        return self._shapes.get(spec.name)(value)

    def _list(self, spec: Spec, value: Any, path: str) -> list[Any]:
        assert spec.item is not None
        if not isinstance(value, list):
            self._bent.note(self._message, path, "one thing in place of a list", value)
            value = [value]
        found = []
        for element in value:
            try:
                if element is not None:
                    found.append(self._readers[spec.item.kind](spec.item, element, path))
            except _Unreadable as reason:
                self._bent.note(self._message, reason.path, "cannot be read and is left out", reason.why)
        if spec.low is not None and len(found) < spec.low:
            raise _Unreadable(path, f"{path} needs at least {spec.low:g} element(s), not {len(found)}", Defect.COUNT)
        return found

    def _custom(self, spec: Spec, value: Any, path: str) -> CustomData:
        vendor_id = value.get("vendorId") if isinstance(value, dict) else None
        if not isinstance(vendor_id, str) or len(vendor_id) > MAX_CUSTOM_VENDOR_ID:
            raise _Unreadable(path, f"{path} is no object with a vendorId")
        return CustomData(value)


def _bare(word: str) -> str:
    return "".join(sign for sign in word if sign.isalnum()).casefold()
