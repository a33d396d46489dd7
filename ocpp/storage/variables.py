"""Values of device-model variables that differ from their defaults."""

from collections.abc import Callable

from ocpp.storage.database import Database


class VariableRepository:
    """Attribute values by component and variable, both in the text form of `ocpp.device_model.address`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> list[tuple[str, str, str, str]]:
        """Every stored value: component, variable, attribute, value."""
        rows = self._database.query("SELECT component, variable, attribute, value FROM variables")
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    def undo(self, action: Callable[[], None]) -> None:
        """See `Database.undo`."""
        self._database.undo(action)

    def put(self, component: str, variable: str, attribute: str, value: str) -> None:
        """Keep a value."""
        with self._database.transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO variables VALUES (?, ?, ?, ?)", (component, variable, attribute, value)
            )

    def remove(self, component: str, variable: str, attribute: str) -> None:
        """Forget a value: the default holds again."""
        with self._database.transaction():
            self._database.execute(
                "DELETE FROM variables WHERE component = ? AND variable = ? AND attribute = ?",
                (component, variable, attribute),
            )
