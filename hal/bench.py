"""The workbench of a station: hands out pins, buses and threads to parts, and closes everything on every way out."""

import contextlib
import logging
from collections.abc import Callable
from typing import TypeVar, cast

from hal.boards import Board
from hal.bus import gpio, i2c, pwm, serial, spi
from hal.claims import Claims
from hal.clock import Clock
from hal.errors import DriverError
from hal.keeper import Safe, SafeLevel
from hal.worker import BusThread

T = TypeVar("T")

log = logging.getLogger(__name__)


class Bench:
    """Of one board. `to_loop` runs a callable on the event loop, from any thread."""

    def __init__(self, board: Board, clock: Clock, to_loop: Callable[[Callable[[], object]], object]) -> None:
        self.board = board
        self.clock = clock
        self.to_loop = to_loop
        self.claims = Claims()
        self.safe: list[Safe] = []
        """What makes the outputs safe when the process is lost; see `hal.keeper`."""
        self._handles = contextlib.ExitStack()
        self._buses: dict[str, i2c.Bus] = {}
        self._threads: dict[str, BusThread] = {}
        self._shared: dict[str, object] = {}

    def for_part(self, owner: str) -> "PartBench":
        """The bench as one part sees it; what it takes is claimed under its name."""
        return PartBench(self, owner)

    def keep(self, handle: T, close: Callable[[], object]) -> T:
        """Close the handle with the bench."""
        self._handles.callback(_quietly, close)
        return handle

    def bus(self, path: str) -> i2c.Bus:
        """The I2C bus at a device file, opened once."""
        if path not in self._buses:
            bus = i2c.Bus(path)
            self._buses[path] = self.keep(bus, bus.close)
        return self._buses[path]

    def thread(self, name: str) -> BusThread:
        """The thread of a bus or port, made once."""
        return self._threads.setdefault(name, BusThread(name))

    def shared(self, key: str, make: Callable[[], T]) -> T:
        """See `PartBench.share`."""
        if key not in self._shared:
            self._shared[key] = make()
        return cast(T, self._shared[key])

    def start(self) -> None:
        """Start the threads; every part has registered its periodic jobs."""
        for thread in self._threads.values():
            thread.start()

    def close(self) -> None:
        """Stop the threads and close every handle, whatever fails on the way."""
        for thread in self._threads.values():
            thread.stop()
        self._handles.close()


class PartBench:
    """What one part may take. Every method raises ClaimError when somebody else has it, BusError when the kernel refuses."""

    def __init__(self, bench: Bench, owner: str) -> None:
        self._bench = bench
        self.owner = owner
        self.clock = bench.clock
        self.to_loop = bench.to_loop

    @property
    def board(self) -> Board:
        """The board with its pin names."""
        return self._bench.board

    def output(self, pin: str, *, inverted: bool = False) -> gpio.Line:
        """An output line, off, which is its safe level."""
        line = self._line(pin, "out", inverted=inverted)
        line.write(False)
        chip, number = self.board.line(pin)
        self.safe(SafeLevel(chip, number, inverted))
        return line

    def safe(self, state: Safe) -> None:
        """What has to be done to an output of the part when the process is lost."""
        self._bench.safe.append(state)

    def input(self, pin: str, *, inverted: bool = False, bias: str = "default", edge: str = "none") -> gpio.Line:
        """An input line; `bias`: "default", "pull_up", "pull_down" or "disable"; `edge` as for `Line.wait`."""
        return self._line(pin, "in", inverted=inverted, bias=bias, edge=edge)

    def _line(
        self, pin: str, direction: str, *, inverted: bool, bias: str = "default", edge: str = "none"
    ) -> gpio.Line:
        chip, number = self.board.line(pin)
        self._bench.claims.take(f"pin {chip.removeprefix('/dev/')}/{number}", self.owner)
        line = gpio.Line(chip, number, direction, inverted=inverted, bias=bias, edge=edge, owner=self.owner)
        return self._bench.keep(line, line.close)

    def i2c(self, bus: str | None, address: int) -> i2c.Device:
        """An address on a bus; without one, on the board's."""
        path = bus or self.device("i2c")
        self._bench.claims.take(f"I2C address 0x{address:02x} on {path}", self.owner)
        return i2c.Device(self._bench.bus(path), address)

    def spi(self, path: str | None, *, mode: int = 0, speed_hz: int = 1_000_000) -> spi.Device:
        """A chip select."""
        path = path or self.device("spi")
        self._bench.claims.take(f"SPI device {path}", self.owner)
        device = spi.Device(path, mode=mode, speed_hz=speed_hz)
        return self._bench.keep(device, device.close)

    def pwm(
        self, channel: str | None, *, frequency_hz: float, inverted: bool = False, rest: float = 0.0
    ) -> pwm.Channel:
        """A PWM channel of the kernel, as "pwmchip0/1", at `rest` now and when the bench closes."""
        channel = channel or self.device("pwm")
        self.claim(f"PWM channel {channel}")
        made = pwm.Channel(channel, frequency_hz=frequency_hz, inverted=inverted, rest=rest)
        self.safe(made.safe)
        return self._bench.keep(made, made.close)

    def serial(
        self,
        path: str | None,
        *,
        baud: int,
        parity: str = "N",
        stop_bits: int = 1,
        data_bits: int = 8,
        timeout_s: float = 0.2,
    ) -> serial.Port:
        """A serial port, for this part alone."""
        path = path or self.device("serial")
        self.claim(f"serial port {path}")
        port = serial.Port(
            path, baud=baud, parity=parity, stop_bits=stop_bits, data_bits=data_bits, timeout_s=timeout_s
        )
        return self._bench.keep(port, port.close)

    def claim(self, resource: str) -> None:
        """Something else that a part uses alone: a file, a Modbus unit on a shared port."""
        self._bench.claims.take(resource, self.owner)

    def keep(self, handle: T, close: Callable[[], object]) -> T:
        """Close a handle of the part's own with the bench."""
        return self._bench.keep(handle, close)

    def share(self, key: str, make: Callable[[], T]) -> T:
        """Something that several parts on one port share (a Modbus line): made by the first, given to the others."""
        return self._bench.shared(key, make)

    def thread(self, name: str | None = None) -> BusThread:
        """The thread of a bus, by its device file; without a name a thread of the part's own."""
        return self._bench.thread(name or self.owner)

    def device(self, kind: str) -> str:
        """The board's usual device of a kind; DriverError when it has none."""
        found = self.board.devices.get(kind)
        if found is None:
            raise DriverError(f"{self.owner}: {self.board.title} has no usual {kind} device; name one")
        return found


def _quietly(close: Callable[[], object]) -> None:
    try:
        close()
    except Exception as error:  # noqa: BLE001 - the others have to be closed too
        log.warning("a handle was not closed in an orderly way: %s", error)
