"""An emulated meter that speaks IEC 62056-21 over the far end of a serial line, at speeds that it insists on."""

import os
import select
import threading
from functools import reduce
from operator import xor

from support.serial_line import SerialLine

BAUDS = {"0": 300, "5": 9600, "6": 19200}


def framed(data: bytes) -> bytes:
    """With STX, ETX and the block check character."""
    inner = data + b"!\r\n\x03"
    return b"\x02" + inner + bytes([reduce(xor, inner)])


class D0Head:
    """Answers a request at 300 baud, and goes on at the speed that was agreed; at another speed nothing is understood."""

    def __init__(self, line: SerialLine, data: bytes, *, speed: str = "5", mode: str = "C", echo: bool = False) -> None:
        self.line = line
        self.data = data
        self.speed = speed
        self.mode = mode
        self.echo = echo
        self.answers = True
        self.damages = False
        self.acknowledged: list[bytes] = []
        self._file = os.open(line.far, os.O_RDWR | os.O_NOCTTY)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(2.0)
        os.close(self._file)

    def _run(self) -> None:
        heard = b""
        while not self._stopping.is_set():
            if not select.select([self._file], [], [], 0.02)[0]:
                continue
            heard += os.read(self._file, 64)
            if not heard.endswith(b"\r\n"):
                continue
            if self.answers and self.line.baud in (300, *BAUDS.values()):
                self._answer(heard)
            heard = b""

    def _answer(self, heard: bytes) -> None:
        if self.echo:
            self._send(heard)
        if heard == b"/?!\r\n" and self.line.baud == 300:
            self._send(b"/EMH" + self.speed.encode() + b"MT174\r\n" + (self._telegram() if self.mode == "A" else b""))
        elif heard.startswith(b"\x06"):
            self.acknowledged.append(heard)
            agreed = BAUDS[chr(heard[2])]
            self._stopping.wait(0.01)
            if self.line.baud == agreed:
                self._send(self._telegram())

    def _telegram(self) -> bytes:
        made = framed(self.data)
        return made[:-1] + bytes([made[-1] ^ 1]) if self.damages else made

    def _send(self, data: bytes) -> None:
        """With even parity in the eighth bit, as a pseudo terminal does not take it off."""
        os.write(self._file, bytes(each | (each.bit_count() & 1) << 7 for each in data))
