"""Calls and answers over consecutive connections: one in flight, time-outs, order, bounds."""

import asyncio
import json

import pytest
from support.links import FakeLink

from ocpp.clock import ManualClock
from ocpp.errors import CallError, CallTimeout, NotConnected, NotPermitted, QueueFull
from ocpp.messages import catalogue, v2
from ocpp.rpc.endpoint import MAX_INBOUND_CALLS, MAX_WAITING_CALLS, Endpoint, Reply
from ocpp.rpc.permission import BootState
from ocpp.versions import OcppVersion

CLEARED = v2.ClearCacheResponse(status=v2.ClearCacheStatusEnum("Accepted"))


class Side:
    """An endpoint with a link in the test's hands."""

    def __init__(self, version: OcppVersion = OcppVersion.V201) -> None:
        self.clock = ManualClock()
        self.version = version
        self.ids = 0
        self.endpoint = Endpoint(self.clock, message_timeout=lambda: 30.0, new_id=self._new_id)
        self.endpoint.boot_state = BootState.ACCEPTED
        self.link: FakeLink | None = None
        self.task: asyncio.Task[None] | None = None

    def _new_id(self) -> str:
        self.ids += 1
        return str(self.ids)

    async def connect(self) -> FakeLink:
        self.link = FakeLink(self.version)
        self.task = asyncio.ensure_future(self.endpoint.attend(self.link, catalogue(self.version)))
        await self.clock.settle()
        return self.link

    async def call(self, request=None, **more) -> asyncio.Future:
        future = asyncio.ensure_future(self.endpoint.call(request or v2.HeartbeatRequest(), **more))
        await self.clock.settle()
        return future

    @property
    def sent(self) -> list[list]:
        assert self.link is not None
        return [json.loads(frame) for frame in self.link.sent]

    async def feed(self, *message) -> None:
        assert self.link is not None
        self.link.feed(json.dumps(message))
        await self.clock.settle()

    async def answer(self, message_id: str) -> None:
        await self.feed(3, message_id, {"currentTime": "2026-01-01T00:00:00Z"})

    async def close(self) -> None:
        if self.link is not None:
            self.link.abort()
        if self.task is not None:
            await asyncio.gather(self.task, return_exceptions=True)
        await self.endpoint.close()


@pytest.fixture
async def side():
    side = Side()
    yield side
    await side.close()


async def test_without_a_connection_a_call_fails_at_once(side):
    with pytest.raises(NotConnected):
        await side.endpoint.call(v2.HeartbeatRequest())


@pytest.mark.req("FR.01")
async def test_one_call_is_in_flight_and_the_others_wait_in_order(side):
    await side.connect()
    first = await side.call()
    second = await side.call(v2.NotifyReportRequest(request_id=1, generated_at=side.clock.now(), seq_no=0))
    third = await side.call()
    assert [message[2] for message in side.sent] == ["Heartbeat"]
    await side.answer("1")
    assert [message[2] for message in side.sent] == ["Heartbeat", "NotifyReport"]
    await side.feed(3, "2", {})
    await side.answer("3")
    assert all(future.done() and future.exception() is None for future in (first, second, third))


async def test_a_call_without_an_answer_times_out_and_the_next_one_goes_out(side):
    await side.connect()
    first, second = await side.call(), await side.call()
    await side.clock.advance(29.9)
    assert not first.done()
    await side.clock.advance(0.2)
    assert isinstance(first.exception(), CallTimeout)
    assert len(side.sent) == 2
    await side.answer("1")
    assert not second.done()
    await side.answer("2")
    assert second.done()


async def test_a_connection_that_breaks_fails_every_waiting_call(side):
    link = await side.connect()
    waiting = [await side.call() for _ in range(3)]
    link.drop()
    await side.clock.settle()
    assert all(isinstance(future.exception(), NotConnected) for future in waiting)
    await side.connect()
    again = await side.call()
    assert side.sent[-1][0] == 2
    await side.answer(side.sent[-1][1])
    assert again.exception() is None


async def test_an_error_of_the_peer_is_raised_at_the_caller(side):
    await side.connect()
    future = await side.call()
    await side.feed(4, "1", "InternalError", "x", {})
    assert isinstance(future.exception(), CallError)


async def test_calls_that_wait_are_bounded(side):
    await side.connect()
    futures = [await side.call() for _ in range(MAX_WAITING_CALLS + 1)]
    with pytest.raises(QueueFull):
        await side.endpoint.call(v2.HeartbeatRequest())
    for future in futures:
        future.cancel()


async def test_a_caller_who_gives_up_does_not_block_the_others(side):
    await side.connect()
    first, second, third = await side.call(), await side.call(), await side.call()
    second.cancel()
    await side.answer("1")
    await side.answer("2")
    assert (first.exception(), third.exception()) == (None, None)
    assert len(side.sent) == 2


STATES = {
    BootState.UNKNOWN: ("BootNotification",),
    BootState.REJECTED: ("BootNotification",),
    BootState.PENDING: ("BootNotification",),
    BootState.ACCEPTED: ("BootNotification", "Heartbeat"),
}


@pytest.mark.req("B02.FR.02", "B03.FR.02")
@pytest.mark.parametrize("state", list(BootState), ids=str)
async def test_what_may_be_said_before_the_csms_has_accepted(side, state):
    await side.connect()
    side.endpoint.boot_state = state
    if "Heartbeat" in STATES[state]:
        assert not (await side.call()).done()
    else:
        with pytest.raises(NotPermitted):
            await side.endpoint.call(v2.HeartbeatRequest())
    assert state.permits("BootNotification", requested=False)


@pytest.mark.req("B02.FR.02")
async def test_while_pending_what_the_csms_asked_for_may_be_said(side):
    await side.connect()
    side.endpoint.boot_state = BootState.PENDING
    assert not (await side.call(requested=True)).done()
    side.endpoint.boot_state = BootState.REJECTED
    with pytest.raises(NotPermitted):
        await side.endpoint.call(v2.HeartbeatRequest(), requested=True)


# -- calls of the peer ------------------------------------------------------------------------------------------------


@pytest.mark.req("B03.FR.08")
async def test_a_rejected_station_answers_with_security_error(side):
    await side.connect()
    side.endpoint.register("ClearCache", lambda request: v2.ClearCacheResponse(status="Accepted"))
    side.endpoint.boot_state = BootState.REJECTED
    await side.feed(2, "a", "ClearCache", {})
    assert side.sent[-1][:3] == [4, "a", "SecurityError"]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_handler_answers_and_then_does_what_it_promised(side, asynchronous):
    done = []

    def then() -> None:
        done.append(len(side.sent))

    def handle(request):
        return Reply(v2.ClearCacheResponse(status="Accepted"), then)

    async def handle_later(request):
        await asyncio.sleep(0)
        return handle(request)

    side.endpoint.register("ClearCache", handle_later if asynchronous else handle)
    await side.connect()
    await side.feed(2, "a", "ClearCache", {})
    assert side.sent == [[3, "a", {"status": "Accepted"}]]
    assert done == [1]


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (CallError("PropertyConstraintViolation", "no"), "PropertyConstraintViolation"),
        (KeyError("x"), "InternalError"),
    ],
)
async def test_a_handler_that_raises_is_answered_and_the_connection_goes_on(side, raised, code):
    def handle(request):
        raise raised

    side.endpoint.register("ClearCache", handle)
    await side.connect()
    await side.feed(2, "a", "ClearCache", {})
    assert side.sent[-1][:3] == [4, "a", code]
    await side.feed(2, "b", "ClearCache", {})
    assert side.sent[-1][1] == "b"


async def test_an_action_nobody_handles_is_not_supported(side):
    await side.connect()
    await side.feed(2, "a", "ClearCache", {})
    assert side.sent[-1][:3] == [4, "a", "NotSupported"]


async def test_two_handlers_for_one_action_are_a_mistake(side):
    side.endpoint.register("ClearCache", lambda request: None)
    with pytest.raises(ValueError, match="already has a handler"):
        side.endpoint.register("ClearCache", lambda request: None)


async def test_a_peer_that_does_not_wait_is_bounded(side):
    gate = asyncio.Event()

    async def handle(request):
        await gate.wait()
        return v2.ClearCacheResponse(status="Accepted")

    side.endpoint.register("ClearCache", handle)
    await side.connect()
    assert side.link is not None
    for number in range(MAX_INBOUND_CALLS + 5):
        side.link.feed(json.dumps([2, str(number), "ClearCache", {}]))
    await side.clock.settle(200)
    refused = [message for message in side.sent if message[0] == 4]
    assert 3 <= len(refused) <= 5
    assert all(message[2] == "GenericError" for message in refused)
    gate.set()
    await side.clock.settle(400)
    assert len([message for message in side.sent if message[0] == 3]) == MAX_INBOUND_CALLS + 5 - len(refused)


async def test_answers_keep_the_order_of_the_calls_whoever_has_to_wait(side):
    gate, order = asyncio.Event(), []

    async def wait(request):
        order.append("begun")
        await gate.wait()
        return v2.ClearCacheResponse(status="Accepted")

    side.endpoint.register("ClearCache", lambda request: wait(request))
    side.endpoint.register("GetLocalListVersion", lambda request: v2.GetLocalListVersionResponse(version_number=1))
    link = await side.connect()
    await side.feed(2, "at once", "GetLocalListVersion", {})
    assert [message[1] for message in side.sent] == ["at once"]
    link.feed(json.dumps([2, "waits", "ClearCache", {}]))
    link.feed(json.dumps([2, "behind", "GetLocalListVersion", {}]))
    await side.clock.settle(50)
    assert [message[1] for message in side.sent] == ["at once"]
    assert order == ["begun"]
    gate.set()
    await side.clock.settle(50)
    assert [message[1] for message in side.sent] == ["at once", "waits", "behind"]
    await side.feed(2, "again", "GetLocalListVersion", {})
    assert side.sent[-1][1] == "again"


async def test_what_was_asked_over_a_broken_connection_is_not_answered_over_the_next(side, recwarn):
    gate = asyncio.Event()

    async def wait(request):
        await gate.wait()
        return v2.ClearCacheResponse(status="Accepted")

    side.endpoint.register("ClearCache", wait)
    side.endpoint.register("GetLocalListVersion", lambda request: v2.GetLocalListVersionResponse(version_number=1))
    link = await side.connect()
    for number in range(3):
        link.feed(json.dumps([2, f"old {number}", "ClearCache", {}]))
    await side.clock.settle(50)
    link.drop()
    await side.clock.settle(50)
    gate.set()
    await side.connect()
    await side.feed(2, "new", "GetLocalListVersion", {})
    assert [message[1] for message in side.sent] == ["new"]
    assert not recwarn.list


async def test_a_binary_frame_is_answered_and_the_connection_goes_on(side):
    link = await side.connect()
    link.feed(b'[2,"1","ClearCache",{}]', text=False)
    await side.clock.settle()
    assert side.sent[-1][:3] == [4, "-1", "RpcFrameworkError"]
    await side.feed(2, "a", "ClearCache", {})
    assert side.sent[-1][1] == "a"


async def test_a_notification_that_cannot_be_delivered_is_dropped_quietly(side):
    side.endpoint.notify(v2.HeartbeatRequest())
    await side.clock.settle()
    assert not side.endpoint.connected


async def test_2_1_sends_unconfirmed_messages_and_older_ones_do_not():
    request = v2.NotifyPeriodicEventStreamRequest if hasattr(v2, "NotifyPeriodicEventStreamRequest") else None
    side = Side(OcppVersion.V21)
    try:
        with pytest.raises(NotConnected):
            await side.endpoint.send(v2.HeartbeatRequest())
        await side.connect()
        message = (request or v2.NotifyPeriodicEventStream)(
            id=1, pending=0, basetime=side.clock.now(), data=[v2.StreamDataElement(t=0, v="1")]
        )
        await side.endpoint.send(message)
        assert side.sent[-1][0] == 6
    finally:
        await side.close()


async def test_what_the_peer_calls_after_its_answer_finds_that_noted(side):
    noted, found = [], []

    async def ask():
        noted.append(await side.endpoint.call(v2.HeartbeatRequest()))

    side.endpoint.register("ClearCache", lambda request: found.append(len(noted)) or CLEARED)
    link = await side.connect()
    asking = asyncio.ensure_future(ask())
    await side.clock.settle()
    link.feed(json.dumps([3, "1", {"currentTime": "2026-01-01T00:00:00Z"}]))
    link.feed(json.dumps([2, "peer-1", "ClearCache", {}]))
    await side.clock.settle()
    await asking
    assert found == [1]


async def test_an_answer_nobody_waits_for_any_more_holds_up_nothing(side):
    side.endpoint.register("ClearCache", lambda request: CLEARED)
    link = await side.connect()
    asking = await side.call()
    asking.cancel()
    link.feed(json.dumps([3, "1", {"currentTime": "2026-01-01T00:00:00Z"}]))
    link.feed(json.dumps([2, "peer-1", "ClearCache", {}]))
    await side.clock.settle()
    assert side.sent[-1] == [3, "peer-1", {"status": "Accepted"}]
