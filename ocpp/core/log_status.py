"""How far the upload of a log is: the last word about it is told until the CSMS knows it, over restarts (N01; 1.6 4.4)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ocpp.core.log_upload import FAILED, UPLOADING
from ocpp.core.told import Told
from ocpp.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

    from ocpp.core.context import Context

log = logging.getLogger(__name__)


class LogStatus:
    """The status of the uploads that one kind of message tells of. `message` makes it, of status and request id."""

    def __init__(self, context: Context, name: str, message: Callable[[str, int | None], msgspec.Struct]) -> None:
        self._state = context.state
        self._key = f"log_status.{name}"
        self._message = message
        self._told: Told[str, tuple[str, int | None]] = Told(
            context.rpc, context.clock, lambda _: self._look_again(), self._known
        )
        self._last = self._load()

    def _load(self) -> tuple[str, int | None] | None:
        """What the CSMS may not know of the run before; an upload that was going on then has failed."""
        stored = self._state.get(self._key)
        if not isinstance(stored, list) or len(stored) != 2:
            return None
        status, request_id = stored
        return (FAILED if status == UPLOADING else status), request_id

    @property
    def request_id(self) -> int | None:
        """The request that the last upload was for."""
        return self._last[1] if self._last is not None else None

    def tell(self, status: str, request_id: int | None = None) -> None:
        """Tell how far the upload is."""
        self._last = status, request_id
        self._note([status, request_id])
        self._told.tell(self._key, self._last, self._message(*self._last))

    def review(self) -> None:
        """The CSMS can be told: tell the last word if it does not know it."""
        self._told.review()
        self._look_again()

    def _look_again(self) -> None:
        if self._last is not None and not self._told.holds(self._key, self._last):
            self._told.tell(self._key, self._last, self._message(*self._last))

    def delivered(self, status: str, request_id: int | None) -> None:
        """The CSMS has answered a message that was queued."""
        self._told.delivered(self._key, (status, request_id))

    def given_up(self) -> None:
        """A message that was queued will not be sent."""
        self._told.given_up(self._key)

    def _known(self, key: str, state: tuple[str, int | None]) -> None:
        if state == self._last and state[0] != UPLOADING:
            self._note(None)

    def _note(self, stored: list[str | int | None] | None) -> None:
        try:
            self._state.put(self._key, stored, durable=False)
        except StorageError as error:
            log.error("the status of a log upload is not kept: %s", error)

    def stop(self) -> None:
        """No timers any more."""
        self._told.stop()
