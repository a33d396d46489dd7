"""I2C buses, by smbus2: one open bus per device file, shared by the parts at its addresses."""

from typing import Any

from hal.errors import BusError


class Device:
    """One claimed address on a bus. Calls take as long as the bus does: use them in the bus's thread."""

    def __init__(self, bus: "Bus", address: int) -> None:
        self._bus = bus
        self.address = address
        self.path = bus.path
        self.name = f"{bus.path} address 0x{address:02x}"

    def read(self, register: int, length: int) -> bytes:
        """Write the register's number, then read; BusError when the part does not answer."""
        from smbus2 import i2c_msg

        answer = i2c_msg.read(self.address, length)
        self._transfer(i2c_msg.write(self.address, [register]), answer)
        return bytes(answer)

    def write(self, register: int, data: bytes) -> None:
        """Write data to a register."""
        self.send(bytes([register]) + data)

    def send(self, data: bytes) -> None:
        """Write without a register."""
        from smbus2 import i2c_msg

        self._transfer(i2c_msg.write(self.address, data))

    def receive(self, length: int) -> bytes:
        """Read without a register."""
        from smbus2 import i2c_msg

        answer = i2c_msg.read(self.address, length)
        self._transfer(answer)
        return bytes(answer)

    def _transfer(self, *messages: Any) -> None:
        try:
            self._bus.transfer(*messages)
        except OSError as error:
            raise BusError(f"{self.name} does not answer: {error.strerror or error}") from error


class Bus:
    """An open bus; BusError when it cannot be opened."""

    def __init__(self, path: str) -> None:
        from smbus2 import SMBus

        self.path = path
        try:
            self._bus = SMBus(path)
        except OSError as error:
            raise BusError(f"{path} cannot be opened: {error.strerror or error}") from error

    def transfer(self, *messages: Any) -> None:
        """Carry out the messages as one transaction; OSError when nobody answers."""
        self._bus.i2c_rdwr(*messages)

    def close(self) -> None:
        """Close the device file."""
        self._bus.close()
