"""A residual current monitor behind a trip signal and a test signal, wherever those come from."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from hal.clock import Clock
from hal.errors import HardwareError
from hal.self_test import Phase, SelfTest

STEP_S = 0.01
"""How often `step` is to be called."""

RETRY_S = 60.0
"""From a test that failed to the next one."""

log = logging.getLogger(__name__)


class Signal(Protocol):
    """A level that is read at once; raises BusError when it is not known."""

    def read(self) -> bool:
        """The level now."""


class Command(Protocol):
    """A level that is driven at once."""

    def write(self, level: bool) -> None:
        """Drive it; raises BusError."""


class Monitor:
    """See `hal.interfaces.ResidualCurrentMonitor`. Tested at the start, when an EV is plugged in, and every `interval_s`, but
    only while no current flows; closing waits for it.

    A trip holds until no EV is there and a test has been good. The safety loop reads the trip signal itself.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        *,
        trip: Signal,
        test: Command,
        fault: Signal | None,
        response_s: float,
        recovery_s: float,
        interval_s: float,
    ) -> None:
        self.name = name
        self._clock = clock
        self._trip, self._output, self._fault = trip, test, fault
        self._response_s, self._recovery_s, self._interval_s = response_s, recovery_s, interval_s
        self.idle: Callable[[], bool] = lambda: True
        """Whether no current flows that it watches over."""
        self.gone: Callable[[], bool] = lambda: True
        """Whether no EV is there."""
        self._test: SelfTest | None = None
        self._wanted = True
        self._tripped = False
        self._failed = ""
        self._tested_at = -float("inf")
        self._waiting: list[Callable[[bool], object]] = []

    # -- what it shows --------------------------------------------------------------------------------------------

    @property
    def tripped(self) -> bool:
        """See `hal.interfaces.ResidualCurrentMonitor`."""
        return self._tripped

    def wrong(self, now: float) -> str:
        """Leakage, now or before; or that the monitor cannot be relied upon. Raises BusError when a signal is not known."""
        if self._test is not None:
            return ""  # nothing flows, or the test ends at once
        if not self._tripped and self._trip.read():
            self._tripped = True
            log.error("%s has tripped", self.name)
        if self._tripped:
            return "residual current"
        if self._fault is not None and self._fault.read():
            return "the residual current monitor reports a fault of its own"
        return self._failed

    def testing(self, now: float) -> str:
        """What closing has to wait for, or "": a test that goes on or is about to begin.

        While current flows at another EVSE that the monitor watches over, a test that is wanted waits, and closing does not.
        """
        waits = self._test is not None or (self._wanted and self.idle())
        return "the residual current monitor is being tested" if waits else ""

    @property
    def condition(self) -> str:
        """In a word or two, for people."""
        return "tripped" if self._tripped else self._failed or ("testing" if self.testing(0.0) else "watching")

    # -- tests ----------------------------------------------------------------------------------------------------

    def plugged(self) -> None:
        """An EV has been plugged in: test before it charges."""
        self._wanted = True

    async def self_test(self) -> bool:
        """See `hal.interfaces.ResidualCurrentMonitor`. Waits until no current flows, and until the test has ended."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[bool] = loop.create_future()

        def tell(good: bool) -> None:
            loop.call_soon_threadsafe(lambda: None if result.done() else result.set_result(good))

        self._waiting.append(tell)
        self._wanted = True
        return await result

    def step(self) -> None:
        """Begin a test if one is due, or go on with it; in one thread, every `STEP_S`."""
        now = self._clock.monotonic()
        if self._test is None:
            if not self._due(now):
                return
            if not self._wanted:
                self._wanted = True  # holds closing from now on; a closing that is going on has ended by the next step
                return
            self._test = SelfTest(now, response_s=self._response_s, recovery_s=self._recovery_s)
            self._wanted = False
            self._begin(self._test)
        self._go_on(self._test, now)
        if self._test.done:
            self._end(self._test, now)

    def _due(self, now: float) -> bool:
        if not self.idle():
            return False
        age = now - self._tested_at
        if self._tripped or self._failed:
            return (self._wanted or age > RETRY_S) and (self.gone() or bool(self._failed))
        return self._wanted or age > self._interval_s

    def _begin(self, test: SelfTest) -> None:
        try:
            if self._trip.read():
                test.fail("it has tripped already")
        except HardwareError as error:
            test.fail(str(error))

    def _go_on(self, test: SelfTest, now: float) -> None:
        if not self.idle():
            test.fail("current flows")
        try:
            test.step(now, self._trip.read())
        except HardwareError as error:
            test.fail(str(error))
        try:
            self._output.write(test.drives)
        except HardwareError as error:
            test.fail(str(error))

    def _end(self, test: SelfTest, now: float) -> None:
        good = test.phase is Phase.GOOD
        if good:
            (log.info if self._failed or self._tripped else log.debug)("%s: the self test is good", self.name)
            self._tripped = False
        elif not self._failed:
            log.error("%s: the self test failed: %s", self.name, test.reason)
        self._failed = "" if good else f"the residual current monitor failed its test: {test.reason}"
        self._tested_at = now
        self._test = None
        waiting, self._waiting = self._waiting, []
        for tell in waiting:
            tell(good)
