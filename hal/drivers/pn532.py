"""PN532 card readers on I2C or on a serial port (HSU): ISO 14443 A cards with UIDs of 4, 7 and 10 bytes."""

from typing import Annotated, Protocol

from msgspec import Meta

from hal.bench import PartBench
from hal.drivers import pn532_frames as wire
from hal.drivers.card_reader import RETRY_S, STEP_S, CardReader, PollingOptions
from hal.errors import HardwareError, ReaderError
from hal.iso14443 import uid_text

ADDRESS = 0x24
"""Of the chip on I2C; it cannot be changed (UM0701-02 chapter 6.2.4: 0x48 with the read/write bit)."""

ANSWER_S = 1.0
"""Longer than the chip takes for any command used here: looking for a card twice takes 60 ms at the most."""

I2C_READY = 0x01
ACK_SIZE = len(wire.ACK)
ANSWER_SIZE = 48
"""Holds the frame of a target with a UID of 10 bytes and an ATS of 20."""

SETUP = (
    (wire.SAM_CONFIGURATION, wire.NORMAL_MODE),
    (wire.GET_FIRMWARE_VERSION, b""),
    (wire.RF_CONFIGURATION, wire.FEW_RETRIES),
)
POLL = (wire.IN_LIST_PASSIVE_TARGET, wire.ONE_CARD_TYPE_A)


class Link(Protocol):
    """The way to the chip; raises BusError. Nothing waits."""

    def wake(self) -> None:
        """Make the chip listen, also one that was unplugged meanwhile, and give up what it is at."""

    def send(self, frame: bytes) -> None:
        """Send a frame."""

    def receive(self, *, acknowledged: bool) -> bytes:
        """What the chip has to say now, an acknowledgement at first; b"" for nothing yet."""


class I2cOptions(PollingOptions, frozen=True, kw_only=True):
    """`bus`: the I2C device file; without it, the board's."""

    bus: str | None = None


class SerialOptions(PollingOptions, frozen=True, kw_only=True):
    """`port`: the serial device file; without it, the board's. The chip starts with 115200 baud."""

    port: str | None = None
    baud: Annotated[int, Meta(ge=9600, le=1_288_000)] = 115200


class Pn532(CardReader):
    """The dialogue with the chip: one command at a time, each acknowledged and then answered (UM0701-02 chapter 6.2.2)."""

    options_type = PollingOptions

    def __init__(self, bench: PartBench, options: PollingOptions, link: Link, thread: str) -> None:
        super().__init__(bench, options)
        self._poll_s = options.poll_s
        self._link = link
        self._thread = thread
        self._frames = wire.Frames()
        self._setup = 0
        """How many steps of the set-up are done."""
        self._waiting: int | None = None
        """The code of the command under way."""
        self._acknowledged = False
        self._deadline = 0.0
        self._next_at = bench.clock.monotonic()
        self.firmware = ""

    def start(self) -> None:
        """See `Part.start`."""
        self.bench.thread(self._thread).every(STEP_S, self.step)

    def step(self) -> None:
        """One turn in the bus's thread: a command, or a look whether its answer has come. Raises nothing."""
        now = self.bench.clock.monotonic()
        try:
            if self._waiting is not None:
                self._listen(now)
            elif now >= self._next_at:
                self._command(now)
        except HardwareError as error:
            self.failed(error)
            self._waiting = None
            self._setup = 0
            self._next_at = now + RETRY_S

    def _command(self, now: float) -> None:
        if self._setup == 0:
            self._link.wake()
            self._frames.clear()
        code, data = SETUP[self._setup] if self._setup < len(SETUP) else POLL
        self._link.send(wire.frame(code, data))
        self._waiting, self._acknowledged, self._deadline = code, False, now + ANSWER_S

    def _listen(self, now: float) -> None:
        for answer in self._frames.feed(self._link.receive(acknowledged=self._acknowledged)):
            if answer == wire.ACKNOWLEDGED:
                self._acknowledged = True
            elif answer.code != self._waiting or not self._acknowledged:
                raise ReaderError(f"an answer to command {answer.code:#04x}, which was not given")
            else:
                self._answered(answer, now)
                return
        if now > self._deadline:
            raise ReaderError("the reader does not answer")

    def _answered(self, answer: wire.Answer, now: float) -> None:
        self._waiting = None
        if self._setup < len(SETUP):
            self._setup += 1
            if answer.code == wire.GET_FIRMWARE_VERSION:
                self.firmware = _version(answer.data)
            return
        uid = wire.target_uid(answer.data)
        self.saw(None if uid is None else uid_text(uid))
        self._next_at = now + self._poll_s

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        return {**super().values(), "chip": self.firmware}


def _version(data: bytes) -> str:
    if len(data) != 4:
        raise ReaderError(f"a firmware version of {len(data)} bytes, and not 4")
    return f"PN5{data[0]:02x}, firmware {data[1]}.{data[2]}"


class I2cPn532(Pn532):
    """On I2C (chapter 6.2.4): every read begins with a byte that says whether a frame is ready."""

    options_type = I2cOptions

    def __init__(self, bench: PartBench, options: I2cOptions) -> None:
        self._device = bench.i2c(options.bus, ADDRESS)
        super().__init__(bench, options, self, options.bus or bench.device("i2c"))

    def wake(self) -> None:
        """See `Link.wake`."""
        self._device.send(wire.ACK)

    def send(self, frame: bytes) -> None:
        """See `Link.send`."""
        self._device.send(frame)

    def receive(self, *, acknowledged: bool) -> bytes:
        """See `Link.receive`."""
        if self._device.receive(1) != bytes([I2C_READY]):
            return b""
        return wire.first_frame(self._device.receive(1 + (ANSWER_SIZE if acknowledged else ACK_SIZE))[1:])


class SerialPn532(Pn532):
    """On a serial port (chapter 6.2.3). The port is opened again when its adapter comes back."""

    options_type = SerialOptions

    def __init__(self, bench: PartBench, options: SerialOptions) -> None:
        path = options.port or bench.device("serial")
        self._port = bench.serial(path, baud=options.baud)
        super().__init__(bench, options, self, path)

    def wake(self) -> None:
        """See `Link.wake`."""
        if self.problem:
            self._port.reopen()
        self._port.discard()
        self._port.write(wire.WAKE_UP + wire.ACK)

    def send(self, frame: bytes) -> None:
        """See `Link.send`."""
        self._port.write(frame)

    def receive(self, *, acknowledged: bool) -> bytes:
        """See `Link.receive`."""
        waiting = self._port.waiting
        return self._port.read(waiting) if waiting else b""
