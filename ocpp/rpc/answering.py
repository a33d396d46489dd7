"""The peer's calls: one handler for each action, and one answer after the other, in the order of the calls."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from ocpp.errors import CallError
from ocpp.rpc import error_codes
from ocpp.rpc.session import CallReceived, SendReceived, Session

MAX_INBOUND_CALLS = 32
"""Calls of a peer that does not wait for answers (against FR.01); more are answered with GenericError."""

_MESSAGE = type(msgspec.Struct)
"""The type of all message types; isinstance() takes several times as long to tell a message."""

log = logging.getLogger(__name__)

Then = Callable[[], Awaitable[None] | None]


class Reply(msgspec.Struct, frozen=True):
    """A handler's response, and what is to happen once it is on its way (a reset, a triggered message)."""

    response: Any
    then: Then


Handler = Callable[[Any], Any]
"""Takes the typed request, returns the typed response or a `Reply`, or an awaitable of either; a CallError raised by
it is the answer."""


class Answer(msgspec.Struct, frozen=True):
    """A frame to send, and what is to happen then."""

    action: str
    frame: bytes
    then: Then | None = None
    told: bool = True
    """Whether the message history holds it."""


class _Pending(NamedTuple):
    """A call that waits for its turn; `outcome` is what its handler has already returned, to be awaited."""

    call: CallReceived
    outcome: Awaitable[Any] | None


class Answering:
    """Handles the calls of the peer. What a handler returns without waiting is answered without any task or queue."""

    def __init__(self, may_answer: Callable[[], bool]) -> None:
        self._may_answer = may_answer
        self._handlers: dict[str, Handler] = {}
        self._waits: set[str] = set()
        """Actions whose handlers are coroutine functions."""
        self._pending: asyncio.Queue[_Pending] = asyncio.Queue(MAX_INBOUND_CALLS)
        self._sends = 0
        """Messages without an answer that are being handled."""
        self._busy = False
        """Whether calls are pending, or the answer to one is."""
        self.heard = asyncio.Event()
        """Cleared while an answer of the peer is on its way to whoever waits for it: what the peer calls next must not
        overtake it."""

    def register(self, action: str, handler: Handler) -> None:
        """Let `handler` answer the peer's calls of `action`; ValueError when somebody already does."""
        if action in self._handlers:
            raise ValueError(f"{action} already has a handler")
        self._handlers[action] = handler
        if inspect.iscoroutinefunction(handler):
            self._waits.add(action)

    def begin(self) -> None:
        """A connection begins."""
        self.heard.set()

    def end(self) -> None:
        """The connection is gone, and what it asked for with it."""
        self._busy = False
        while not self._pending.empty():
            outcome = self._pending.get_nowait().outcome
            if inspect.iscoroutine(outcome):
                outcome.close()

    def take(self, session: Session, call: CallReceived) -> Answer | None:
        """The answer, where it can be given at once; else None, and `next` brings it in its turn."""
        if self._busy or call.action in self._waits or not self.heard.is_set():
            return self._queue(session, call, None)
        try:
            outcome = self._handle(call)
            if type(type(outcome)) is not _MESSAGE and inspect.isawaitable(outcome):
                return self._queue(session, call, outcome)
            return _answer(session, call, outcome)
        except CallError as error:
            return _refusal(session, call, error)
        except OverflowError as error:
            return _refusal(session, call, _beyond(call.action, error))
        except Exception:
            log.exception("%s could not be handled", call.action)
            return _refusal(session, call, _internal_error(call.action))

    def _queue(self, session: Session, call: CallReceived, outcome: Awaitable[Any] | None) -> Answer | None:
        try:
            self._pending.put_nowait(_Pending(call, outcome))
        except asyncio.QueueFull:
            error = CallError(error_codes.GENERIC_ERROR, "too many calls at once")
            return Answer(call.action, session.error(call.message_id, error))
        self._busy = True
        return None

    async def next(self, session: Session) -> Answer:
        """The next answer that could not be given at once; `done` says that it is on its way."""
        call, outcome = await self._pending.get()
        await self.heard.wait()
        try:
            if outcome is None:
                outcome = self._handle(call)
            return _answer(session, call, await outcome if inspect.isawaitable(outcome) else outcome)
        except CallError as error:
            return _refusal(session, call, error)
        except OverflowError as error:
            return _refusal(session, call, _beyond(call.action, error))
        except Exception:
            log.exception("%s could not be handled", call.action)
            return _refusal(session, call, _internal_error(call.action))

    def done(self) -> None:
        """The answer that `next` gave is on its way."""
        self._busy = not self._pending.empty()

    def _handle(self, call: CallReceived) -> Any:
        if not self._may_answer():
            raise CallError(error_codes.SECURITY_ERROR, "the station was rejected and takes no calls")
        handler = self._handlers.get(call.action)
        if handler is None:
            raise CallError(error_codes.NOT_SUPPORTED, f"{call.action} is not supported")
        return handler(call.request)

    def take_send(self, event: SendReceived, spawn: Callable[[Awaitable[None]], None]) -> None:
        """Hand over a message that takes no answer; what its handler wants to wait for is `spawn`ed, within bounds."""
        handler = self._handlers.get(event.action)
        if handler is None:
            log.info("unconfirmed %s ignored: not supported", event.action)
            return
        try:
            outcome = handler(event.request)
        except Exception:
            log.exception("unconfirmed %s could not be handled", event.action)
            return
        if inspect.isawaitable(outcome):
            if self._sends >= MAX_INBOUND_CALLS:
                log.warning("unconfirmed %s given up: %d others are being handled", event.action, self._sends)
                if inspect.iscoroutine(outcome):
                    outcome.close()
                return
            self._sends += 1
            spawn(self._finish(outcome))

    async def _finish(self, outcome: Awaitable[None]) -> None:
        try:
            await outcome
        finally:
            self._sends -= 1


def _answer(session: Session, call: CallReceived, outcome: Any) -> Answer:
    if type(outcome) is Reply:
        return Answer(call.action, session.result(call.message_id, outcome.response), outcome.then)
    return Answer(call.action, session.result(call.message_id, outcome))


def _refusal(session: Session, call: CallReceived, error: CallError) -> Answer:
    return Answer(call.action, session.error(call.message_id, error))


def _beyond(action: str, error: OverflowError) -> CallError:
    """A number that no clock and no storage can hold is the caller's: a schema says "integer" and "date" and no more."""
    log.warning("%s refused: %s", action, error)
    return CallError(
        error_codes.PROPERTY_CONSTRAINT_VIOLATION, f"{action} holds a number beyond what can be kept: {error}"
    )


def _internal_error(action: str) -> CallError:
    return CallError(error_codes.INTERNAL_ERROR, f"{action} could not be handled")
