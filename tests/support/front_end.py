"""An emulated front end on a pty: a microcontroller with pilot, contactor, cable, monitor and thermometer.

Written from docs/hal/front-end-protocol.md; its frames are its own.
"""

import os
import select
import struct
import threading
import time
import tty
from pathlib import Path

from hal.iec61851 import PilotState

STATE_S = 0.02


def crc(data: bytes) -> int:
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value


class FrontEnd:
    """Runs in a thread, behind a link in the file system that stays while the adapter is unplugged and plugged in."""

    def __init__(self, path: Path, *, protocol: int = 1, silence_ms: int = 400) -> None:
        self.path = path
        self.protocol, self.silence_ms = protocol, silence_ms
        self.pilot = PilotState.A
        self.cable = 0
        self.temperature: int = -0x8000
        self.leaks = self.welded = self.mute = self.deaf = self.mains_off = self.monitor_dead = False
        self.driven = self.alone = False
        self.opened_at = 0.0
        self.duty, self.orders, self.obeyed = 10_000, 0, 0
        self.commands = 0
        self.damage = 0
        """So many of the next frames are sent with a flipped bit."""
        self._armed = False
        self._heard_at = time.monotonic()
        self._sequence = 0
        self._input = bytearray()
        self._stopping = False
        self._master = self._slave = -1
        self.plug()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # -- the adapter ----------------------------------------------------------------------------------------------

    def plug(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))

    def unplug(self) -> None:
        master, slave, self._master, self._slave = self._master, self._slave, -1, -1
        self.path.unlink()
        os.close(slave)
        os.close(master)

    def stop(self) -> None:
        self._stopping = True
        self._thread.join()
        if self._master >= 0:
            self.unplug()

    def say(self, data: bytes) -> None:
        """Put bytes on the line."""
        os.write(self._master, data)

    # -- the program ----------------------------------------------------------------------------------------------

    def reboot(self) -> None:
        self.driven = self._armed = False
        self.duty, self.orders, self.obeyed = 10_000, 0, 0
        self._info()

    @property
    def closed(self) -> bool:
        return self.driven or self.welded

    @property
    def shows(self) -> int:
        trips = self.leaks or (self.orders & 0x08 and not self.monitor_dead)
        flags = (self.driven, self.closed, trips, False, not self.mains_off, self.orders & 0x04, self.alone)
        return sum(1 << index for index, flag in enumerate(flags) if flag)

    def _run(self) -> None:
        due = 0.0
        while not self._stopping:
            try:
                self._listen()
                if time.monotonic() >= due and not self.mute:
                    due = time.monotonic() + STATE_S
                    self._tell()
            except OSError:
                time.sleep(0.005)  # unplugged
            self._guard()

    def _listen(self) -> None:
        if self._master < 0:
            raise OSError
        if select.select([self._master], [], [], 0.002)[0]:
            self._input += os.read(self._master, 4096)
        while len(self._input) >= 6:
            length = self._input[1] + 6
            if self._input[0] != 0x7E or length > 70:
                del self._input[0]
                continue
            if len(self._input) < length:
                return
            frame = bytes(self._input[:length])
            if crc(frame[1:-2]) != int.from_bytes(frame[-2:], "big"):
                del self._input[0]
                continue
            del self._input[:length]
            self._obey(frame[2], frame[3], frame[4:-2])

    def _obey(self, sequence: int, kind: int, payload: bytes) -> None:
        if kind == 0x01:
            self._info()
        elif kind == 0x02 and not self.deaf:
            self._heard_at, self.alone = time.monotonic(), False
            self.commands += 1
            self.duty, self.orders = struct.unpack(">HB", payload)
            self.obeyed = sequence
            wanted = bool(self.orders & 0x01)
            if not wanted:
                self._open()
                self._armed = True
            elif self._armed and self._may_close():
                self.driven, self._armed = True, False

    def _may_close(self) -> bool:
        return self.pilot in (PilotState.C, PilotState.D) and not self.leaks

    def _open(self) -> None:
        if self.driven:
            self.opened_at = time.monotonic()
        self.driven = False

    def _guard(self) -> None:
        if not self._may_close():
            self._open()
        if time.monotonic() - self._heard_at > self.silence_ms / 1000:
            self._open()
            self.duty, self.alone, self._armed = 10_000, True, False

    def _tell(self) -> None:
        duty = 0 if self.orders & 0x02 else self.duty
        pilot = PilotState.F if self.orders & 0x02 and self.pilot is PilotState.A else self.pilot
        high, low = 600, -1200
        self._send(
            0x82,
            struct.pack(
                ">BHHBBhhh", ord(pilot.value), duty, self.shows, self.obeyed, self.cable, self.temperature, high, low
            ),
        )

    def _info(self) -> None:
        self._send(0x81, struct.pack(">BH", self.protocol, self.silence_ms) + b"emulated 1.0")

    def _send(self, kind: int, payload: bytes) -> None:
        self._sequence = (self._sequence + 1) & 0xFF
        body = bytes([len(payload), self._sequence, kind]) + payload
        frame = bytearray(b"\x7e" + body + crc(body).to_bytes(2, "big"))
        if self.damage:
            self.damage -= 1
            frame[5] ^= 0x10
        os.write(self._master, frame)
