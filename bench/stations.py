"""Whole stations for benchmarks: on a fake link, with the database in memory-backed files, and a CSMS that forgets."""

import asyncio
import tempfile
from collections import deque
from pathlib import Path

from support.csms import ScriptedCsms
from support.station import StationUnderTest

from ocpp.rpc.endpoint import Received
from ocpp.versions import OcppVersion

IN_MEMORY = Path("/dev/shm")
"""Where files cost no disk; elsewhere than on Linux they do."""

KEPT = 64
"""Frames that the far end remembers; with all of them, it would be its memory that is measured."""


class ForgetfulCsms(ScriptedCsms):
    """Answers like `ScriptedCsms`, counts its calls by action and remembers only the newest."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    async def _receive(self, frame: bytes) -> None:
        await super()._receive(frame)
        self.total += 1
        if len(self.frames) > KEPT:
            del self.frames[:-KEPT], self.calls[:-KEPT]
            self.results.clear()


def folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for a database that costs no disk, where the machine has such a place."""
    return tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None)


def station(path: Path, version: OcppVersion = OcppVersion.V201, **more) -> StationUnderTest:
    """A station that is not started yet, its CSMS forgetful."""
    made = StationUnderTest(path, version, **more)
    csms = ForgetfulCsms()
    csms.now = made.csms.now
    made.csms = csms
    return made


class CallLoop:
    """Calls a started station and waits for its answers."""

    def __init__(self, made: StationUnderTest) -> None:
        self._link = made.csms.link
        self._answered = asyncio.Event()
        self._missing = 0
        self._following: deque[Received] = deque()
        self._wait = self._link.receive
        self.answer = b""
        self._link.send = self._take
        self._link.receive = self._receive

    async def _take(self, frame: bytes) -> None:
        self.answer = frame
        self._missing -= 1
        if not self._missing:
            self._answered.set()

    async def _receive(self) -> Received:
        return self._following.popleft() if self._following else await self._wait()

    async def run(self, frames: list[bytes]) -> None:
        """Every frame once, all of them there already: what the loop and a socket take to bring them is not measured."""
        self._following.extend(Received(frame, True) for frame in frames[1:])
        await self._run(len(frames), frames[0])

    async def run_one_by_one(self, frames: list[bytes]) -> None:
        """Every frame once, each with the turns of the loop that wake the station and, with the answer, its caller."""
        for frame in frames:
            await self._run(1, frame)

    async def _run(self, answers: int, first: bytes) -> None:
        self._missing = answers
        self._answered.clear()
        self._link.feed(first)
        await self._answered.wait()
