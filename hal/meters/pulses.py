"""Pulses of an S0 output: from edges to pulses without bounce, and from pulses to energy and power. No I/O, no clock."""

from decimal import ROUND_DOWN, Decimal

WH_STEP = Decimal("0.001")
"""Energy is told in steps of a milliwatt-hour, rounded down; it never depends on when it is asked."""

NS_PER_HOUR = 3_600_000_000_000

QUIET_S = 120.0
"""Without a pulse for so long no power is told."""


class PulseFilter:
    """Takes the edges of a contact and finds pulses: closed for `min_ns`, after having been open for `min_ns`.

    EN 62053-31 has both last 30 ms at least; what is shorter is bounce or a disturbance.
    """

    def __init__(self, min_ns: int) -> None:
        self._min_ns = min_ns
        self._closed = False
        self._since_ns: int | None = None
        self._settled = False
        self._began_ns = 0

    def edge(self, closes: bool, at_ns: int) -> int | None:
        """The contact closes or opens at a time; when the pulse began, if one has become certain by that."""
        found = None
        if self._since_ns is not None and at_ns - self._since_ns >= self._min_ns:
            if self._closed and not self._settled:
                found = self._began_ns
            self._settled = self._closed
        if closes and not self._settled and (not self._closed or self._since_ns is None):
            self._began_ns = at_ns
        self._closed, self._since_ns = closes, at_ns
        return found


class PulseCounter:
    """Counts pulses: `per_kwh` of them are a kWh, and `pulses` came before."""

    def __init__(self, per_kwh: float, pulses: int = 0, start_wh: float = 0.0) -> None:
        self._wh_per_pulse = 1000 / Decimal(repr(per_kwh))
        self._start_wh = Decimal(repr(start_wh))
        self.pulses = pulses
        self._last_ns: int | None = None
        self._distance_ns = 0
        self._counted_at = 0.0

    def count(self, began_ns: int, now: float) -> None:
        """A pulse that began at a time of the kernel's clock, seen at monotonic time `now`."""
        self.pulses += 1
        if self._last_ns is not None:
            self._distance_ns = max(began_ns - self._last_ns, 1)
        self._last_ns, self._counted_at = began_ns, now

    @property
    def energy_wh(self) -> Decimal:
        """Everything that was counted, in Wh."""
        return (self._start_wh + self.pulses * self._wh_per_pulse).quantize(WH_STEP, rounding=ROUND_DOWN)

    def power_w(self, now: float) -> Decimal:
        """By the distance of the newest two pulses, or less when the next one would have come by now; in W."""
        silent_s = now - self._counted_at
        if not self._distance_ns or silent_s > QUIET_S:
            return Decimal(0)
        distance = max(self._distance_ns, int(silent_s * 1e9))
        return (self._wh_per_pulse * NS_PER_HOUR / distance).quantize(Decimal("0.1"))
