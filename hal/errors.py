"""Errors of the hardware layer.

HardwareError
 ├── DriverError (ValueError)    a driver is not known, or its options are wrong
 ├── ClaimError (ValueError)     a pin, bus address or port is claimed by two parts
 ├── BusError (OSError)          GPIO, I2C, SPI or serial: the kernel or the part does not answer
 ├── ContactorError              it does not do what it was told
 │    └── ContactorBusy          it may not close yet; it will in `wait_s`
 ├── LockError                   the same for a lock
 ├── MeterError                  no reading, or one that cannot be right
 └── ReaderError                 a token reader does not answer, or answers nonsense
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
