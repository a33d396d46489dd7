"""PWM channels of the kernel (sysfs), by python-periphery."""

import re

from hal.errors import BusError, DriverError
from hal.keeper import SafeFile

_CHANNEL = re.compile(r"pwmchip(\d{1,3})/(\d{1,3})")


class Channel:
    """A claimed channel, written as "pwmchip0/1", running from the start with the fraction `rest`, and again from `close` on.

    Calls return at once. `inverted` turns the fraction round, whether or not the chip can change its polarity. What the pin
    shows once the channel is given back is the kernel driver's business: low with most. `safe` is what `hal.keeper` does to it.
    """

    def __init__(self, name: str, *, frequency_hz: float, inverted: bool = False, rest: float = 0.0) -> None:
        from periphery import PWM, PWMError

        found = _CHANNEL.fullmatch(name)
        if found is None:
            raise DriverError(f"{name!r} is no PWM channel; write it as pwmchip0/1")
        self.name = name
        self._place = f"pwmchip{int(found[1])}/pwm{int(found[2])}"
        self._inverted = inverted
        self._rest = rest
        self._error: type[Exception] = PWMError
        try:
            self._pwm = PWM(int(found[1]), int(found[2]))
        except (OSError, PWMError, LookupError) as error:  # TimeoutError is an OSError
            raise BusError(f"{name} cannot be used: {error}") from error
        try:
            self._set_up(round(1e9 / frequency_hz))
        except BaseException:
            self._pwm.close()
            raise

    def _set_up(self, period_ns: int) -> None:
        """Whatever the channel did before. The kernel refuses a period below the duty, and another polarity while it runs."""
        try:
            if self._pwm.polarity != "normal":
                self._pwm.enabled = False
                self._pwm.polarity = "normal"
            if self._pwm.duty_cycle_ns > period_ns:
                self._pwm.duty_cycle_ns = 0
            self._pwm.period_ns = period_ns
        except (OSError, self._error) as error:
            raise BusError(f"{self.name}: {error}") from error
        self._period_ns = period_ns
        self.set(self._rest)
        self._enable()
        self.safe = SafeFile(f"/sys/class/pwm/{self._place}/duty_cycle", str(self._duty_ns(self._rest)))

    def _enable(self) -> None:
        try:
            self._pwm.enabled = True
        except (OSError, self._error) as error:
            raise BusError(f"{self.name}: {error}") from error

    def set(self, fraction: float) -> None:
        """Be on for that fraction of every period; what is out of range counts as the nearer end, no number as 0. BusError."""
        try:
            self._pwm.duty_cycle_ns = self._duty_ns(fraction)
        except (OSError, self._error) as error:
            raise BusError(f"{self.name}: {error}") from error

    def _duty_ns(self, fraction: float) -> int:
        fraction = min(1.0, fraction) if fraction > 0 else 0.0
        return round((1.0 - fraction if self._inverted else fraction) * self._period_ns)

    def close(self) -> None:
        """To `rest`, and give the channel back."""
        try:
            self.set(self._rest)
        finally:
            self._pwm.close()
