"""What `hal._native.sampling.LevelDecoder` does, in plain Python and another way round."""

LIMITS = {"A": 10.5, "B": 7.5, "C": 4.5, "D": 1.5}
ORDER = "ABCDE"


class LevelOracle:
    """States by their letters; see the decoder for what it has to do."""

    def __init__(self, confirm: int = 3, hysteresis_v: float = 0.3) -> None:
        self.confirm, self.hysteresis_v = confirm, hysteresis_v
        self.state = "A"
        self._different: list[str] = []

    def see(self, high_v: float, low_v: float, pwm: bool) -> str:
        found = self._sample(high_v, low_v, pwm)
        if found == self.state:
            self._different = []
            return self.state
        self._different.append(found)
        if self._different[-self.confirm :] == [found] * self.confirm:
            self.state, self._different = found, []
        elif len(self._different) >= 2 * self.confirm:
            self.state, self._different = "E", []
        return self.state

    def _sample(self, high_v: float, low_v: float, pwm: bool) -> str:
        found = self._level(high_v)
        diode_missing = pwm and found not in "AF" and not low_v <= -10.0
        return "E" if diode_missing else found

    def _level(self, high_v: float) -> str:
        if high_v <= -10.5:
            return "F"
        for level, limit in LIMITS.items():
            if high_v >= limit + self._moved(level):
                return level
        return "E"

    def _moved(self, level: str) -> float:
        """Limits move away from where the line is: down for those below it, up for the next one above it."""
        if self.state == "F":
            return 0.0
        below, here = ORDER.index(level), ORDER.index(self.state)
        if here <= below:
            return -self.hysteresis_v
        return self.hysteresis_v if here == below + 1 or self.state == "E" else 0.0
