"""Whole stations for benchmarks: on a fake link, with the database in memory-backed files, and a CSMS that forgets."""

import asyncio
import tempfile
from pathlib import Path

from support.csms import ScriptedCsms
from support.station import StationUnderTest

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
    """Sends one frame after the other to a started station and waits for each answer."""

    def __init__(self, made: StationUnderTest) -> None:
        self._link = made.csms.link
        self._answered = asyncio.Event()
        self.answer = b""
        self._link.send = self._take

    async def _take(self, frame: bytes) -> None:
        self.answer = frame
        self._answered.set()

    async def run(self, frames: list[bytes]) -> None:
        """Every frame once."""
        feed, answered = self._link.feed, self._answered
        for frame in frames:
            answered.clear()
            feed(frame)
            await answered.wait()
