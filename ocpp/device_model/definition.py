"""What a variable is: type, limits, who may write it, and which values it takes."""

import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import msgspec

MAX_VALUE_LENGTH = 2500
"""The longest value any version transports (attributeValue of GetVariables and NotifyReport)."""


_INTEGER = r"[+-]?[0-9]+"
_DECIMAL = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_DATE_TIME = rf"(?a)\d{{4}}-\d\d-\d\d[Tt]{_CLOCK}:\d\d(\.\d+)?([Zz]|[+-]{_CLOCK})?"


class Attribute(StrEnum):
    """AttributeEnumType."""

    ACTUAL = "Actual"
    TARGET = "Target"
    MIN_SET = "MinSet"
    MAX_SET = "MaxSet"


class Mutability(StrEnum):
    """MutabilityEnumType."""

    READ_ONLY = "ReadOnly"
    WRITE_ONLY = "WriteOnly"
    READ_WRITE = "ReadWrite"


class DataType(StrEnum):
    """DataEnumType."""

    STRING = "string"
    DECIMAL = "decimal"
    INTEGER = "integer"
    DATE_TIME = "dateTime"
    BOOLEAN = "boolean"
    OPTION_LIST = "OptionList"
    SEQUENCE_LIST = "SequenceList"
    MEMBER_LIST = "MemberList"


LISTS = frozenset({DataType.SEQUENCE_LIST, DataType.MEMBER_LIST})


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """The characteristics of a variable.

    `low` and `high` bound a number's value or a string's length; `values` lists what an option or list may hold.
    `since_21`: unknown to 2.0.1. `hidden`: used inside only, unknown to any CSMS until a later version speaks of it.
    """

    data_type: DataType = DataType.STRING
    mutability: Mutability = Mutability.READ_ONLY
    default: str = ""
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = (Attribute.ACTUAL,)
    persistent: bool = True
    constant: bool = False
    reboot_required: bool = False
    since_21: bool = False
    hidden: bool = False
    check: Callable[[str], str] | None = None
    """A further rule: gives "" for a good value, else what is wrong."""

    @property
    def kept(self) -> bool:
        """Whether a value survives a restart."""
        return self.persistent and not self.constant

    @property
    def plain(self) -> bool:
        """Whether every CSMS may read its actual value."""
        for_all = not self.hidden and not self.since_21 and self.mutability is not Mutability.WRITE_ONLY
        return for_all and Attribute.ACTUAL in self.attributes

    @property
    def monitored(self) -> bool:
        """Whether it can be monitored: what never changes cannot."""
        return not self.constant and not self.hidden

    def defect(self, value: str) -> str:
        """What is wrong with a value; "" when nothing is."""
        if len(value) > MAX_VALUE_LENGTH:
            return f"longer than {MAX_VALUE_LENGTH} characters"
        found = _TYPE_CHECKS[self.data_type](self, value)
        return found or (self.check(value) if self.check is not None else "")

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        if self.values:
            listed = ", ".join(self.values)
            return (
                f"one of {listed}" if self.data_type is DataType.OPTION_LIST else f"a comma separated list of {listed}"
            )
        if self.data_type is DataType.BOOLEAN:
            return "true or false"
        bounds = []
        if self.low is not None:
            bounds.append(f"at least {_plain(self.low)}")
        if self.high is not None:
            bounds.append(f"at most {_plain(self.high)}")
        kind = {
            DataType.INTEGER: "an integer",
            DataType.DECIMAL: "a number",
            DataType.DATE_TIME: "an RFC 3339 date-time",
        }
        words = " and ".join(bounds)
        if self.data_type in kind:
            return f"{kind[self.data_type]} {words}".strip()
        return f"a text of {words} characters" if words else "a text"


def _plain(limit: float) -> str:
    return f"{limit:.0f}" if limit == int(limit) else f"{limit:g}"


def _integer(definition: Definition, value: str) -> str:
    return _within(definition, float(value)) if re.fullmatch(_INTEGER, value) else "not an integer"


def _decimal(definition: Definition, value: str) -> str:
    return _within(definition, float(value)) if re.fullmatch(_DECIMAL, value) else "not a number"


def _within(definition: Definition, value: float) -> str:
    if definition.low is not None and value < definition.low:
        return f"below {_plain(definition.low)}"
    if definition.high is not None and value > definition.high:
        return f"above {_plain(definition.high)}"
    return ""


def _boolean(definition: Definition, value: str) -> str:
    return "" if value.lower() in ("true", "false") else "neither true nor false"


def _string(definition: Definition, value: str) -> str:
    if definition.low is not None and len(value) < definition.low:
        return f"shorter than {_plain(definition.low)} characters"
    if definition.high is not None and len(value) > definition.high:
        return f"longer than {_plain(definition.high)} characters"
    return ""


def _date_time(definition: Definition, value: str) -> str:
    if not re.fullmatch(_DATE_TIME, value):
        return "not a date-time"
    try:
        parsed = datetime.fromisoformat(value.upper())
    except ValueError:
        return "not a date-time"
    return "" if parsed.tzinfo is not None else "without time zone"


def _option(definition: Definition, value: str) -> str:
    return "" if not definition.values or value in definition.values else f"{value[:50]} is not allowed"


def _list(definition: Definition, value: str) -> str:
    if definition.high is not None and len(value) > definition.high:
        return f"longer than {_plain(definition.high)} characters"
    for member in members(value):
        if definition.values and member not in definition.values:
            return f"{member[:50]} is not allowed"
    return ""


def members(value: str) -> tuple[str, ...]:
    """The members of a comma separated list."""
    return tuple(member.strip() for member in value.split(",") if member.strip())


_TYPE_CHECKS: dict[DataType, Callable[[Definition, str], str]] = {
    DataType.STRING: _string,
    DataType.DECIMAL: _decimal,
    DataType.INTEGER: _integer,
    DataType.DATE_TIME: _date_time,
    DataType.BOOLEAN: _boolean,
    DataType.OPTION_LIST: _option,
    DataType.SEQUENCE_LIST: _list,
    DataType.MEMBER_LIST: _list,
}
