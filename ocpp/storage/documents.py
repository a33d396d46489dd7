"""Small records by number, whose content is the domain's JSON: display messages, monitors."""

from ocpp.storage.database import Database

TABLES = ("display_messages", "monitors")


class DocumentRepository:
    """One table of them."""

    def __init__(self, database: Database, table: str) -> None:
        if table not in TABLES:
            raise ValueError(f"there is no table {table!r}; known are {', '.join(TABLES)}")
        self._database = database
        self._table = table

    def load(self) -> list[bytes]:
        """Every record, by number."""
        return [row[0] for row in self._database.query(f"SELECT data FROM {self._table} ORDER BY id")]

    def put(self, number: int, data: bytes, *, durable: bool = True) -> None:
        """Add a record, or replace the one with that number; durable where the CSMS is told so."""
        with self._database.transaction(durable=durable):
            self._database.execute(f"INSERT OR REPLACE INTO {self._table} (id, data) VALUES (?, ?)", (number, data))

    def remove(self, number: int) -> None:
        """Forget a record."""
        with self._database.transaction():
            self._database.execute(f"DELETE FROM {self._table} WHERE id = ?", (number,))
