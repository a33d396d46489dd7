"""GPIO lines of the character device, by python-periphery."""

import fcntl
import glob
import os

from hal.errors import BusError

MAX_CHIPS = 32
"""More than any board has, expanders included."""

CHIP_INFO = 0x8044B401
"""GPIO_GET_CHIPINFO_IOCTL: name and label of 32 bytes each, and the number of lines."""


def chips() -> dict[str, str]:
    """Label -> device file of every GPIO chip that may be opened."""
    found: dict[str, str] = {}
    for path in sorted(glob.glob("/dev/gpiochip*"))[:MAX_CHIPS]:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        info = bytearray(68)
        try:
            fcntl.ioctl(descriptor, CHIP_INFO, info)
        except OSError:
            continue
        finally:
            os.close(descriptor)
        found.setdefault(bytes(info[32:64]).split(b"\0")[0].decode("utf-8", "replace"), path)
    return found


class Line:
    """One claimed line. Levels are logical: `inverted` lines are active low. Reads and writes return at once."""

    def __init__(
        self, chip: str, line: int, direction: str, *, inverted: bool, bias: str, edge: str, owner: str
    ) -> None:
        from periphery import GPIO, GPIOError

        self._error: type[Exception] = GPIOError
        self.name = f"{chip}/{line}"
        try:
            self._gpio = GPIO(chip, line, direction, edge=edge, bias=bias, inverted=inverted, label=owner[:31])
        except (OSError, GPIOError, LookupError) as error:
            raise BusError(f"{self.name} cannot be used: {error}") from error

    def read(self) -> bool:
        """The level now; BusError when the kernel does not tell."""
        try:
            return bool(self._gpio.read())
        except (OSError, self._error) as error:
            raise BusError(f"{self.name}: {error}") from error

    def write(self, level: bool) -> None:
        """Drive an output; BusError when the kernel does not."""
        try:
            self._gpio.write(level)
        except (OSError, self._error) as error:
            raise BusError(f"{self.name}: {error}") from error

    def wait(self, timeout_s: float) -> tuple[str, int] | None:
        """The next edge ("rising" or "falling") with its time in ns; None when none comes in time. For a thread."""
        try:
            if not self._gpio.poll(timeout_s):
                return None
            event = self._gpio.read_event()
        except (OSError, self._error) as error:
            raise BusError(f"{self.name}: {error}") from error
        return str(event.edge), int(event.timestamp)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Give the line back."""
        self._gpio.close()
