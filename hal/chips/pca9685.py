"""PCA9685: 16 channels of 12-bit PWM over I2C. Register numbers are those of the data sheet (NXP, rev. 4, section 7.3)."""

import logging
import time

from hal.bench import PartBench
from hal.bus.i2c import Device
from hal.errors import BusError, DriverError
from hal.keeper import SafeRegisters
from hal.worker import BusThread

CHANNELS = 16
STEPS = 4096
OSCILLATOR_HZ = 25_000_000
"""The internal oscillator, which is no better than a few per cent (table 14 names the typical value only)."""

MODE1, MODE2, LED0, ALL_LED, PRE_SCALE = 0x00, 0x01, 0x06, 0xFA, 0xFE
EXTERNAL_CLOCK, AUTO_INCREMENT, SLEEP = 0x40, 0x20, 0x10
TOTEM_POLE = 0x04
FULL = 0x10
"""Bit 4 of ON_H: always on; of OFF_H: always off, which wins."""

PRE_SCALE_LIMITS = (3, 255)
WAKE_S = 0.0005
"""Section 7.3.1.1: the oscillator needs 500 us after SLEEP is cleared."""

log = logging.getLogger(__name__)


class Pca9685:
    """One chip, which runs all its channels at one frequency. Calls use the bus: make them in `thread`.

    Every channel is off from the construction to its first `set`. A chip that failed, or has lost its settings to a dip of
    its supply (`refresh` finds out), is set up again with what its channels were last told. So is one that did not answer
    to the constructor, which logs it: a lamp must not keep a station from charging.
    """

    def __init__(self, device: Device, frequency_hz: float, *, external_clock_hz: float | None = None) -> None:
        self._device = device
        self.name = f"PCA9685 at {device.name}"
        self.frequency_hz = frequency_hz
        self.external_clock_hz = external_clock_hz
        self.thread: BusThread | None = None
        """The thread of its bus, where parts share the chip by `of`."""
        self._pre_scale = self._divider(frequency_hz, external_clock_hz or OSCILLATOR_HZ)
        self._mode = AUTO_INCREMENT | (EXTERNAL_CLOCK if external_clock_hz is not None else 0)
        self._told: dict[int, float] = {}
        self._rest: dict[int, float] = {}
        self._sound = False
        try:
            self._set_up()
        except BusError as error:
            # What cannot do without it finds out with its first `set`.
            log.error("%s is not set up yet: %s", self.name, error)

    @classmethod
    def of(
        cls,
        bench: PartBench,
        bus: str | None,
        address: int,
        frequency_hz: float,
        external_clock_hz: float | None = None,
    ) -> "Pca9685":
        """The chip at an address, shared by the parts that use it and closed with the bench.

        DriverError when another part runs it at another frequency; ClaimError when something else has the address.
        """
        path = bus or bench.device("i2c")

        def make() -> Pca9685:
            chip = cls(bench.i2c(path, address), frequency_hz, external_clock_hz=external_clock_hz)
            chip.thread = bench.thread(path)
            return bench.keep(chip, chip.close)

        chip = bench.share(f"{cls.__name__} 0x{address:02x} on {path}", make)
        if (chip.frequency_hz, chip.external_clock_hz) != (frequency_hz, external_clock_hz):
            raise DriverError(
                f"{bench.owner}: {chip.name} runs all its channels at {chip.frequency_hz:g} Hz already, "
                f"not at {frequency_hz:g} Hz; use another chip"
            )
        return chip

    def claim(self, bench: PartBench, channel: int, *, rest: float = 0.0) -> None:
        """A part takes a channel; ClaimError when another one has it. `rest` is its fraction once the bench closes."""
        if not 0 <= channel < CHANNELS:
            raise DriverError(f"{bench.owner}: {self.name} has channels 0 to {CHANNELS - 1}, not {channel}")
        bench.claim(f"channel {channel} of {self.name}")
        self._rest[channel] = rest
        register = bytes([LED0 + 4 * channel])
        bench.safe(SafeRegisters(self._device.path, self._device.address, register + _counts(rest)))

    def set(self, channel: int, fraction: float) -> None:
        """Be on for that fraction of every period: 0 always off, 1 always on, between them in steps of 1/4096.

        What is out of range counts as the nearer end, what is no number as 0. BusError when the chip does not answer; it is
        then set up anew at the next call.
        """
        self._told[channel] = fraction = min(1.0, fraction) if fraction > 0 else 0.0
        if not self._sound:
            self._set_up()
            return
        self._write(LED0 + 4 * channel, _counts(fraction))

    def refresh(self) -> None:
        """Set the chip up again if it has lost its settings; for parts to call now and then. Raises BusError."""
        if self._sound:
            try:
                kept = self._device.read(MODE1, 1)[0] & (SLEEP | AUTO_INCREMENT) == AUTO_INCREMENT
            except BusError:
                self._sound = False
                raise
            if kept:
                return
            log.warning("%s has lost its settings; it is set up again", self.name)
            self._sound = False
        self._set_up()

    def close(self) -> None:
        """Every channel off, but for those that rest otherwise. Raises BusError after having tried them all."""
        self._told.clear()
        failed: BusError | None = None
        for register, fraction in ((ALL_LED, 0.0), *((LED0 + 4 * each, rest) for each, rest in self._rest.items())):
            try:
                self._write(register, _counts(fraction))
            except BusError as error:
                failed = error
        if failed is not None:
            raise failed

    def _set_up(self) -> None:
        """Section 7.3.1.1: PRE_SCALE can be written while the chip sleeps only, EXTCLK likewise."""
        self._write(MODE1, bytes([SLEEP | AUTO_INCREMENT]))
        self._write(ALL_LED, _counts(0.0))
        self._write(PRE_SCALE, bytes([self._pre_scale]))
        self._write(MODE2, bytes([TOTEM_POLE]))
        if self._mode & EXTERNAL_CLOCK:
            self._write(MODE1, bytes([self._mode | SLEEP]))
        self._write(MODE1, bytes([self._mode]))
        time.sleep(WAKE_S)
        for channel, fraction in self._told.items():
            self._write(LED0 + 4 * channel, _counts(fraction))
        self._sound = True

    def _write(self, register: int, data: bytes) -> None:
        try:
            self._device.write(register, data)
        except BusError:
            self._sound = False
            raise

    @staticmethod
    def _divider(frequency_hz: float, clock_hz: float) -> int:
        """Section 7.3.5: the clock divided by 4096 (PRE_SCALE + 1)."""
        found = round(clock_hz / (STEPS * frequency_hz)) - 1 if frequency_hz > 0 else -1
        low, high = PRE_SCALE_LIMITS
        if not low <= found <= high:
            most, least = (clock_hz / (STEPS * (each + 1)) for each in PRE_SCALE_LIMITS)
            raise DriverError(f"a PCA9685 runs at {least:.0f} to {most:.0f} Hz here, not at {frequency_hz:g} Hz")
        return found

    @property
    def actual_hz(self) -> float:
        """The frequency that the divider makes of a nominal clock."""
        return (self.external_clock_hz or OSCILLATOR_HZ) / (STEPS * (self._pre_scale + 1))


def _counts(fraction: float) -> bytes:
    """ON_L, ON_H, OFF_L, OFF_H of a channel (section 7.3.3)."""
    count = round(fraction * STEPS)
    if count <= 0:
        return bytes([0, 0, 0, FULL])
    if count >= STEPS:
        return bytes([0, FULL, 0, 0])
    return bytes([0, 0, count & 0xFF, count >> 8])
