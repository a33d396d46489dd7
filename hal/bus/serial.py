"""Serial ports, by pyserial, for one part alone."""

import termios

from hal.errors import BusError

READ_LIMIT = 4096
"""Bytes of one read; no frame of any part is longer."""


class Port:
    """An open port; BusError when it cannot be opened, or is gone. Reads wait up to `timeout_s`: use them in a thread."""

    def __init__(
        self, path: str, *, baud: int, parity: str = "N", stop_bits: int = 1, data_bits: int = 8, timeout_s: float = 0.2
    ) -> None:
        import serial

        self.name = path
        self._error = (serial.SerialException, termios.error)  # pyserial lets the latter through
        try:
            self._port = serial.Serial(
                path,
                baud,
                bytesize=data_bits,
                parity=parity,
                stopbits=stop_bits,
                timeout=timeout_s,
                write_timeout=1.0,
                exclusive=True,
            )
        except (OSError, ValueError, *self._error) as error:
            raise BusError(f"{path} cannot be opened: {error}") from error

    def write(self, data: bytes) -> None:
        """Send everything."""
        try:
            self._port.write(data)
        except (OSError, *self._error) as error:
            raise BusError(f"{self.name}: {error}") from error

    def read(self, length: int = 1) -> bytes:
        """What comes within the time-out, `length` bytes at the most; b"" for nothing."""
        try:
            return bytes(self._port.read(min(length, READ_LIMIT)))
        except (OSError, TypeError, *self._error) as error:  # TypeError: pyserial, when another thread closes the port
            raise BusError(f"{self.name}: {error}") from error

    def set_baud(self, baud: int) -> None:
        """Go on at another speed, once everything has been sent; BusError when the port cannot."""
        try:
            self._port.flush()
            if self._port.baudrate != baud:
                self._port.baudrate = baud
        except (OSError, ValueError, *self._error) as error:
            raise BusError(f"{self.name}: {error}") from error

    @property
    def waiting(self) -> int:
        """Bytes that have come already."""
        try:
            return int(self._port.in_waiting)
        except (OSError, *self._error) as error:
            raise BusError(f"{self.name}: {error}") from error

    def discard(self) -> None:
        """Forget what has come."""
        try:
            self._port.reset_input_buffer()
        except (OSError, *self._error) as error:
            raise BusError(f"{self.name}: {error}") from error

    def reopen(self) -> None:
        """Open the port again after its adapter was unplugged; BusError while it is not there."""
        try:
            self._port.close()
            self._port.open()
        except (OSError, ValueError, *self._error) as error:
            raise BusError(f"{self.name} cannot be opened: {error}") from error

    def close(self) -> None:
        """Close the port."""
        self._port.close()
