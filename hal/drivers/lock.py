"""Locks that hold the cable in a socket (IEC 62196-2): a motor on an H-bridge, or a solenoid, with a feedback contact."""

import asyncio
import logging
import threading
from functools import partial
from typing import Annotated, Literal

from msgspec import Meta

from hal.bench import PartBench
from hal.errors import HardwareError, LockError
from hal.parts import Options, Part, Role

Seconds = Annotated[float, Meta(ge=0.01, le=5)]

SUPPLY_WAIT_S = 0.2
"""How often the supply is looked at when no edge tells that it is gone."""

LOST_S = 1.0
"""A bolt that is seen out for so long, though it held, has gone out; a contact may bounce, or be shaken, for less."""

log = logging.getLogger(__name__)


class MotorLockOptions(Options, frozen=True, kw_only=True):
    """Pins by the board's names. Without `open` it is a solenoid: `close` is on as long as the cable is to be held."""

    close: str
    open: str | None = None
    inverted: bool = False
    feedback: str | None = None
    """A contact that closes when the bolt is in."""
    feedback_inverted: bool = False
    feedback_bias: Literal["default", "pull_up", "pull_down", "disable"] = "default"
    pulse_s: Seconds = 0.6
    """How long a motor is driven; the lock's data sheet says how long it may be."""
    settle_s: Seconds = 0.1
    """How long after that the feedback counts."""
    attempts: Annotated[int, Meta(ge=1, le=10)] = 3
    pause_s: Seconds = 0.5
    """Between two attempts: the motor cools down."""
    supply: str | None = None
    """An input that is on while there is mains. When it goes off the lock opens, by what its capacitors still hold."""
    supply_inverted: bool = False
    release_on_stop: bool = True
    """Open when the program ends: nobody could get the cable out."""


class MotorLock(Part):
    """See `hal.interfaces.Lock`. The outputs of a motor are never on together, and none for longer than `pulse_s`.

    The newest order counts: a `lock` under way gives up, and gives False, when `unlock` is called. A pin that fails is
    logged, and the order has failed then.
    """

    role = Role.LOCK
    options_type = MotorLockOptions

    def __init__(self, bench: PartBench, options: MotorLockOptions) -> None:
        super().__init__(bench, options)
        self._options = options
        self._close = bench.output(options.close, inverted=options.inverted)
        self._open = None if options.open is None else bench.output(options.open, inverted=options.inverted)
        self._feedback = (
            None
            if options.feedback is None
            else bench.input(options.feedback, inverted=options.feedback_inverted, bias=options.feedback_bias)
        )
        self._supply = (
            None
            if options.supply is None
            else bench.input(options.supply, inverted=options.supply_inverted, edge="both")
        )
        self._told = False
        self._held = False
        """Whether the newest order was to lock, and was carried out."""
        self._out_since: float | None = None
        self._order = 0
        self._moving: tuple[bool, asyncio.Task[bool]] | None = None
        self._supplied = True

    def start(self) -> None:
        """See `Part.start`."""
        if self._supply is not None:
            self.bench.thread().every(0.01, self._watch_supply)

    # -- the interface --------------------------------------------------------------------------------------------

    async def lock(self) -> bool:
        """See `Lock.lock`. False while there is no supply, too."""
        return self._supplied and await self._move(True)

    async def unlock(self) -> bool:
        """See `Lock.unlock`."""
        return await self._move(False)

    @property
    def locked(self) -> bool:
        """What the feedback says; without one, what the lock was told. LockError when the feedback cannot be read."""
        if self._feedback is None:
            return self._told
        try:
            return self._feedback.read()
        except HardwareError as error:
            raise LockError(f"{self.name}: no feedback: {error}") from error

    def stop(self) -> None:
        """See `Part.stop`: opens the lock, which takes `pulse_s`, or lets go of its outputs."""
        self._order += 1
        try:
            if self._options.release_on_stop and (self._told or self._holds()):
                self._drive(False)
                if self._open is not None:
                    threading.Event().wait(self._options.pulse_s)
        finally:
            self._rest()

    def wrong(self, now: float) -> str:
        """See `Part`: the bolt went out by itself after it had locked. Raises LockError as `locked`."""
        if not self._held or self.locked:
            self._out_since = None
            return ""
        if self._out_since is None:
            self._out_since = now
        return "the cable is not held any more" if now - self._out_since >= LOST_S else ""

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        try:
            feedback = "locked" if self.locked else "open"
        except LockError as error:
            feedback = str(error)
        return {
            "told": "lock" if self._told else "open",
            "feedback": feedback,
            "supply": "on" if self._supplied else "lost",
        }

    # -- moving ---------------------------------------------------------------------------------------------------

    async def _move(self, lock: bool) -> bool:
        """Carried out to its end, also when whoever waits for it gives up; the same order again waits for the first."""
        if self._moving is None or self._moving[0] is not lock or self._moving[1].done():
            self._order += 1
            self._moving = lock, asyncio.create_task(self._carry_out(lock, self._order))
        return await asyncio.shield(self._moving[1])

    async def _carry_out(self, lock: bool, order: int) -> bool:
        for attempt in range(self._options.attempts):
            if attempt:
                await self._wait(self._options.pause_s)
            if order != self._order:
                return False
            try:
                if await self._attempt(lock, order):
                    return True
            except HardwareError as error:
                log.error("%s: %s", self.name, error)
                return False
        if order == self._order:
            log.error("%s did not %s in %d attempts", self.name, "close" if lock else "open", self._options.attempts)
        return False

    async def _attempt(self, lock: bool, order: int) -> bool:
        try:
            self._drive(lock)
            await self._wait(self._options.pulse_s)
        finally:
            if order == self._order:
                self._rest()
        await self._wait(self._options.settle_s)
        if order != self._order:
            return False
        followed = self.locked is lock
        self._held = lock and followed
        if self._open is None and lock and not followed:
            self._drive(False)  # a solenoid that pulls in vain only gets hot
        return followed

    async def _wait(self, seconds: float) -> None:
        done = asyncio.get_running_loop().create_future()
        self.bench.clock.call_later(seconds, lambda: None if done.done() else done.set_result(None))
        await done

    def _drive(self, lock: bool) -> None:
        """The output of the other direction goes off first."""
        self._held = False
        on, off = (self._close, self._open) if lock else (self._open, self._close)
        if off is not None:
            off.write(False)
        if on is not None:
            on.write(True)
        self._told = lock

    def _rest(self) -> None:
        """A motor rests; a solenoid goes on holding what it was told to."""
        if self._open is not None:
            self._open.write(False)
            self._close.write(False)

    def _holds(self) -> bool:
        try:
            return self.locked
        except LockError as error:
            log.warning("%s is opened all the same", error)
            return True

    # -- the supply -----------------------------------------------------------------------------------------------

    def _watch_supply(self) -> None:
        """In the lock's thread."""
        assert self._supply is not None
        self._supply.wait(SUPPLY_WAIT_S)
        supplied = self._supply.read()
        if supplied != self._supplied:
            self.bench.to_loop(partial(self._supply_changed, supplied))

    def _supply_changed(self, supplied: bool) -> None:
        if supplied == self._supplied:
            return
        self._supplied = supplied
        if supplied:
            log.info("%s has its supply again", self.name)
            return
        log.warning("%s opens: its supply is lost", self.name)
        self._order += 1
        order = self._order
        try:
            self._drive(False)
        except HardwareError as error:
            log.error("%s: %s", self.name, error)
        self.bench.clock.call_later(self._options.pulse_s, lambda: self._rest_after(order))

    def _rest_after(self, order: int) -> None:
        if order != self._order:
            return
        try:
            self._rest()
        except HardwareError as error:
            log.error("%s: %s", self.name, error)
