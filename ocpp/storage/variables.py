"""Values of device-model variables that differ from their defaults."""

import logging
from collections.abc import Callable

from ocpp.storage.database import Database

log = logging.getLogger(__name__)


class VariableRepository:
    """Attribute values by component and variable, both in the text form of `ocpp.device_model.address`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> list[tuple[str, str, str, str]]:
        """Every stored value: component, variable, attribute, value.

        A row that a damaged file left unreadable is passed over, so that the others hold.
        """
        rows = self._database.query(
            "SELECT CAST(component AS BLOB), CAST(variable AS BLOB), CAST(attribute AS BLOB), CAST(value AS BLOB) "
            "FROM variables"
        )
        return [texts for row in rows if (texts := _texts(*row)) is not None]

    def undo(self, action: Callable[[], None]) -> None:
        """See `Database.undo`."""
        self._database.undo(action)

    def put(self, component: str, variable: str, attribute: str, value: str) -> None:
        """Keep a value."""
        with self._database.transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO variables (component, variable, attribute, value) VALUES (?, ?, ?, ?)",
                (component, variable, attribute, value),
            )

    def remove(self, component: str, variable: str, attribute: str) -> None:
        """Forget a value: the default holds again."""
        with self._database.transaction():
            self._database.execute(
                "DELETE FROM variables WHERE component = ? AND variable = ? AND attribute = ?",
                (component, variable, attribute),
            )


def _texts(component: bytes, variable: bytes, attribute: bytes, value: bytes) -> tuple[str, str, str, str] | None:
    try:
        return component.decode(), variable.decode(), attribute.decode(), value.decode()
    except UnicodeDecodeError as error:
        log.error("a stored variable cannot be read, its default holds: %s", error)
        return None
