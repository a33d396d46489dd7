"""Small facts that must survive: the last time told, the settled major version, availability, why the station restarts."""

import json
from typing import Any

from ocpp.storage.database import Database


class StateRepository:
    """JSON values by key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` when nothing was ever put there."""
        row = self._database.one("SELECT value FROM state WHERE key = ?", (key,))
        return json.loads(row[0]) if row is not None else default

    def put(self, key: str, value: Any, *, durable: bool = True) -> None:
        """Keep a value that JSON can express."""
        with self._database.transaction(durable=durable):
            self._database.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, json.dumps(value)))
