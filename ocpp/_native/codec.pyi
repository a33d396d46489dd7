"""Frames to typed messages and back, in one call each."""

from collections.abc import Callable
from typing import Any, Final, final

from ocpp._native.framing import Frame

MAX_REQUESTS: Final[int]

@final
class Codec:
    def __init__(
        self,
        action: str,
        kind: type[Any],
        decode: Callable[[Any], Any],
        dated: bool,
        holds: Callable[[Any], bool] | None,
        exactly: Callable[[Any], Any],
    ) -> None: ...
    @property
    def action(self) -> str: ...
    @property
    def kind(self) -> type[Any]: ...
    def read(self, payload: bytes | memoryview | Frame) -> Any: ...

@final
class Requests:
    def __init__(self, missing: Callable[[str], Codec | None], refusal: type[Exception]) -> None: ...

@final
class Writer:
    def __init__(self, encode_any: Callable[[Any], bytes], narrow: Callable[[Any], Any] | None = None) -> None: ...
    @property
    def encode_any(self) -> Callable[[Any], bytes]: ...
    def encode(self, message: Any) -> bytes: ...
    def call(self, message_id: str, action: str, message: Any) -> bytes: ...
    def result(self, message_id: str, message: Any) -> bytes: ...
    def send(self, message_id: str, action: str, message: Any) -> bytes: ...

def read(data: bytes, requests: Requests, pending_id: str | None, pending: Codec | None) -> Frame: ...
