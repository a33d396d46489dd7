"""An emulated SPI device file: the ioctls of spidev."""

import errno
import struct
from typing import Any, Protocol

MESSAGE_1 = 0x40206B00
SETTINGS = {0x40016B01, 0x40046B05, 0x40046B04, 0x40016B03}
"""Mode, 32-bit mode, speed, bits per word."""


class Part(Protocol):
    def transfer(self, data: bytes) -> bytes: ...


class SpiDevice:
    """`part` answers what is shifted out at a chip select."""

    def __init__(self, kernel: Any, part: Part, name: str = "spidev0.0") -> None:
        self.part = part
        kernel.add(name, "spidev", self._handle)

    def _handle(self, handler: Any, client: Any) -> bool:
        request = client.get_request()
        try:
            if request == MESSAGE_1:
                client.complete(self._transfer(client.get_arg().resolve(0, 32)), 0)
            elif request in SETTINGS:
                client.complete(0, 0)
            else:
                client.complete(-1, errno.ENOTTY)
        except OSError as error:
            client.complete(-1, error.errno or errno.EIO)
        except Exception:  # a defect of the test's part must not hang the driver
            client.complete(-1, errno.EIO)
            raise
        return True

    def _transfer(self, message: Any) -> int:
        length = struct.unpack_from("I", bytes(message.retrieve()), 16)[0]
        answer = self.part.transfer(bytes(message.resolve(0, length).retrieve()))
        message.resolve(8, length).update(0, answer)
        return int(length)
