"""Peers that flood, that do not read, or both, over real sockets: bounded memory, and no time of others."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import pytest
from support.memory import resident_kib
from websockets.asyncio.server import serve

from ocpp.clock import SystemClock
from ocpp.connectivity import NetworkProfile, flow, websocket
from ocpp.messages import catalogue
from ocpp.rpc.endpoint import Endpoint
from ocpp.rpc.permission import BootState
from ocpp.rpc.refusals import MAX_KEPT_BYTES, MAX_REFUSED_A_MINUTE, MAX_TOLD_A_MINUTE
from ocpp.versions import OcppVersion

EMPTY, PING, MORE = b"\x81\x00", b"\x89\x00", b"\x00\x00"
MIB = 1024 * 1024
LONGEST_TURN_S = 1.0
"""A machine under load may be slow; without bounds a turn takes many times as long."""


@asynccontextmanager
async def connected(behave, **options):
    """A link to a server that behaves in that way, with its side of the connection."""
    ended = asyncio.Event()

    async def handle(connection):
        await behave(connection)
        await ended.wait()

    options = {"compression": None, "max_size": None, "ping_interval": None, **options}
    async with serve(handle, "127.0.0.1", 0, subprotocols=["ocpp2.0.1"], **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        profile = NetworkProfile(slot=1, url=f"ws://127.0.0.1:{port}", version=OcppVersion.V201, security_profile=0)
        link = await websocket.open_link(profile, "CS001", (OcppVersion.V201,))
        try:
            yield link
        finally:
            ended.set()
            link.abort()
            for connection in server.connections:
                connection.transport.abort()


async def pour(connection, data: bytes, *, reads: bool = True) -> None:
    """Write, as fast as it is taken."""
    if not reads:
        connection.transport.pause_reading()
    connection.transport.write(data)


class Turns:
    """How long others wait for their turn, at most."""

    async def __aenter__(self):
        self.longest = 0.0
        self._task = asyncio.ensure_future(self._watch())
        return self

    async def _watch(self):
        while True:
            before = time.monotonic()
            await asyncio.sleep(0)
            self.longest = max(self.longest, time.monotonic() - before)

    async def __aexit__(self, *exc):
        self._task.cancel()


def endpoint(frames: list | None = None) -> Endpoint:
    made = Endpoint(
        SystemClock(),
        message_timeout=lambda: 30.0,
        new_id=lambda: "1",
        on_frame=(lambda sent, frame: frames.append((sent, frame))) if frames is not None else None,
    )
    made.boot_state = BootState.ACCEPTED
    return made


async def attend(station: Endpoint, link) -> None:
    async with asyncio.timeout(60):
        await station.attend(link, catalogue(OcppVersion.V201))


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize("frame", [EMPTY, b"\x82\x01x", b"\x81\x03[2,", b'\x81\x0b[3,"x",{}] '])
async def test_a_flood_of_refused_frames_closes_the_connection_and_washes_nothing_away(frame, reads, caplog):
    frames: list = []
    station = endpoint(frames)
    before = resident_kib()
    async with connected(lambda connection: pour(connection, frame * (3 * MIB // len(frame)), reads=reads)) as link:
        async with Turns() as turns:
            await attend(station, link)
        assert resident_kib() - before < 40 * 1024
    assert station.refusals.closed == 1
    assert station.refusals.total == MAX_REFUSED_A_MINUTE + 1
    assert turns.longest < LONGEST_TURN_S
    assert len([1 for sent, _ in frames if not sent]) == MAX_TOLD_A_MINUTE
    assert len(frames) <= 2 * MAX_TOLD_A_MINUTE
    assert len([record for record in caplog.records if record.levelname != "DEBUG"]) < 2 * MAX_TOLD_A_MINUTE


async def test_of_a_large_refused_frame_the_history_holds_the_beginning():
    frames: list = []
    station = endpoint(frames)

    async def behave(connection):
        await connection.send("x" * 500_000)
        await connection.close()

    async with connected(behave) as link:
        await attend(station, link)
    assert [len(frame) for sent, frame in frames if not sent] == [MAX_KEPT_BYTES]


async def test_pings_of_a_peer_that_does_not_read_are_not_answered_for_ever():
    async with connected(lambda connection: pour(connection, PING * MIB, reads=False)) as link:
        transport = link._connection.transport
        async with Turns() as turns:
            for _ in range(300):
                await asyncio.sleep(0.005)
                assert transport.get_write_buffer_size() <= flow.MAX_UNSENT_BYTES + 4 * flow.SLICE_BYTES
        assert transport.get_write_buffer_size() > 0
        assert turns.longest < LONGEST_TURN_S


async def test_what_is_not_read_waits_outside_counted_in_bytes():
    async def behave(connection):
        for _ in range(200):
            await connection.send("0" * (MIB - 1))

    before = resident_kib()
    async with connected(lambda connection: _in_background(behave(connection)), compression="deflate") as link:
        for _ in range(100):
            await asyncio.sleep(0.01)
        assert link._connection._queued_bytes <= flow.MAX_QUEUED_BYTES + 5 * MIB
        assert resident_kib() - before < 60 * 1024
        for _ in range(200):
            assert len((await link.receive()).data) == MIB - 1
        assert link._connection._queued_bytes == 0


_background: set[asyncio.Task] = set()


async def _in_background(work) -> None:
    task = asyncio.ensure_future(work)
    _background.add(task)
    task.add_done_callback(lambda done: (_background.discard(done), done.cancelled() or done.exception()))


async def test_a_message_of_endless_fragments_ends_the_connection():
    async with connected(lambda connection: pour(connection, b"\x01\x00" + MORE * MIB)) as link:
        async with asyncio.timeout(30):
            with pytest.raises(ConnectionError):
                await link.receive()


@pytest.mark.parametrize("compression", ["deflate", None])
@pytest.mark.parametrize("size", [0, 1, flow.SLICE_BYTES - 4, flow.SLICE_BYTES, 70_000, MIB])
async def test_messages_of_every_size_come_whole_and_in_order(size, compression):
    sent = [bytes([65 + number % 26]) * size for number in range(40 if size < MIB else 6)]

    async def behave(connection):
        for each in sent:
            await connection.send(each, text=True)

    async with connected(lambda connection: _in_background(behave(connection)), compression=compression) as link:
        async with asyncio.timeout(30):
            assert [(await link.receive()).data for _ in sent] == sent


async def test_what_was_sent_before_the_end_is_heard_before_the_end():
    sent = [json.dumps([2, str(number), "ClearCache", {}]) for number in range(300)]

    async def behave(connection):
        for each in sent:
            await connection.send(each)
        await connection.close()

    heard = []
    async with connected(behave) as link:
        async with asyncio.timeout(30):
            for _ in sent:
                heard.append((await link.receive()).data.decode())
            with pytest.raises(ConnectionError, match="code 1000"):
                await link.receive()
    assert heard == sent


async def test_calls_that_keep_their_schema_are_no_flood():
    station = endpoint()
    station.register("ClearCache", lambda request: catalogue(OcppVersion.V201).response_type("ClearCache")("Accepted"))
    answers = []

    async def behave(connection):
        for number in range(2 * MAX_REFUSED_A_MINUTE):
            await connection.send(f'[2,"{number}","ClearCache",null]')
            answers.append(json.loads(await connection.recv())[0])
        await connection.close()

    async with connected(behave) as link:
        await attend(station, link)
    assert station.refusals.total == 0
    assert len(answers) == 2 * MAX_REFUSED_A_MINUTE
