import asyncio
import contextlib
import os
import socket
from pathlib import Path

import pytest

from ocpp.station.service_manager import ServiceManager


@pytest.fixture
def listener(tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(5)
        yield channel


def environment(listener: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": listener.getsockname(), **more}


async def hear(listener: socket.socket) -> str:
    return (await asyncio.to_thread(listener.recv, 100)).decode()


def drain(listener: socket.socket) -> None:
    """Read what has come in the meantime."""
    listener.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.recv(100)


async def test_it_says_ready_and_then_that_it_lives_twice_in_the_time_allowed(listener) -> None:
    manager = ServiceManager(environment(listener, WATCHDOG_USEC="20000"))
    assert manager.beat_s == 0.01
    async with manager.watching():
        manager.ready()
        manager.ready()
        assert [await hear(listener) for _ in range(4)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]


async def test_it_says_when_it_stops(listener) -> None:
    async with ServiceManager(environment(listener)).watching():
        pass
    assert await hear(listener) == "STOPPING=1"


async def test_a_loop_that_hangs_gives_no_sign_of_life(listener) -> None:
    async with ServiceManager(environment(listener, WATCHDOG_USEC="20000")).watching():
        assert await hear(listener) == "WATCHDOG=1"
        drain(listener)
        listener.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listener.recv(100)  # blocks the loop, as whatever hangs would


def test_a_watchdog_of_another_process_is_not_ours() -> None:
    assert ServiceManager({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid() + 1)}).beat_s == 0


async def test_without_a_service_manager_nothing_happens() -> None:
    async with ServiceManager({}).watching():
        await asyncio.sleep(0)


def test_one_that_is_gone_is_logged_and_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("READY=1")
    assert "cannot be told READY=1" in caplog.text
