"""A variable with its values, and live handles on it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Generic, TypeVar

from ocpp._native.variables import Readable
from ocpp.device_model.address import Component, Variable
from ocpp.device_model.definition import Attribute, Definition
from ocpp.errors import DeviceModelError

T = TypeVar("T")


class Entry(Readable):
    """One variable of one component. `getter` computes its actual value where that is measured on demand."""

    __slots__ = (
        "component",
        "definition",
        "handles",
        "listeners",
        "variable",
        "vendor",
        "watchers",
    )

    def __init__(
        self,
        component: Component,
        variable: Variable,
        definition: Definition,
        getter: Callable[[], str] | None = None,
        *,
        vendor: bool = False,
    ) -> None:
        super().__init__({Attribute.ACTUAL: definition.default}, getter, definition.plain)
        self.component = component
        self.variable = variable
        self.definition = definition
        self.vendor = vendor
        self.listeners: list[Callable[[str], object]] = []
        self.watchers: list[Callable[[], object]] = []
        """Called after every write and every change, also where the value itself is a secret."""
        self.handles: tuple[Handle[Any], ...] = ()

    def value(self, attribute: Attribute = Attribute.ACTUAL) -> str:
        """The value of an attribute; "" when it was never set. Actual values may be measured on demand."""
        if self.getter is not None and attribute is Attribute.ACTUAL:
            return self.getter()
        return self.values.get(attribute, "")

    def handle(
        self, convert: Callable[[str], T], form: Callable[[T], str], setter: Callable[["Entry", str], None]
    ) -> "Handle[T]":
        """The live view on the value as one type; whoever asks again gets the same one."""
        for each in self.handles:
            if each.is_of(convert):
                return each
        made = Handle(self, convert, form, setter)
        self.handles += (made,)
        return made

    def take(self, values: dict[Attribute, str]) -> None:
        """Hold other values; whoever listens hears of another actual one."""
        before, self.values = self.values, values
        if before.get(Attribute.ACTUAL) != values.get(Attribute.ACTUAL):
            for listener in tuple(self.listeners):
                listener(self.value())
            self.touched()

    def touched(self) -> None:
        """Tell the watchers."""
        for watcher in tuple(self.watchers):
            watcher()

    def __str__(self) -> str:
        return f"{self.component}/{self.variable}"


class Handle(Generic[T]):
    """A live, typed view on a variable's actual value; reading it costs an attribute look-up."""

    __slots__ = ("_convert", "_entry", "_format", "_set", "value")

    def __init__(
        self,
        entry: Entry,
        convert: Callable[[str], T],
        form: Callable[[T], str],
        setter: Callable[[Entry, str], None],
    ) -> None:
        self._entry = entry
        self._convert = convert
        self._format = form
        self._set = setter
        self.value: T = convert(entry.value())
        entry.listeners.append(self._changed)

    def is_of(self, convert: Callable[[str], Any]) -> bool:
        """Whether that function makes its values."""
        return self._convert is convert

    def _changed(self, value: str) -> None:
        self.value = self._convert(value)

    def set(self, value: T) -> None:
        """Set the actual value from inside the station; DeviceModelError when it does not fit."""
        self._set(self._entry, self._format(value))

    def on_change(self, listener: Callable[[T], object]) -> None:
        """Call `listener(new value)` after every change."""
        self._entry.listeners.append(lambda value: listener(self._convert(value)))

    def __repr__(self) -> str:
        return f"<{self._entry} = {self.value!r}>"


def to_integer(value: str) -> int:
    """An unset integer counts as 0."""
    return int(value) if value else 0


def to_boolean(value: str) -> bool:
    """An unset boolean counts as false."""
    return value.lower() == "true"


def from_boolean(value: bool) -> str:
    """As OCPP writes booleans."""
    return "true" if value else "false"


def to_decimal(value: str) -> Decimal:
    """An unset number counts as 0."""
    return Decimal(value) if value else Decimal(0)


def from_members(value: tuple[str, ...]) -> str:
    """As OCPP writes lists."""
    return ",".join(value)


def require_entry(entry: Entry | None, address: str) -> Entry:
    """The entry, or DeviceModelError naming what is missing."""
    if entry is None:
        raise DeviceModelError(f"there is no variable {address}")
    return entry
