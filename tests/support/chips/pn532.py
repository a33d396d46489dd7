"""An emulated PN532 (NXP UM0701-02) on I2C, or on the other end of a serial line."""

import errno
import os
import select
import threading

ACK = bytes.fromhex("0000ff00ff00")
ERROR = bytes.fromhex("0000ff01ff7f8100")


def _frame(body: bytes) -> bytes:
    return b"\x00\x00\xff" + bytes([len(body), -len(body) & 0xFF]) + body + bytes([-sum(body) & 0xFF, 0])


class Pn532Chip:
    """`cards` are the UIDs in its field. After a reset it wants SAMConfiguration before it looks for cards."""

    def __init__(self) -> None:
        self.cards: list[bytes] = []
        self.silent = False
        self.damaged = False
        """Every answer has a wrong check byte."""
        self.reset()

    def reset(self) -> None:
        """Its supply was off."""
        self.configured = False
        self.patient = True
        """Looks for a card for ever, as it does until RFConfiguration."""
        self.out: list[bytes] = []
        self._looking = False
        self.commands: list[int] = []

    def take(self, frame: bytes) -> None:
        """A whole frame from the host."""
        if frame == ACK:
            self.out.clear()
            self._looking = False
            return
        length = frame[3]
        body = frame[5 : 5 + length]
        sound = (
            frame[:3] == b"\x00\x00\xff"
            and not (length + frame[4]) & 0xFF
            and not (sum(body) + frame[5 + length]) & 0xFF
        )
        if not sound or body[0] != 0xD4:
            self.out.append(ERROR)
            return
        self.commands.append(body[1])
        if self.silent:
            return
        self.out = [ACK]
        answer = self._answer(body[1], body[2:])
        if answer is not None:
            self._say(answer)

    def _say(self, frame: bytes) -> None:
        if self.damaged:
            frame = frame[:-2] + bytes([frame[-2] ^ 0x01]) + frame[-1:]
        self.out.append(frame)

    def _answer(self, code: int, data: bytes) -> bytes | None:
        if code == 0x14:
            self.configured = True
            return _frame(b"\xd5\x15")
        if not self.configured:
            return ERROR
        if code == 0x02:
            return _frame(bytes.fromhex("d50332010607"))
        if code == 0x32:
            self.patient = data[0] == 5 and data[3] == 0xFF
            return _frame(b"\xd5\x33")
        if code == 0x4A and data[:2] == b"\x01\x00":
            if not self.cards and self.patient:
                self._looking = True
                return None
            return self._target()
        return ERROR

    def _target(self) -> bytes:
        if not self.cards:
            return _frame(b"\xd5\x4b\x00")
        uid = self.cards[0]
        size = {4: 0x00, 7: 0x44, 10: 0x84}[len(uid)]
        return _frame(bytes([0xD5, 0x4B, 1, 1, 0, size, 0x20, len(uid)]) + uid + bytes.fromhex("067577810280"))

    # -- I2C ------------------------------------------------------------------------------------------------------

    absent = False

    def write(self, data: bytes) -> None:
        self._present()
        self.take(data)

    def read(self, length: int) -> bytes:
        self._present()
        if not self.out:
            return bytes(length)
        if length == 1:
            return b"\x01"
        return b"\x01" + self.out.pop(0)

    def _present(self) -> None:
        if self.absent:
            raise OSError(errno.EREMOTEIO, "NACK")


class SerialPn532Chip(Pn532Chip):
    """On a pty, in a thread. It sleeps after a reset until it is woken by 0x55; `path` is the driver's end."""

    def __init__(self) -> None:
        super().__init__()
        self.awake = False
        self._master, self._slave = os.openpty()
        self.path = os.ttyname(self._slave)
        self._stopping, self._stopped = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def reset(self) -> None:
        super().reset()
        self.awake = False

    def close(self) -> None:
        """Also: the adapter is pulled out."""
        os.write(self._stopped, b"x")
        self._thread.join()
        for descriptor in (self._master, self._slave, self._stopping, self._stopped):
            os.close(descriptor)

    def _run(self) -> None:
        heard = b""
        while True:
            ready, _, _ = select.select([self._master, self._stopping], [], [])
            if self._stopping in ready:
                return
            heard += os.read(self._master, 512)
            heard = self._frames(heard)

    def _frames(self, heard: bytes) -> bytes:
        if not self.awake:
            if b"\x55\x55" not in heard:
                return heard[-1:]
            heard = heard[heard.index(b"\x55\x55") :]
            self.awake = True
        while (start := heard.find(b"\x00\xff")) >= 0 and len(heard) >= start + 4:
            size = 0 if heard[start + 2 : start + 4] == b"\x00\xff" else heard[start + 2] + 2
            if len(heard) < start + 4 + size:
                break
            # an ACK is six bytes as a whole: its postamble may be the preamble of what follows
            self.take(b"\x00" + heard[start : start + 4 + size] + (b"" if size else b"\x00"))
            heard = heard[start + 4 + size :]
            while self.out:
                os.write(self._master, self.out.pop(0))
        return heard
