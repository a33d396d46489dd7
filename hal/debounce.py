"""Contacts bounce: a level counts once it has stayed for a while."""


class Debounce:
    """The level of a contact without its bouncing. Times are monotonic seconds."""

    def __init__(self, settle_s: float, level: bool) -> None:
        self._settle_s = settle_s
        self.level = level
        """The level that counts."""
        self._other_since: float | None = None

    @property
    def settling(self) -> bool:
        """Whether the newest level is another than the one that counts."""
        return self._other_since is not None

    def see(self, level: bool, now: float) -> bool:
        """The level is this now; gives whether the one that counts has changed by it."""
        if level == self.level:
            self._other_since = None
            return False
        if self._other_since is None:
            self._other_since = now
        if now - self._other_since < self._settle_s:
            return False
        self.level = level
        self._other_since = None
        return True
