"""Errors of the hardware layer.

HardwareError
 ├── ContactorError      it does not do what it was told
 ├── LockError           the same for a lock
 └── MeterError          no reading, or one that cannot be right
"""


class HardwareError(Exception):
    """A part does not work."""


class ContactorError(HardwareError):
    """The contactor did not open or close, or is welded."""


class LockError(HardwareError):
    """The lock did not move."""


class MeterError(HardwareError):
    """The meter gave no reading, or an impossible one."""
