"""Errors of the hardware layer.

HardwareError
 ├── DriverError (ValueError)    a driver is not known, or its options are wrong
 ├── ClaimError (ValueError)     a pin, bus address or port is claimed by two parts
 ├── BusError (OSError)          GPIO, I2C, SPI or serial: the kernel or the part does not answer
 ├── ContactorError              it does not do what it was told
 │    └── ContactorBusy          it may not close yet; it will in `wait_s`
 ├── LockError                   the same for a lock
 ├── MeterError                  no reading, or one that cannot be right
 ├── ReaderError                 a token reader does not answer, or answers nonsense
 └── PartsError                  some parts of a station cannot be used; it names every one
"""


class HardwareError(Exception):
    """A part does not work."""


class DriverError(HardwareError, ValueError):
    """There is no such driver, or an option of it is wrong; the message says what is allowed."""


class ClaimError(HardwareError, ValueError):
    """A pin, bus address or port belongs to another part already."""


class BusError(HardwareError, OSError):
    """Nothing answers, or the kernel does not give access."""


class ContactorError(HardwareError):
    """The contactor did not open or close, or is welded."""


class ContactorBusy(ContactorError):
    """The contactor was opened or closed a moment ago and may close again in `wait_s` seconds; nothing is wrong."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class LockError(HardwareError):
    """The lock did not move."""


class MeterError(HardwareError):
    """The meter gave no reading, or an impossible one."""


class ReaderError(HardwareError):
    """The token reader gave no answer, or one that cannot be right."""


class PartsError(HardwareError):
    """Parts of a station cannot be used. `wrong`: one at least is described wrongly, and no waiting helps."""

    def __init__(self, failures: "dict[str, HardwareError]") -> None:
        """`failures`: what is wrong with each part, by its name."""
        self.reasons = [str(error) if name in str(error) else f"{name}: {error}" for name, error in failures.items()]
        self.wrong = any(isinstance(error, DriverError | ClaimError) for error in failures.values())
        super().__init__("\n".join(self.reasons))
