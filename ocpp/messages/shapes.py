"""Makes the message classes from the generated tables, each when it is first asked for.

A station uses a few dozen of the five hundred types of 2.x; making them all would cost a board several hundred
milliseconds and megabytes at every start.
"""

from datetime import datetime
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from ocpp.messages.naming import attribute_name, member_name
from ocpp.messages.tables import Field, Kind, Spec, unpack_fields

if TYPE_CHECKING:
    from decimal import Decimal

    Number = float | Decimal
    """What a JSON number field takes: a Decimal goes to the wire with all its digits."""
else:
    Number = float

MAX_CUSTOM_VENDOR_ID = 255


class CustomData(dict[str, Any]):
    """customData (2.x): an object with a vendorId of at most 255 characters, and anything else."""


def decode_special(kind: type, value: Any) -> Any:
    """Make what msgspec does not know (its `dec_hook`): CustomData; ValueError for what is none."""
    vendor_id = value.get("vendorId") if kind is CustomData and isinstance(value, dict) else None
    if not isinstance(vendor_id, str) or len(vendor_id) > MAX_CUSTOM_VENDOR_ID:
        raise ValueError("customData is an object with a vendorId")
    return CustomData(value)


UtcDatetime = Annotated[datetime, msgspec.Meta(tz=True)]


class Shapes:
    """The classes of one name space (`ocpp.messages.v16`, `v2`, `v201`).

    With `base`, types that are not in the tables are taken from there; in those that are, what only the base knows is
    readable as None, and cannot be set.
    """

    def __init__(self, module: str, tables: str, base: "Shapes | None" = None) -> None:
        self.module = module
        self._tables = tables
        self.base = base
        self._classes: dict[str, Any] = {}

    @property
    def tables(self) -> Any:
        """The generated module, loaded when it is first needed."""
        return import_module(self._tables)

    def __dir__(self) -> list[str]:
        return sorted([*self.tables.ENUMS, *self.tables.STRUCTS])

    def get(self, name: str) -> Any:
        """The class of that name; AttributeError for an unknown one."""
        found = self._classes.get(name)
        if found is None:
            found = self._classes[name] = self._make(name)
        return found

    def fields(self, name: str) -> tuple[Field, ...]:
        """The fields of a struct; KeyError for an unknown name."""
        packed = self.tables.STRUCTS.get(name)
        if packed is not None:
            return unpack_fields(packed)
        if self.base is None:
            raise KeyError(name)
        return self.base.fields(name)

    def values(self, name: str) -> tuple[str, ...]:
        """The values of an enumeration; KeyError for an unknown name."""
        values: tuple[str, ...] | None = self.tables.ENUMS.get(name)
        if values is not None:
            return values
        if self.base is None:
            raise KeyError(name)
        return self.base.values(name)

    def differs(self, name: str) -> bool:
        """Whether the name space has the type in a shape of its own."""
        return name in self.tables.STRUCTS or name in self.tables.ENUMS

    def _make(self, name: str) -> Any:
        if name in self.tables.ENUMS:
            members = [(member_name(value), value) for value in self.tables.ENUMS[name]]
            return StrEnum(name, members, module=self.module)
        if name in self.tables.STRUCTS:
            return self._make_struct(name)
        if self.base is not None:
            return self.base.get(name)
        raise AttributeError(f"module {self.module!r} has no type {name!r}")

    def _make_struct(self, name: str) -> type[msgspec.Struct]:
        fields = unpack_fields(self.tables.STRUCTS[name])
        definition: list[Any] = []
        for field in fields:
            annotation = self._type(field.spec)
            attribute = attribute_name(field.wire)
            # Not `annotation | None`: null is no value of an optional field, neither in 1.6 nor in 2.x.
            definition.append((attribute, annotation) if field.required else (attribute, annotation, None))
        rename = {attribute_name(field.wire): field.wire for field in fields}
        return msgspec.defstruct(
            name,
            definition,
            module=self.module,
            namespace=dict.fromkeys(self._base_attributes(name) - rename.keys()),
            rename=rename,
            kw_only=True,
            forbid_unknown_fields=True,
            omit_defaults=True,
            gc=False,  # messages are trees: nothing in them points back
        )

    def _base_attributes(self, name: str) -> set[str]:
        if self.base is None or name not in self.base.tables.STRUCTS:
            return set()
        return {attribute_name(field.wire) for field in self.base.fields(name)}

    def _type(self, spec: Spec) -> Any:
        if spec.kind in (Kind.ENUM, Kind.STRUCT):
            return self.get(spec.name)
        if spec.kind is Kind.LIST:
            assert spec.item is not None
            return _bounded(list[self._type(spec.item)], min_length=spec.low, max_length=spec.high)  # type: ignore[misc]
        if spec.kind is Kind.STRING:
            return _bounded(str, max_length=spec.high)
        if spec.kind is Kind.INTEGER:
            return _bounded(int, ge=spec.low, le=spec.high)
        if spec.kind is Kind.NUMBER:
            return _bounded(float, ge=spec.low, le=spec.high)
        return {Kind.DATETIME: UtcDatetime, Kind.BOOLEAN: bool, Kind.ANY: Any, Kind.CUSTOM: CustomData}[spec.kind]


def _bounded(kind: Any, **bounds: float | None) -> Any:
    given: dict[str, Any] = {name: bound for name, bound in bounds.items() if bound is not None}
    return Annotated[kind, msgspec.Meta(**given)] if given else kind
