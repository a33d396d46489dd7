"""Short words for the definitions that the tables repeat."""

from typing import Any

from ocpp.device_model.definition import DataType, Definition, Mutability

RW = Mutability.READ_WRITE
RO = Mutability.READ_ONLY

LARGEST = 2**31 - 1
"""What an integer takes unless told otherwise: what every CSMS can write, and every timer can wait in seconds."""


def integer(default: int, mutability: Mutability = RW, *, low: float | None = 0, **more: Any) -> Definition:
    """An integer, not negative unless told otherwise."""
    if mutability is RW:
        more.setdefault("high", LARGEST)
    return Definition(data_type=DataType.INTEGER, mutability=mutability, default=str(default), low=low, **more)


def seconds(default: int, mutability: Mutability = RW, **more: Any) -> Definition:
    """A duration in s."""
    return integer(default, mutability, unit="s", **more)


def boolean(default: bool, mutability: Mutability = RW, **more: Any) -> Definition:
    """True or false."""
    return Definition(data_type=DataType.BOOLEAN, mutability=mutability, default="true" if default else "false", **more)


def text(default: str = "", mutability: Mutability = RW, **more: Any) -> Definition:
    """A text; `high` bounds its length."""
    return Definition(data_type=DataType.STRING, mutability=mutability, default=default, **more)


def option(default: str, values: tuple[str, ...], mutability: Mutability = RW, **more: Any) -> Definition:
    """One of several values."""
    return Definition(data_type=DataType.OPTION_LIST, mutability=mutability, default=default, values=values, **more)


def member_list(default: str, values: tuple[str, ...], mutability: Mutability = RW, **more: Any) -> Definition:
    """Some of several values, in no order."""
    return Definition(data_type=DataType.MEMBER_LIST, mutability=mutability, default=default, values=values, **more)


def sequence_list(default: str, values: tuple[str, ...], mutability: Mutability = RW, **more: Any) -> Definition:
    """Some of several values, in an order that counts."""
    return Definition(data_type=DataType.SEQUENCE_LIST, mutability=mutability, default=default, values=values, **more)


def date_time(mutability: Mutability = RO, **more: Any) -> Definition:
    """An instant, RFC 3339."""
    return Definition(data_type=DataType.DATE_TIME, mutability=mutability, **more)
