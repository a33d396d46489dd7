"""A process of its own that puts outputs into their safe states when the station is lost: killed, crashed or hung.

The kernel gives back the lines of a process that dies, but their levels may stay (Raspberry Pi), and PWM and chips on
I2C go on in any case. The keeper waits at a pipe: the safety loop writes into it in every round. When the pipe closes,
or nothing comes for `DEADLINE_S`, it kills what is left of the station and drives every output safe.

Run as `python -m hal.keeper`: the first line of its standard input says what is safe, as JSON.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import IO

import msgspec

DEADLINE_S = 0.5
"""A station silent for so long hangs as a whole: its safety loop writes every 10 ms. Above what a loaded board delays."""

RELEASE_S = 2.0
"""How long the keeper tries to get at an output that the dying process has not given back yet."""

RETRY_S = 0.005

PRIORITY = -20
"""Nice value; where the user may not set it, the keeper runs like everything else."""

QUIT = b"q"
"""The station has put everything into its safe state itself, and ends."""

PULSE = b"."

MAX_PLAN = 64 * 1024
"""Bytes of the plan's line; a station has some dozens of outputs."""


class SafeLevel(msgspec.Struct, frozen=True, tag="level"):
    """The level on the wire that makes a GPIO output safe."""

    chip: str
    line: int
    level: bool


class SafeFile(msgspec.Struct, frozen=True, tag="file"):
    """What has to be written into a file below /sys (a PWM channel's duty cycle, an output that a driver exports)."""

    path: str
    content: str


class SafeRegisters(msgspec.Struct, frozen=True, tag="registers"):
    """What has to be written to a chip on I2C, its register first."""

    bus: str
    address: int
    data: bytes


Safe = SafeLevel | SafeFile | SafeRegisters


class Plan(msgspec.Struct, frozen=True):
    """What the keeper does, in this order: contactors come before what only looks better switched off."""

    safe: tuple[Safe, ...]
    deadline_s: float = DEADLINE_S


# -- in the station ---------------------------------------------------------------------------------------------------


class Keeper:
    """The station's end of the pipe. `check` fits `hal.safety.Check`: nothing is switched on without a keeper."""

    def __init__(self, safe: tuple[Safe, ...]) -> None:
        levels = [each for each in safe if isinstance(each, SafeLevel)]
        self._plan = Plan((*levels, *(each for each in safe if not isinstance(each, SafeLevel))))
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()  # never held while anything is waited for
        self.lost = ""
        """Why there is none; "" while there is."""

    def start(self) -> None:
        """Start the process, again if it is gone. OSError when the machine cannot."""
        old = self._swap(None)
        if old is not None:
            old.kill()
            _finish(old)
        command = [sys.executable, "-m", "hal.keeper"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0, start_new_session=True)
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(self._plan) + b"\n")
        os.set_blocking(process.stdin.fileno(), False)
        self._swap(process)
        self.lost = ""

    def pulse(self) -> None:
        """The safety loop lives. Returns at once and never raises."""
        with self._lock:
            if self._process is not None and not self.lost:
                self.lost = _write(self._process, PULSE)

    def check(self, now: float) -> str:
        """What is wrong with it, or "" (`now` does not matter)."""
        return self.lost

    def stop(self, *, safe: bool) -> None:
        """Let it go. `safe`: everything is in its safe state; otherwise the keeper sees to that."""
        process = self._swap(None)
        if process is not None:
            if safe:
                _write(process, QUIT)
            _finish(process)

    def _swap(self, process: subprocess.Popen[bytes] | None) -> subprocess.Popen[bytes] | None:
        with self._lock:
            old, self._process = self._process, process
        return old


def _write(process: subprocess.Popen[bytes], message: bytes) -> str:
    """Gives what went wrong, or ""."""
    assert process.stdin is not None
    try:
        os.write(process.stdin.fileno(), message)
    except BlockingIOError:
        return "the keeper of safe outputs hangs"
    except OSError as error:
        return f"the keeper of safe outputs is gone ({error.strerror})"
    return ""


def _finish(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(2 * RELEASE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# -- in the keeper's process ------------------------------------------------------------------------------------------


def watch(pipe: int, plan: Plan, kill: Callable[[], None], say: Callable[[str], None]) -> bool:
    """Wait for the end of the station; True when outputs have to be put into their safe states.

    The deadline counts from the first pulse: a slow board may take its time to start.
    """
    patience: float | None = None
    while True:
        ready, _, _ = select.select([pipe], [], [], patience)
        if not ready:
            say(f"the station has not been heard of for {plan.deadline_s:g} s and is killed")
            kill()
            return True
        received = os.read(pipe, 4096)
        if not received:
            say("the station has died")
            return True
        if QUIT in received:
            return False
        patience = plan.deadline_s


def make_safe(plan: Plan, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> bool:
    """Drive every output into its safe state, once it can be had; True when all of them are."""
    waiting, deadline = list(plan.safe), clock() + RELEASE_S
    failures: dict[Safe, Exception] = {}
    while waiting:
        for each in tuple(waiting):
            try:
                _apply(each)
            except Exception as error:  # noqa: BLE001 - the others must not wait for this one
                failures[each] = error
            else:
                waiting.remove(each)
        if waiting and clock() > deadline:
            break
        if waiting:
            time.sleep(RETRY_S)
    for each in waiting:
        say(f"{each} was not put into its safe state: {failures[each]}")
    return not waiting


def _apply(safe: Safe) -> None:
    if isinstance(safe, SafeLevel):
        from hal.bus.gpio import Line

        level = "high" if safe.level else "low"  # taken at that level, so that an inverted output does not blink
        line = Line(safe.chip, safe.line, level, inverted=False, bias="default", edge="none", owner="keeper")
        try:
            line.write(safe.level)
        finally:
            line.close()
    elif isinstance(safe, SafeFile):
        descriptor = os.open(
            safe.path, os.O_WRONLY | os.O_TRUNC
        )  # never made anew: below /sys it is there, or the chip is gone
        try:
            os.write(descriptor, safe.content.encode())
        finally:
            os.close(descriptor)
    else:
        from hal.bus.i2c import Bus, Device

        bus = Bus(safe.bus)
        try:
            Device(bus, safe.address).send(safe.data)
        finally:
            bus.close()


def _prepare(plan: Plan) -> None:
    """Import what will be needed while nothing is urgent, and be the last that the machine takes memory or time from."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("-1000")
    if any(isinstance(each, SafeLevel) for each in plan.safe):
        import periphery  # noqa: F401
    if any(isinstance(each, SafeRegisters) for each in plan.safe):
        import smbus2  # noqa: F401


def main(source: IO[bytes] | None = None) -> int:
    """The keeper's process; ends when the station ends."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a service manager stops the whole group: the outputs come first
    station = os.getppid()
    pipe = (source or sys.stdin.buffer).fileno()
    plan = msgspec.json.decode(_first_line(pipe), type=Plan)
    _prepare(plan)

    def kill() -> None:
        if os.getppid() == station:
            os.kill(station, signal.SIGKILL)

    def say(text: str) -> None:
        print(f"pilotwire keeper: {text}", file=sys.stderr, flush=True)

    if not watch(pipe, plan, kill, say):
        return 0
    return 0 if make_safe(plan, say) else 1


def _first_line(pipe: int) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(pipe, 1)
        if not byte or len(line) > MAX_PLAN:
            raise SystemExit("pilotwire keeper: no plan came")
        line += byte
    return bytes(line)


if __name__ == "__main__":
    sys.exit(main())
