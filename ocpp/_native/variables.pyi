"""Finds a variable by the names a CSMS wrote."""

from collections.abc import Callable
from typing import Any, final

from typing_extensions import disjoint_base

@disjoint_base
class Readable:
    values: dict[Any, str]
    getter: Callable[[], str] | None
    @property
    def plain(self) -> bool: ...
    def __init__(self, values: dict[Any, str], getter: Callable[[], str] | None, plain: bool) -> None: ...

@final
class VariableIndex:
    def __init__(
        self, exactly: Callable[..., tuple[Any, str | None]] | None = None, actual: Any = None, accepted: Any = None
    ) -> None: ...
    def __len__(self) -> int: ...
    def add(
        self,
        component: str,
        instance: str | None,
        evse: int | None,
        connector: int | None,
        variable: str,
        variable_instance: str | None,
        entry: Any,
    ) -> None: ...
    def remove(
        self,
        component: str,
        instance: str | None,
        evse: int | None,
        connector: int | None,
        variable: str,
        variable_instance: str | None,
    ) -> None: ...
    def find(
        self,
        component: str,
        instance: str | None,
        evse: int | None,
        connector: int | None,
        variable: str,
        variable_instance: str | None,
    ) -> Any | None: ...
    def read(
        self,
        component: str,
        instance: str | None,
        evse: int | None,
        connector: int | None,
        variable: str,
        variable_instance: str | None,
        attribute: Any,
        with_21: bool,
    ) -> tuple[Any, str | None]: ...
