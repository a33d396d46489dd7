"""One side of an OCPP-J link, over any number of consecutive connections: calls, answers, time-outs.

Role-neutral: a station and a CSMS use the same class. It opens no socket; `attend` is given a `Link` for as long as
a connection lasts.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec

from ocpp.clock import Clock, Timer
from ocpp.errors import CallError, CallTimeout, NotConnected, NotPermitted, PilotwireError, StorageError
from ocpp.messages import Catalogue
from ocpp.rpc import error_codes
from ocpp.rpc.answering import MAX_INBOUND_CALLS, Answer, Answering, Handler, Reply
from ocpp.rpc.link import Link, Received
from ocpp.rpc.outbox import Outbox
from ocpp.rpc.permission import BOOT_ACTION, BootState
from ocpp.rpc.refusals import MAX_KEPT_BYTES, Refusals
from ocpp.rpc.session import CallAnswered, CallReceived, FrameToSend, SendReceived, Session
from ocpp.rpc.suspects import Suspects
from ocpp.rpc.waiting import MAX_WAITING_CALLS, Outcome, WaitingCall, WaitingCalls
from ocpp.storage.messages import StoredMessage

__all__ = [
    "MAX_INBOUND_CALLS",
    "MAX_WAITING_CALLS",
    "STORAGE_RETRY_S",
    "Endpoint",
    "Handler",
    "Link",
    "Received",
    "Reply",
]

STORAGE_RETRY_S = 5.0
"""How long until a disk that failed is tried again."""

FRAMES_A_TURN = 16
"""Frames that are dealt with one after the other before everybody else has a turn: a few milliseconds."""

_BINARY = "a binary frame: OCPP-J uses text frames"
_BINARY_REFUSED = CallError(error_codes.RPC_FRAMEWORK_ERROR, "OCPP-J uses text frames")

log = logging.getLogger(__name__)


class Endpoint:
    """Calls and answers of one side, whatever connection there is at the moment."""

    def __init__(
        self,
        clock: Clock,
        *,
        message_timeout: Callable[[], float],
        new_id: Callable[[], str],
        on_frame: Callable[[bool, bytes], None] | None = None,
    ) -> None:
        self._clock = clock
        self._message_timeout = message_timeout
        self._new_id = new_id
        self._on_frame = on_frame
        self.sent_at = 0.0
        """Monotonic time at which the newest frame went out."""
        self.refusals = Refusals(clock.monotonic)
        """The frames of the peer that could not be understood."""
        self._answering = Answering(lambda: self.boot_state.answers_calls)
        self.suspects = Suspects(clock.monotonic)
        """Messages with which connections have died; calls by their actions, stored messages by their order."""
        self._waiting = WaitingCalls(self.suspects)
        self._wake = asyncio.Event()
        self._answer: asyncio.Future[CallAnswered] | None = None
        self._session: Session | None = None
        self._link: Link | None = None
        self._first_live_order = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._retry_timer: Timer | None = None
        self._unsettled: Callable[[], None] | None = None
        self.outbox: Outbox | None = None
        self.asked = self.answered = False
        """Whether the peer of this connection, or of the last one, was sent a call of ours, and has answered one."""
        self.queue_all: Callable[[], bool] = lambda: False
        """Whether notifications, too, wait in the outbox while the CSMS cannot be told (OCPPCommCtrlr.QueueAllMessages)."""
        self.boot_state = BootState.UNKNOWN

    # -- what blocks use ------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether a connection is open."""
        return self._session is not None

    @property
    def online(self) -> bool:
        """Whether the CSMS can be asked: connected, and the station accepted."""
        return self._session is not None and self.boot_state is BootState.ACCEPTED

    @property
    def takes_notifications(self) -> bool:
        """Whether it makes sense to notify the CSMS now: it will hear of it, at once or later."""
        return self.online or self.queue_all()

    @property
    def catalogue(self) -> Catalogue | None:
        """The message types of the version spoken; None without a connection."""
        return self._session.catalogue if self._session else None

    def register(self, action: str, handler: Handler) -> None:
        """Let `handler` answer the peer's calls of `action`; ValueError when somebody already does."""
        self._answering.register(action, handler)

    async def call(self, request: msgspec.Struct, *, requested: bool = False, patient: bool = False) -> Any:
        """Send a call and wait for its typed response.

        `requested` marks a message that the CSMS asked for; such may be sent while the boot is pending. A message with
        which connections have died goes last; while it may not go at all, a `patient` caller waits as long as the
        connection lasts, and any other is told so. Raises CallError, CallTimeout, NotConnected, NotPermitted, QueueFull;
        ValueError when the version spoken cannot express the request.
        """
        session = self._session
        if session is None:
            raise NotConnected("there is no connection to the CSMS")
        action = session.catalogue.action_of(request)
        if not self.boot_state.permits(action, requested=requested):
            raise NotPermitted(f"{action} may not be sent while the boot state is {self.boot_state}")
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        order = self.outbox.last_order if self.outbox else 0
        self._waiting.add(WaitingCall(request, action, done, order), patient=patient)
        self._wake.set()
        return await done

    def notify(
        self,
        request: msgspec.Struct,
        *,
        requested: bool = False,
        outcome: Callable[[Outcome], None] = lambda outcome: None,
    ) -> None:
        """Send a call whose response carries nothing; offline it is queued or dropped, as `queue_all` says.

        So is one that a connection took with it, or that stayed without an answer. `outcome` hears what became of it.
        """
        if not self.online and not requested and self._put_by(request):
            outcome(Outcome.QUEUED)
            return
        self.spawn(self._notify(request, requested, outcome))

    async def _notify(self, request: msgspec.Struct, requested: bool, outcome: Callable[[Outcome], None]) -> None:
        try:
            await self.call(request, requested=requested, patient=True)
        except (CallError, ValueError) as error:
            log.info("%s was refused: %s", type(request).__name__, error)
            outcome(Outcome.REFUSED)
        except PilotwireError as error:
            queued = not requested and self._put_by(request)
            log.info("%s was %s: %s", type(request).__name__, "queued" if queued else "not delivered", error)
            outcome(Outcome.QUEUED if queued else Outcome.UNANSWERED)
        else:
            outcome(Outcome.ANSWERED)

    def _put_by(self, request: msgspec.Struct) -> bool:
        """Whether a notification waits in the outbox from now on."""
        if self.outbox is None or not self.queue_all():
            return False
        try:
            return self.outbox.put(request, None, droppable=True)
        except StorageError as error:
            log.error("%s is not queued: %s", type(request).__name__, error)
            return False

    async def send(self, message: msgspec.Struct) -> None:
        """Send an unconfirmed message (2.1 SEND); raises NotConnected, CallError in older versions."""
        if self._session is None or self._link is None:
            raise NotConnected("there is no connection to the CSMS")
        await self._transmit(self._session.send(self._new_id(), message))

    def spawn(self, work: Awaitable[None]) -> None:
        """Run `work` beside everything else; an unexpected exception is logged with its traceback."""
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception:
            log.exception("background work failed")

    def wake(self) -> None:
        """Look at the queues again: the boot state, the outbox or the time has changed."""
        self._wake.set()

    def take_as_backlog(self) -> None:
        """What is in the outbox by now tells of the time before this connection: calls need not wait for it."""
        if self.outbox is not None:
            self._first_live_order = self.outbox.last_order

    async def close(self) -> None:
        """Cancel what still runs in the background."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- one connection -------------------------------------------------------------------------------------------

    async def attend(self, link: Link, catalogue: Catalogue, started: Callable[[], None] = lambda: None) -> None:
        """Serve `link` until it breaks; returns then, with every waiting call failed with NotConnected.

        `started` is called once calls can be sent.
        """
        self._session, self._link = Session(catalogue), link
        self.asked = self.answered = False
        self._answering.begin()
        if self.outbox is not None:
            self.take_as_backlog()
            self.outbox.retry_now()
        workers = [
            asyncio.ensure_future(work)
            for work in (
                self._receive_frames(link, self._session),
                self._send_calls(),
                self._answer_calls(self._session),
            )
        ]
        self._wake.set()
        try:
            started()
            finished, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
            for worker in finished:
                worker.result()
        except ConnectionError as closed:
            log.info("%s", closed)
        except Exception:
            log.exception("the connection is given up after an unexpected error")
        finally:
            self._session = self._link = None
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            self._answering.end()
            self._fail_waiting()
            self.suspects.ended()

    async def _receive_frames(self, link: Link, session: Session) -> None:
        """Whatever a frame brings about goes out before the next one is read: whoever sends without reading what we say is
        not read any further once it piles up. Others have their turn in between, however much there is to read.
        """
        read = 0
        while True:
            answer = self._receive(await link.receive(), session)
            if answer is not None:
                await self._send_answer(answer)
            read += 1
            if read % FRAMES_A_TURN == 0:
                await asyncio.sleep(0)

    def _fail_waiting(self) -> None:
        if self._retry_timer is not None:
            self._retry_timer.cancel()
        if self._answer is not None and not self._answer.done():
            self._answer.cancel()
        self._answer = None
        self._waiting.fail("the connection broke before the call was answered")
        try:
            if self.outbox is not None and len(self.outbox):
                self.outbox.mark_offline()
        except StorageError as error:
            log.error("that the queued messages were made offline is not noted: %s", error)

    def _receive(self, received: Received, session: Session) -> Answer | None:
        """What a frame of the peer is answered with, where that is known at once."""
        if not received.text:
            return self._refused(received.data, session, _BINARY, session.error("-1", _BINARY_REFUSED))
        event = session.receive(received.data)
        if session.refusal is not None:
            frame = event.frame if isinstance(event, FrameToSend) else None
            return self._refused(received.data, session, session.refusal, frame)
        if self._on_frame is not None:
            self._on_frame(False, received.data)
        if isinstance(event, CallReceived):
            return self._answering.take(session, event)
        if isinstance(event, CallAnswered):
            self.answered = True
            if self._answer is not None and not self._answer.done():
                self._answering.heard.clear()
                self._answer.set_result(event)
            return Answer("an answer", event.reply) if event.reply is not None else None
        if isinstance(event, SendReceived):
            self._answering.take_send(event, self.spawn)
        return None

    def _refused(self, data: bytes, session: Session, why: str, frame: bytes | None) -> Answer | None:
        """A frame that cannot be understood, answered with `frame`; the history holds only so much of such ones."""
        session.refusal = None
        told = self.refusals.note(why)
        if told and self._on_frame is not None:
            self._on_frame(False, data[:MAX_KEPT_BYTES])
        return Answer("a frame", frame, told=told) if frame is not None else None

    async def _transmit(self, frame: bytes) -> None:
        await self._way_out(frame).send(frame)

    def _way_out(self, frame: bytes, *, told: bool = True) -> Link:
        """Where a frame goes out now; NotConnected without a connection. Not `told`, the history does not hold it."""
        if self._link is None:
            raise NotConnected("the connection is gone")
        if told and self._on_frame is not None:
            self._on_frame(True, frame)
        self.sent_at = self._clock.monotonic()
        return self._link

    async def _answer_calls(self, session: Session) -> None:
        while True:
            await self._send_answer(await self._answering.next(session))
            self._answering.done()

    async def _send_answer(self, answer: Answer) -> None:
        try:
            await self._way_out(answer.frame, told=answer.told).send(answer.frame)
        except ConnectionError:
            log.warning("the answer to %s could not be sent: the connection is gone", answer.action)
        if answer.then is not None:
            outcome = answer.then()
            if outcome is not None:
                self.spawn(outcome)

    # -- our calls ------------------------------------------------------------------------------------------------

    async def _send_calls(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            # Before it is looked whether a message is due: one that becomes due in between is not slept over.
            self._wait_for_retry()
            while await self._send_next():
                # Behind the step in which the one who waited for the answer takes note of it.
                loop.call_soon(self._answering.heard.set)
                self._wait_for_retry()

    def _wait_for_retry(self) -> None:
        waits = self._waiting.waits
        if self.outbox is not None and self.boot_state is BootState.ACCEPTED:
            stored = self.outbox.retry_in
            waits += [stored] if stored is not None else []
        if waits:
            wait = min(waits)
            if self._retry_timer is not None:
                self._retry_timer.cancel()
            self._retry_timer = self._clock.call_later(wait, self._wake.set)

    async def _send_next(self) -> bool:
        stored = self._due_message() if self._settle() else None
        first = self._waiting.first()
        if first is not None and (stored is None or not self._precedes(stored[0], first)):
            await self._send_waiting(self._waiting.take_first())
            return True
        if stored is not None:
            await self._send_stored(*stored)
            return True
        last = self._waiting.take_last()
        if last is not None:
            await self._send_waiting(last)
        return last is not None

    def _due_message(self) -> tuple[StoredMessage, Any] | None:
        if self.outbox is None or self.boot_state is not BootState.ACCEPTED or not self.outbox.due():
            return None
        try:
            return self.outbox.head()
        except StorageError as error:
            log.error("the queue cannot be read; again in %.0f s: %s", STORAGE_RETRY_S, error)
            self._clock.call_later(STORAGE_RETRY_S, self._wake.set)
            return None

    def _precedes(self, stored: StoredMessage, waiting: WaitingCall) -> bool:
        """Messages of this connection keep their order; a backlog never delays a call (1.6 section 3.7), unless
        everything is queued: then what is said now must not overtake what was said before.
        """
        if self.outbox is not None and self.outbox.is_held(stored):
            return False
        backlog = stored.order <= self._first_live_order
        return stored.order <= waiting.after_order and (not backlog or self.queue_all())

    async def _send_waiting(self, waiting: WaitingCall) -> None:
        try:
            answered = await self._exchange(waiting.request)
        except (PilotwireError, ValueError) as error:
            waiting.fail(error)
        except ConnectionError as error:
            waiting.fail(NotConnected(str(error)))
            raise
        except asyncio.CancelledError:
            waiting.fail(NotConnected("the connection broke before the call was answered"))
            if waiting.action != BOOT_ACTION:  # which goes first in any case
                self.suspects.died(waiting.action, waiting.action)
            raise
        else:
            self.suspects.answered(waiting.action)
            waiting.take(answered)

    async def _send_stored(self, stored: StoredMessage, request: Any) -> None:
        outbox = self.outbox
        assert outbox is not None
        try:
            answered = await self._exchange(request)
        except CallTimeout:
            self._settle(partial(outbox.failed, stored, request, None))
            return
        except asyncio.CancelledError:
            outbox.broke(stored)
            raise
        except ValueError as error:
            self._settle(partial(outbox.failed, stored, request, CallError(error_codes.FORMAT_VIOLATION, str(error))))
            return
        if answered.error is not None and not answered.damaged:
            self._settle(partial(outbox.failed, stored, request, answered.error))
        else:
            self._settle(partial(outbox.delivered, stored, request, answered.response))

    def _settle(self, outcome: Callable[[], None] | None = None) -> bool:
        """Note what became of a stored message. False while the disk does not take it: until then no stored message
        is sent, for the same one would go out again.
        """
        self._unsettled = outcome or self._unsettled
        if self._unsettled is None:
            return True
        try:
            self._unsettled()
        except StorageError as error:
            log.error("the answer of the CSMS cannot be noted; again in %.0f s: %s", STORAGE_RETRY_S, error)
            self._clock.call_later(STORAGE_RETRY_S, self._wake.set)
            return False
        self._unsettled = None
        return True

    async def _exchange(self, request: msgspec.Struct) -> CallAnswered:
        session = self._session
        if session is None:
            raise NotConnected("the connection is gone")
        answer: asyncio.Future[CallAnswered] = asyncio.get_running_loop().create_future()
        self._answer = answer
        frame = session.call(self._new_id(), request)
        self.asked = True
        timeout = self._message_timeout()

        def expire() -> None:
            if not answer.done():
                answer.set_exception(CallTimeout(f"no answer to {type(request).__name__} within {timeout:g} s"))

        timer = self._clock.call_later(timeout, expire)
        try:
            await self._transmit(frame)
            return await answer
        finally:
            timer.cancel()
            session.abandon()
            self._answer = None
