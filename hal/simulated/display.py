"""A display that only remembers."""


class SimulatedDisplay:
    """`Display` whose texts can be looked at."""

    def __init__(self) -> None:
        self.texts: tuple[str, ...] = ()

    def show(self, texts: tuple[str, ...]) -> None:
        """See `Display.show`."""
        self.texts = texts
