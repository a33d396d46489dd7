"""An emulated PWM chip of the kernel: its sysfs files in the testbed."""

from pathlib import Path
from typing import Any


class PwmChip:
    """`pwmchip{number}` with channels that are exported already, in whatever state somebody left them."""

    def __init__(self, kernel: Any, number: int = 0, channels: int = 2) -> None:
        name = f"pwmchip{number}"
        kernel.testbed.add_from_string(f"P: /devices/platform/pwm{number}/pwm/{name}\nE: SUBSYSTEM=pwm\n")
        self._path = Path(kernel.root) / f"sys/devices/platform/pwm{number}/pwm/{name}"
        for each in ("export", "unexport"):
            (self._path / each).write_text("")
        for channel in range(channels):
            (self._path / f"pwm{channel}").mkdir()
            self.leave(channel)

    def leave(
        self, channel: int, *, period: int = 0, duty_cycle: int = 0, enable: int = 0, polarity: str = "normal"
    ) -> None:
        """Somebody left a channel like this."""
        for name, value in {
            "period": period,
            "duty_cycle": duty_cycle,
            "enable": enable,
            "polarity": polarity,
        }.items():
            (self._path / f"pwm{channel}" / name).write_text(f"{value}\n")

    def shows(self, channel: int, name: str) -> str:
        """What a channel's file says."""
        return (self._path / f"pwm{channel}" / name).read_text().strip()

    def duty(self, channel: int) -> float:
        """The fraction of a period in which the pin is high; 0 while the channel is disabled."""
        if self.shows(channel, "enable") != "1":
            return 0.0
        high = int(self.shows(channel, "duty_cycle")) / int(self.shows(channel, "period"))
        return high if self.shows(channel, "polarity") == "normal" else 1.0 - high

    def unplug(self, channel: int) -> None:
        """The channel's files vanish, as with an overlay that is taken away."""
        (self._path / f"pwm{channel}").rename(self._path / f"gone{channel}")

    def plug(self, channel: int) -> None:
        """They come back."""
        (self._path / f"gone{channel}").rename(self._path / f"pwm{channel}")

    @property
    def given_back(self) -> str:
        """What was written to `unexport`."""
        return (self._path / "unexport").read_text().strip()
