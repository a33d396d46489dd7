"""How the generated tables describe message types: enumerations, structs and their fields."""

from enum import IntEnum
from typing import Any, NamedTuple


class Kind(IntEnum):
    """What a field holds."""

    STRING = 0
    DATETIME = 1
    INTEGER = 2
    NUMBER = 3
    BOOLEAN = 4
    ENUM = 5
    STRUCT = 6
    LIST = 7
    ANY = 8
    CUSTOM = 9
    """customData: an object with a vendorId of at most 255 characters and anything else (2.x)."""


class Spec(NamedTuple):
    """A field's content. `low` and `high` bound a number's value, a string's length (high only) or a list's count."""

    kind: Kind
    name: str = ""
    low: float | None = None
    high: float | None = None
    item: "Spec | None" = None
    multiple: str = ""

    def names(self) -> set[str]:
        """The types it mentions."""
        return ({self.name} if self.name else set()) | (self.item.names() if self.item is not None else set())


class Field(NamedTuple):
    """A field by its name on the wire."""

    wire: str
    spec: Spec
    required: bool


class Tables(NamedTuple):
    """The types of one version. `actions` maps an action to the names of its request and response."""

    enums: dict[str, tuple[str, ...]]
    structs: dict[str, tuple[Field, ...]]
    actions: dict[str, tuple[str, str | None]]


Packed = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]


def unpack_spec(packed: Any) -> Spec:
    """A spec from its compact form in the tables."""
    complete: tuple[Any, ...] = tuple(packed) + _DEFAULTS[len(packed) :]
    kind, name, low, high, item, multiple = complete
    return Spec(Kind(kind), name, low, high, unpack_spec(item) if item is not None else None, multiple)


_DEFAULTS: tuple[Any, ...] = (0, "", None, None, None, "")


def pack_spec(spec: Spec) -> tuple[Any, ...]:
    """The compact form: a tuple without the defaults at its end."""
    packed = [
        int(spec.kind),
        spec.name,
        spec.low,
        spec.high,
        pack_spec(spec.item) if spec.item else None,
        spec.multiple,
    ]
    while len(packed) > 1 and packed[-1] == _DEFAULTS[len(packed) - 1]:
        packed.pop()
    return tuple(packed)


def unpack_fields(packed: Any) -> tuple[Field, ...]:
    """The fields of a struct from their compact form."""
    return tuple(Field(wire, unpack_spec(spec), bool(required)) for wire, required, spec in packed)
