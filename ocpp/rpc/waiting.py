"""Calls of ours that wait for their turn, and whoever waits for their answers."""

import asyncio
from collections import deque
from enum import Enum, auto
from typing import Any

import msgspec

from ocpp.errors import NotConnected, NotPermitted, QueueFull
from ocpp.rpc.session import CallAnswered
from ocpp.rpc.suspects import Suspects

MAX_WAITING_CALLS = 256
"""Calls that wait for their turn while one is in flight; more means that the CSMS has stopped answering."""

MAX_LAST_CALLS = 32
"""Calls with which connections have died and that wait to go last; a CSMS does without such messages anyhow."""


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


class WaitingCalls:
    """In the order in which they were made; those of actions with which connections have died behind all others."""

    def __init__(self, suspects: Suspects) -> None:
        self._suspects = suspects
        self._in_turn: deque[WaitingCall] = deque()
        self._last: deque[WaitingCall] = deque()

    def add(self, call: WaitingCall, *, patient: bool) -> None:
        """One more. Raises QueueFull; NotPermitted for one that may not go for some time and whose caller is not `patient`."""
        if call.action in self._suspects:
            self._add_last(call, patient=patient)
            return
        if len(self._in_turn) >= MAX_WAITING_CALLS:
            raise QueueFull(f"{MAX_WAITING_CALLS} calls already wait for the CSMS; {call.action} is given up")
        self._in_turn.append(call)

    def _add_last(self, call: WaitingCall, *, patient: bool) -> None:
        wait = self._suspects.wait(call.action)
        if wait and not patient:
            raise NotPermitted(f"connections have died with {call.action}; not again before {wait:.0f} s")
        if len(self._last) >= MAX_LAST_CALLS:
            raise QueueFull(f"{MAX_LAST_CALLS} calls with which connections have died wait; {call.action} is given up")
        self._last.append(call)

    def first(self) -> WaitingCall | None:
        """The one whose turn it is, of those that do not go last; it stays where it is."""
        while self._in_turn and self._in_turn[0].done.done():
            self._in_turn.popleft()
        return self._in_turn[0] if self._in_turn else None

    def take_first(self) -> WaitingCall:
        """That one."""
        return self._in_turn.popleft()

    def take_last(self) -> WaitingCall | None:
        """The first of those that go last, and may go now."""
        for call in tuple(self._last):
            if call.done.done() or not self._suspects.wait(call.action):
                self._last.remove(call)
                if not call.done.done():
                    return call
        return None

    @property
    def waits(self) -> list[float]:
        """In how many seconds each of those that go last may go."""
        return [self._suspects.wait(call.action) for call in self._last]

    def fail(self, why: str) -> None:
        """No answer will come to any of them: NotConnected."""
        for queue in (self._in_turn, self._last):
            while queue:
                queue.popleft().fail(NotConnected(why))
