"""Finds a variable by the names a CSMS wrote."""

from typing import Any, final

@final
class VariableIndex:
    def __init__(self) -> None: ...
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
