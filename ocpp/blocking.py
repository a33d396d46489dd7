"""Work that blocks, each piece in a thread of its own that does not keep the program from ending.

asyncio's own threads do: the interpreter waits for them, however long a name server or a peer takes. These are daemons,
and nobody waits for one whose work was given up.
"""

import asyncio
import contextlib
import errno
import threading
from collections.abc import Callable
from typing import TypeVar

MAX_THREADS = 8
"""Pieces of work at a time, those included that were given up and still hang: one transfer of each kind, what checks it,
and some that a name server keeps."""

T = TypeVar("T")


class _Worker(threading.Thread):
    """One piece of work."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(target=work, name="pilotwire-blocking", daemon=True)


def start(work: Callable[[], T]) -> "asyncio.Future[T]":
    """Begin `work` in a thread; what it gives or raises arrives in the future, unless that is done before.

    Raises OSError (EAGAIN) when `MAX_THREADS` are at work already.
    """
    if sum(isinstance(each, _Worker) for each in threading.enumerate()) >= MAX_THREADS:
        raise BlockingIOError(errno.EAGAIN, f"{MAX_THREADS} pieces of blocking work are under way already")
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def succeed(result: T) -> None:
        if not outcome.done():
            outcome.set_result(result)

    def fail(error: BaseException) -> None:
        if not outcome.done():
            outcome.set_exception(error)

    def carry_out() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            tell(fail, error)
        else:
            tell(succeed, result)

    def tell(settle: Callable[..., None], what: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(settle, what)

    _Worker(carry_out).start()
    return outcome


async def in_thread(work: Callable[[], T]) -> T:
    """Wait for `start`; a caller that is cancelled waits no longer, and the thread ends when its work does."""
    return await start(work)
