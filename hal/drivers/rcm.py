"""A residual current monitor on GPIO (6 mA DC, IEC 62955): a trip output, a test input."""

from typing import Annotated, Literal

from msgspec import Meta

from hal.bench import PartBench
from hal.parts import Options, Part, Role
from hal.residual_current import STEP_S, Monitor


class RcmOptions(Options, frozen=True, kw_only=True):
    """Pins by the board's names; wire the trip output so that a broken wire looks like a trip."""

    trip: str
    """Input: active while the monitor sees leakage."""
    trip_inverted: bool = False
    bias: Literal["default", "pull_up", "pull_down", "disable"] = "default"
    test: str
    """Output: has the monitor simulate leakage."""
    test_inverted: bool = False
    fault: str | None = None
    """Input: active when the monitor has found a fault of its own."""
    fault_inverted: bool = False
    response_s: Annotated[float, Meta(gt=0, le=10)] = 0.5
    """How long it may take to trip after the test output is on."""
    recovery_s: Annotated[float, Meta(gt=0, le=30)] = 2.0
    """How long it may take to let go afterwards."""
    interval_h: Annotated[float, Meta(ge=0.01, le=720)] = 24.0


class GpioRcm(Monitor, Part):
    """A `Monitor` (which see) behind GPIO lines."""

    role = Role.RESIDUAL_CURRENT
    options_type = RcmOptions

    def __init__(self, bench: PartBench, options: RcmOptions) -> None:
        Part.__init__(self, bench, options)
        self._output = bench.output(options.test, inverted=options.test_inverted)
        fault = bench.input(options.fault, inverted=options.fault_inverted) if options.fault is not None else None
        Monitor.__init__(
            self,
            bench.owner,
            bench.clock,
            trip=bench.input(options.trip, inverted=options.trip_inverted, bias=options.bias),
            test=self._output,
            fault=fault,
            response_s=options.response_s,
            recovery_s=options.recovery_s,
            interval_s=options.interval_h * 3600.0,
        )

    def start(self) -> None:
        """See `Part.start`."""
        thread = self.bench.thread()
        thread.urgent = True
        thread.every(STEP_S, self.step)

    def stop(self) -> None:
        """See `Part.stop`."""
        self._output.write(False)

    def values(self) -> dict[str, str]:
        """See `Part.values`."""
        return {"state": self.condition}
