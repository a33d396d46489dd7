"""A call of ours that waits for its turn, and whoever waits for its answer."""

import asyncio
from enum import Enum, auto
from typing import Any

import msgspec

from ocpp.rpc.session import CallAnswered


class Outcome(Enum):
    """What became of a notification."""

    ANSWERED = auto()
    """The peer knows of it."""
    REFUSED = auto()
    """The peer answered with an error, or the version spoken cannot express it: saying it again changes nothing now."""
    UNANSWERED = auto()
    """Nobody can say whether the peer has heard of it: no connection, or no answer."""
    QUEUED = auto()
    """It waits in the outbox, whose courier hears what becomes of it."""


class WaitingCall(msgspec.Struct, eq=False):
    """`done` is given the response, or the error in its place; whoever waited may have gone before."""

    request: msgspec.Struct
    action: str
    done: asyncio.Future[Any]
    after_order: int

    def take(self, answered: CallAnswered) -> None:
        """The peer has answered."""
        if answered.error is not None:
            self.fail(answered.error)
        elif not self.done.done():
            self.done.set_result(answered.response)

    def fail(self, error: Exception) -> None:
        """No answer will come."""
        if not self.done.done():
            self.done.set_exception(error)
