"""Who uses which pin, bus address and port: every one belongs to one part."""

from hal.errors import ClaimError


class Claims:
    """Remembers claims until they are released."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}

    def take(self, resource: str, owner: str) -> None:
        """`owner` (the name of a part) uses `resource` alone; ClaimError names both when it is taken already."""
        taken = self._owners.get(resource)
        if taken is not None:
            raise ClaimError(f"{resource} is claimed twice: by {taken} and by {owner}")
        self._owners[resource] = owner

    def release(self, resource: str) -> None:
        """It may be claimed again."""
        self._owners.pop(resource, None)

    @property
    def taken(self) -> dict[str, str]:
        """Resource -> the part that has it."""
        return dict(self._owners)
