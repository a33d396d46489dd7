"""SPI devices, by python-periphery."""

from hal.errors import BusError


class Device:
    """A claimed chip select; BusError when it cannot be opened."""

    def __init__(self, path: str, *, mode: int, speed_hz: int) -> None:
        from periphery import SPI, SPIError

        self.name = path
        self._error: type[Exception] = SPIError
        try:
            self._spi = SPI(path, mode, speed_hz)
        except (OSError, SPIError, ValueError) as error:
            raise BusError(f"{path} cannot be used: {error}") from error

    def transfer(self, data: bytes) -> bytes:
        """Shift out `data` and give what came in meanwhile."""
        try:
            answer = self._spi.transfer(data)
        except (OSError, self._error) as error:
            raise BusError(f"{self.name}: {error}") from error
        return bytes(answer)

    def close(self) -> None:
        """Close the device file."""
        self._spi.close()
