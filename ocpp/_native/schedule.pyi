"""Charging schedules as arithmetic: which period of which profile holds, what it allows, when that changes."""

from collections.abc import Sequence
from typing import Any, Self, final

from typing_extensions import disjoint_base

@final
class Fields:
    def __init__(self, start: str, limit: str, phases: str) -> None: ...

@disjoint_base
class Curve:
    @property
    def sound(self) -> bool: ...
    @property
    def fewest_phases(self) -> int | None: ...
    def __new__(cls, periods: Sequence[object], fields: Fields = ...) -> Self: ...
    def __len__(self) -> int: ...
    def step(self, index: int) -> tuple[int, float, int | None]: ...
    def steps(self) -> list[tuple[int, float, int | None]]: ...

@final
class InForce:
    @property
    def profile(self) -> Any: ...
    @property
    def index(self) -> int: ...
    @property
    def period(self) -> Any: ...

@final
class Limit:
    @property
    def current_a(self) -> float: ...
    @property
    def phases(self) -> int: ...
    @property
    def sources(self) -> tuple[InForce, ...]: ...
    def __init__(self, current_a: float, phases: int, sources: tuple[InForce, ...] = ()) -> None: ...
    def power_w(self, voltage_v: float) -> float: ...

@final
class Slice:
    @property
    def start(self) -> int: ...
    @property
    def limit(self) -> Limit: ...
    def __init__(self, start: int, limit: Limit) -> None: ...

@final
class Track:
    @property
    def profile(self) -> Any: ...
    def __new__(
        cls,
        profile: Any,
        curve: Curve,
        amperes: bool,
        start: float,
        duration_s: float | None = None,
        recurrency_s: float | None = None,
        valid_from: float | None = None,
        valid_to: float | None = None,
    ) -> Track: ...

@final
class Limits:
    def __new__(
        cls,
        groups: list[list[Track]],
        most_a: float,
        phases: int,
        default_a: float,
        default_phases: int,
        voltage_v: float,
    ) -> Limits: ...
    def at(self, instant: float) -> Limit: ...
    def next_change(self, after: float) -> float | None: ...
    def slices(self, start: float, duration: float, most: int) -> list[Slice]: ...
