"""Small facts that must survive: the last time told, the settled major version, availability, why the station restarts."""

import json
import logging
from typing import Any

from ocpp.storage.database import Database

log = logging.getLogger(__name__)


class StateRepository:
    """JSON values by key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` when nothing was ever put there or a damaged file left it unreadable."""
        row = self._database.one("SELECT CAST(value AS BLOB) FROM state WHERE key = ?", (key,))
        if row is None:
            return default
        try:
            return json.loads(row[0])
        except ValueError as error:
            log.error("the stored %s cannot be read: %s", key, error)
            return default

    def put(self, key: str, value: Any, *, durable: bool = True) -> None:
        """Keep a value that JSON can express."""
        with self._database.transaction(durable=durable):
            self._database.execute("INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)", (key, json.dumps(value)))
