"""A device model of plain values, for tests of parts that only read settings."""

from collections.abc import Callable
from typing import Any


class FakeHandle:
    """A live handle on one value."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self._listeners: list[Callable[[Any], None]] = []

    @property
    def value(self) -> Any:
        return self._value

    def set(self, value: Any) -> None:
        self._value = value
        for listener in self._listeners:
            listener(value)

    def on_change(self, listener: Callable[[Any], None]) -> None:
        self._listeners.append(listener)


class FakeModel:
    """Values by address; what was not given has the default of its type."""

    def __init__(self, **values: Any) -> None:
        self.handles: dict[str, FakeHandle] = {}
        self._values = values

    def _handle(self, address: str, default: Any) -> FakeHandle:
        if address not in self.handles:
            name = address.rpartition("/")[2]
            self.handles[address] = FakeHandle(self._values.get(address, self._values.get(name, default)))
        return self.handles[address]

    def integer(self, address: str) -> FakeHandle:
        return self._handle(address, 0)

    def boolean(self, address: str) -> FakeHandle:
        return self._handle(address, False)

    def text(self, address: str) -> FakeHandle:
        return self._handle(address, "")

    def members(self, address: str) -> FakeHandle:
        return self._handle(address, ())
