"""A microcontroller over a serial port that keeps pilot, contactor and what protects them (docs/hal/front-end-protocol.md)."""

import logging
import math
import threading
from typing import Annotated

from msgspec import Meta

from hal.bench import PartBench
from hal.drivers.front_end_parts import (
    FrontEndContactor,
    FrontEndMonitor,
    FrontEndPilot,
    FrontEndProximity,
    FrontEndThermometer,
)
from hal.drivers.thermometers import ThermometerOptions
from hal.errors import HardwareError
from hal.front_end import (
    COMMAND,
    HELLO,
    INFO,
    PROTOCOL,
    STATE,
    STEADY,
    Command,
    Decoder,
    Frame,
    Info,
    Order,
    State,
    encode,
)
from hal.parts import Options, Part, Role
from hal.residual_current import STEP_S

POLL_S = 0.005
"""How long a read waits: the longest a command waits for the port."""

BEAT_S = 0.1
"""How often the command is repeated."""

WATCHED_S = 0.3
"""Without a look of the safety loop for so long nothing is sent any more, so that the front end opens by itself."""

OBEY_S = 0.3
"""Within that time the front end has to say that it has carried out a command."""

REOPEN_S = 1.0
MAX_SILENCE_MS = 2000

log = logging.getLogger(__name__)


class FrontEndOptions(Options, frozen=True, kw_only=True):
    """What the front end has: all of them keep pilot and contactor, the rest is said here."""

    port: str | None = None
    baud: Annotated[int, Meta(ge=9600, le=1_000_000)] = 115_200
    ventilated: bool = False
    feedback: bool = True
    """The contactor has a feedback contact."""
    mains: bool = False
    """A detector of mains voltage."""
    switches_phases: bool = False
    pause_s: Annotated[float, Meta(ge=0, le=60)] = 0.5
    proximity: bool = False
    residual_current: bool = False
    temperature: ThermometerOptions | None = None
    """A table with `limit_c`, `hysteresis_c`, `derating`, `stale_s`; none: it measures no temperature."""


class SerialFrontEnd(Part):
    """The line to the front end, and the parts behind it (`also`).

    While nothing comes, the pilot's `seen_at` grows old, and the safety loop wants the contactor open; the front end itself opens
    it when it hears nothing. A port that is gone is opened again every second.
    """

    role = Role.FRONT_END
    options_type = FrontEndOptions

    def __init__(self, bench: PartBench, options: FrontEndOptions) -> None:
        super().__init__(bench, options)
        self.thread = bench.thread(options.port or bench.device("serial"))
        self._port = bench.serial(options.port, baud=options.baud, timeout_s=POLL_S)
        self._decoder = Decoder()
        self._lock = threading.Lock()  # around the wish: the safety loop takes it, so that nothing in it may wait
        self._port_lock = threading.Lock()  # around writes, of the thread and of `stop`
        self.wish = Command()
        self.state: State | None = None
        self.seen_at = -math.inf
        """Monotonic time of the newest state."""
        self.problem = ""
        """Why the front end cannot be used at all."""
        self._watched_at = -math.inf
        self._sequence = 0
        self._sent_at = -math.inf
        self._changed = False
        self._awaited: tuple[int, float] | None = None
        self._error = ""
        self._opened_at = 0.0
        self._hello = True
        self.also = self._make_parts(options)

    def _make_parts(self, options: FrontEndOptions) -> dict[Role, list[object]]:
        self._pilot = FrontEndPilot(self, ventilated=options.ventilated)
        contactor = FrontEndContactor(self, options)
        self._cable = FrontEndProximity(self)
        self._monitor = FrontEndMonitor(self)
        parts: dict[Role, list[object]] = {Role.PILOT: [self._pilot], Role.CONTACTOR: [contactor]}
        if options.proximity:
            parts[Role.PROXIMITY] = [self._cable]
        if options.residual_current:
            parts[Role.RESIDUAL_CURRENT] = [self._monitor]
        self._thermometer: FrontEndThermometer | None = None
        if options.temperature is not None:
            self._thermometer = FrontEndThermometer(self, options.temperature)
            parts[Role.TEMPERATURE] = [self._thermometer]
        return parts

    # -- what the parts ask for -----------------------------------------------------------------------------------

    def offer(self, duty: int) -> None:
        """Wish a duty cycle in 0.01 %; it is sent within `POLL_S`. From any thread, at once."""
        with self._lock:
            self._wish(Command(duty, self.wish.orders))

    def order(self, order: Order, on: bool) -> None:
        """Wish a flag to be set or not; as for `offer`."""
        with self._lock:
            self._wish(Command(self.wish.duty, self.wish.orders | order if on else self.wish.orders & ~order))

    def _wish(self, wish: Command) -> None:
        if wish != self.wish:
            self.wish, self._changed = wish, True

    def watched(self, now: float) -> None:
        """The safety loop lives."""
        self._watched_at = now

    @property
    def settled(self) -> bool:
        """Whether everything that was wished has been carried out."""
        with self._lock:
            return not self._changed and self._awaited is None

    def unheeded(self, now: float) -> str:
        """That the front end does not do what it was told, or ""."""
        if self.problem:
            return self.problem
        awaited = self._awaited
        late = awaited is not None and now - awaited[1] > OBEY_S
        return "the front end does not obey" if late else ""

    # -- the line -------------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Read what has come, send what is due; in the port's thread."""
        now = self.bench.clock.monotonic()
        try:
            if self._error:
                self._reopen(now)
            if self._error:
                return
            self._take(self._port.read(max(1, self._port.waiting)))
            self._send_due(self.bench.clock.monotonic())
        except HardwareError as error:
            self._fails(str(error))

    def _reopen(self, now: float) -> None:
        if now - self._opened_at < REOPEN_S:
            return
        self._opened_at = now
        self._port.reopen()
        self._hello = True
        log.info("%s: %s is open again", self.name, self._port.name)
        self._error = ""

    def _fails(self, error: str) -> None:
        if not self._error:
            log.error("%s: %s", self.name, error)
        self._error = error

    def _take(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            if frame.type == STATE:
                state = State.unpack(frame.payload)
                if state is not None:
                    self._see(state)
            elif frame.type == INFO:
                info = Info.unpack(frame.payload)
                if info is not None:
                    self._meet(info)

    def _see(self, state: State) -> None:
        self.seen_at = self.bench.clock.monotonic()
        self.state = state
        awaited = self._awaited  # cleared here only, and set by this thread only
        if awaited is not None and (state.obeyed - awaited[0]) & 0xFF < 0x80:
            self._awaited = None
        self._pilot.see(state)
        self._cable.see(state)

    def _meet(self, info: Info) -> None:
        self.problem = ""
        if info.protocol != PROTOCOL:
            self.problem = f"the front end speaks protocol {info.protocol}, not {PROTOCOL}"
        elif info.silence_ms > MAX_SILENCE_MS:
            self.problem = f"the front end opens only after {info.silence_ms} ms of silence"
        (log.error if self.problem else log.info)("%s: %s; %s", self.name, info.name, self.problem or "ready")

    def _send_due(self, now: float) -> None:
        if self._hello:
            self._hello = False
            self._write(HELLO, b"")
        if now - self._watched_at > WATCHED_S:
            return
        with self._lock:
            wish, changed = self.wish, self._changed
            if not changed and now - self._sent_at < BEAT_S:
                return
            self._sent_at, self._changed = now, False
            self._sequence = (self._sequence + 1) & 0xFF
            if changed:  # the newest command counts, from when the front end first was behind
                self._awaited = (self._sequence, self._awaited[1] if self._awaited is not None else now)
        self._write(COMMAND, wish.pack())

    def _write(self, kind: int, payload: bytes) -> None:
        with self._port_lock:
            self._port.write(encode(Frame(self._sequence, kind, payload)))

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """See `Part.start`."""
        self.thread.urgent = True
        self.thread.every(POLL_S, self.poll)
        if Role.RESIDUAL_CURRENT in self.also:
            self.thread.every(STEP_S, self._monitor.step)
        if self._thermometer is not None:
            self._thermometer.start()

    def stop(self) -> None:
        """See `Part.stop`: one last command, and silence."""
        self.offer(STEADY)
        self.order(Order.CLOSE | Order.TEST, False)
        self._write(COMMAND, self.wish.pack())
        self._watched_at = -math.inf

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        state = self.state
        if state is None:
            return {"state": "never heard of"}
        return {
            "state": state.pilot,
            "duty cycle": f"{state.duty / 100:.1f} %",
            "high": f"{state.high / 100:.2f} V",
            "low": f"{state.low / 100:.2f} V",
            "shows": ", ".join(str(each.name).lower() for each in type(state.shows) if each in state.shows)
            or "nothing",
            "damaged frames": str(self._decoder.damaged),
        }
