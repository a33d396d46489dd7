"""A thread of its own for every slow bus, so that nothing ever waits for one."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from hal.priority import urgent

MAX_JOBS = 64
"""One-shot jobs that may wait for the bus; parts replace their older wishes, so that this is never near."""

log = logging.getLogger(__name__)


class BusThread:
    """Runs periodic and one-shot jobs of the parts on one bus, one at a time.

    A job that raises is logged, once in a row, and runs again when it is due: parts report their own failures.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._periodic: list[_Periodic] = []
        self._jobs: deque[Callable[[], object]] = deque(maxlen=MAX_JOBS)
        self._wake = threading.Event()
        self._stopping = False
        self._failed: set[object] = set()
        self.urgent = False
        """Whether something on the bus decides about safety: the thread gets real-time priority, if set before `start`."""
        self._thread = threading.Thread(target=self._run, name=f"bus {name}", daemon=True)

    def every(self, interval_s: float, job: Callable[[], object]) -> None:
        """Run `job` again and again, `interval_s` after it began; register before `start`."""
        self._periodic.append(_Periodic(interval_s, job))

    def soon(self, job: Callable[[], object]) -> None:
        """Run `job` once, as soon as the bus is free; from any thread."""
        self._jobs.append(job)
        self._wake.set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the job going on; returns when the thread has ended, or after a second in which it has not."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def _run(self) -> None:
        if self.urgent:
            urgent()
        while not self._stopping:
            while self._jobs:
                self._do(self._jobs.popleft())
            now = time.monotonic()
            due = now + 1.0
            for each in self._periodic:
                if each.due <= now:
                    each.due = max(each.due + each.interval_s, now)
                    self._do(each.job)
                due = min(due, each.due)
            wait = due - time.monotonic()
            if wait > 0 and not self._jobs:
                self._wake.wait(wait)
            self._wake.clear()

    def _do(self, job: Callable[[], object]) -> None:
        try:
            job()
        except Exception as error:  # noqa: BLE001 - the bus serves others too
            if job not in self._failed:
                self._failed.add(job)
                log.error("%s: %s", self.name, error)
        else:
            self._failed.discard(job)


class _Periodic:
    def __init__(self, interval_s: float, job: Callable[[], object]) -> None:
        self.interval_s = interval_s
        self.job = job
        self.due = 0.0
