"""Examines parts one after another: opens one, measures, has people do something, and says what is wrong with it."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec

from hal.bench import Bench
from hal.boards import Board
from hal.clock import Clock
from hal.drivers import make
from hal.errors import HardwareError
from hal.interfaces import PartDescription
from hal.keeper import Keeper
from hal.parts import Part, Role

SETTLE_S = 1.5
"""How long a part may take until its values mean something: three rounds of the slowest sensors' buses."""

METER_S = 5.0
"""A meter that has not answered by then does not."""

PEOPLE_S = 20.0
"""How long somebody may take to hold a card to a reader or press a button."""

STEP_S = 0.05
FEEDBACK_S = 0.3
"""A contactor's auxiliary contact follows within that time."""

SHOW_S = 0.7
"""How long a light shows each of its states."""

STATES = ("Available", "Authorizing", "PlugIn", "Charging", "Suspended", "Unavailable", "Faulted")

TEXT = "pilotwire 0123456789"


class Result(msgspec.Struct):
    """What was found at a part."""

    part: str
    driver: str
    role: str = ""
    measured: dict[str, str] = msgspec.field(default_factory=dict)
    wrong: list[str] = msgspec.field(default_factory=list)
    skipped: list[str] = msgspec.field(default_factory=list)
    """What was not tried, and why."""


class Guide(msgspec.Struct, frozen=True):
    """Whoever leads people through: `say` tells them what to do; nobody there: what needs hands is skipped."""

    say: Callable[[str], None]
    anybody: bool = True
    close_contactors: bool = False


class Checkup:
    """Of the parts of one board. Only the part examined is open, so that its neighbours cannot disturb it."""

    def __init__(
        self, board: Board, clock: Clock, guide: Guide, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._board = board
        self._clock = clock
        self._guide = guide
        self._sleep = sleep

    async def examine(self, described: PartDescription) -> Result:
        """Open a part, try it, close it; never raises a HardwareError."""
        result = Result(described.name, described.driver)
        bench = Bench(self._board, self._clock, asyncio.get_running_loop().call_soon_threadsafe)
        part: Part | None = None
        keeper: Keeper | None = None
        try:
            part = make(bench, described.name, described.driver, described.options)
            result.role = part.role.value
            if bench.safe:
                keeper = Keeper(tuple(bench.safe))
                keeper.start()
            part.start()
            bench.start()
            await self._sleep(SETTLE_S)
            await self._try(part, result)
            result.measured = part.values()
            self._note_wrong(part, result)
        except HardwareError as error:
            result.wrong.append(str(error))
        finally:
            safe = part is None or self._stop(part, result)
            bench.close()
            if keeper is not None:
                keeper.stop(safe=safe)
        return result

    @staticmethod
    def _stop(part: Part, result: Result) -> bool:
        try:
            part.stop()
        except HardwareError as error:
            result.wrong.append(f"it was not put into its safe state: {error}")
            return False
        return True

    def _note_wrong(self, part: Any, result: Result) -> None:
        check: Callable[[float], str] | None = getattr(part, "wrong", None)
        reason = check(self._clock.monotonic()) if check is not None else ""
        if reason and reason not in result.wrong:
            result.wrong.append(reason)

    async def _try(self, part: Part, result: Result) -> None:
        trials: dict[Role, Callable[[Any, Result], Awaitable[None]]] = {
            Role.CONTACTOR: self._contactor,
            Role.PILOT: self._pilot,
            Role.METER: self._meter,
            Role.READER: self._reader,
            Role.LOCK: self._lock,
            Role.EMERGENCY_STOP: partial(self._contact, what="press the emergency stop, and release it"),
            Role.TAMPER: partial(self._contact, what="open the housing's contact, and close it"),
            Role.BAY: partial(self._contact, what="occupy the parking bay, and leave it"),
            Role.RESIDUAL_CURRENT: self._residual_current,
            Role.INDICATOR: self._indicator,
            Role.DISPLAY: self._display,
        }
        trial = trials.get(part.role)
        if trial is not None:
            await trial(part, result)

    async def _until(self, condition: Callable[[], object], seconds: float) -> bool:
        """Whether it came about in time."""
        for _ in range(round(seconds / STEP_S)):
            if condition():
                return True
            await self._sleep(STEP_S)
        return bool(condition())

    # -- by role --------------------------------------------------------------------------------------------------

    async def _contactor(self, part: Any, result: Result) -> None:
        if part.closed:
            result.wrong.append("its feedback says closed although nothing drives it: welded, or wired the wrong way")
            return
        if not self._guide.close_contactors:
            result.skipped.append("closing it: only with --close-contactors, and with nothing connected")
            return
        self._guide.say(f"{part.name} closes for a moment")
        part.close()
        closed = await self._until(lambda: part.closed, FEEDBACK_S)
        part.open()
        if not closed:
            result.wrong.append("it was told to close and its feedback does not follow")
        elif not await self._until(lambda: not part.closed, FEEDBACK_S):
            result.wrong.append("it was told to open and its feedback stays closed")

    async def _pilot(self, part: Any, result: Result) -> None:
        age = self._clock.monotonic() - part.seen_at
        if not age < SETTLE_S:
            result.wrong.append("the line is not sampled: see the ADC's wiring and address")
            return
        seen = part.state
        if seen != "A":
            result.skipped.append(
                f"the PWM: the line is in state {seen}, and only an unplugged line is sure to be at 12 V"
            )
            return
        if self._guide.anybody:
            self._guide.say("plug in an EV or an adapter with state B")
            if not await self._until(lambda: part.state == "B", PEOPLE_S):
                result.wrong.append(f"nobody plugged in, or state B is not seen: the line stays in {part.state}")
                return
            part.offer(10.0)
            await self._sleep(SETTLE_S)
            if part.state not in ("B", "C"):
                result.wrong.append(f"with PWM the line shows {part.state}: see the calibration and the EV's diode")
            part.offer(None)
            await self._sleep(SETTLE_S)

    async def _meter(self, part: Any, result: Result) -> None:
        began = self._clock.monotonic()
        await self._until(lambda: part.read_at >= began, METER_S)
        if part.read_at < began:
            result.wrong.append(f"it does not answer within {METER_S:g} s")
        names = {each.measurand for each in part.read().quantities}
        if names and "Energy.Active.Import.Register" not in names:
            result.wrong.append("it gives no imported energy, which is what is billed")

    async def _reader(self, part: Any, result: Result) -> None:
        if not self._guide.anybody:
            result.skipped.append("reading a card")
            return
        seen: list[str] = []
        part.presented = lambda text, kind: seen.append(f"{text} ({kind})")
        self._guide.say("hold a card to the reader")
        if not await self._until(lambda: seen, PEOPLE_S):
            result.wrong.append("no card was read")

    async def _lock(self, part: Any, result: Result) -> None:
        for name, order in (("lock", part.lock), ("unlock", part.unlock)):
            if not await order():
                result.wrong.append(f"it was told to {name} and its feedback does not follow")

    async def _contact(self, part: Any, result: Result, what: str) -> None:
        if not self._guide.anybody:
            result.skipped.append(what)
            return

        def active() -> bool:
            if part.role is Role.EMERGENCY_STOP:
                part.wrong(self._clock.monotonic())  # it looks at its pin when the safety loop asks
            return bool(part.active)

        before = active()
        self._guide.say(what)
        if not await self._until(lambda: active() is not before, PEOPLE_S):
            result.wrong.append("it did not change")
        elif not await self._until(lambda: active() is before, PEOPLE_S):
            result.wrong.append("it did not change back")

    async def _residual_current(self, part: Any, result: Result) -> None:
        if not await part.self_test():
            result.wrong.append("it did not notice the leakage of its self test")

    async def _indicator(self, part: Any, result: Result) -> None:
        for state in STATES if self._guide.anybody else ():
            self._guide.say(f"{part.name} shows {state}")
            part.indicate(state)
            await self._sleep(SHOW_S)

    async def _display(self, part: Any, result: Result) -> None:
        self._guide.say(f'{part.name} shows "{TEXT}"')
        part.show((TEXT,))
        await self._sleep(SHOW_S)
        part.show(())
