"""Objects that extensions carry as JSON text in DataTransfer, read and checked before anything is done with them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

MAX_AMOUNT = Decimal(10) ** 12
"""Of a price, a cost, an amount of energy: what is more is a mistake, and calculating with it would raise."""

T = TypeVar("T", bound="Transferred")

log = logging.getLogger(__name__)


class Transferred(msgspec.Struct, rename="camel", frozen=True, kw_only=True, omit_defaults=True):
    """An object of an extension; fields that are not known are passed over, a time without offset is UTC."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal) and not (value.is_finite() and abs(value) <= MAX_AMOUNT):
                raise ValueError(f"{name} is beyond every sensible amount")
            if isinstance(value, datetime) and value.tzinfo is None:
                msgspec.structs.force_setattr(self, name, value.replace(tzinfo=UTC))


def read(kind: type[T], data: Any, message_id: str | None) -> T | None:
    """The object that the `data` of a message holds; None, with a line in the log, for one that cannot be used."""
    try:
        return msgspec.json.decode(data if isinstance(data, str | bytes) else "", type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError) as wrong:
        log.warning("%s cannot be used: %s", message_id, wrong)
        return None
