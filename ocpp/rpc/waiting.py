"""A call of ours that waits for its turn, and whoever waits for its answer."""

import asyncio
from typing import Any

import msgspec

from ocpp.rpc.session import CallAnswered


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
