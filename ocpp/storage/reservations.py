"""Reservations on disk."""

from ocpp.storage.database import Database


class ReservationRepository:
    """Reservations by id; what they say is the domain's JSON."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> list[bytes]:
        """Every reservation, by id."""
        return [row[0] for row in self._database.query("SELECT data FROM reservations ORDER BY id")]

    def put(self, reservation_id: int, data: bytes) -> None:
        """Add a reservation, or replace the one with that id; durable, since the CSMS is told so."""
        with self._database.transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO reservations (id, data) VALUES (?, ?)", (reservation_id, data)
            )

    def remove(self, reservation_id: int) -> None:
        """Forget a reservation."""
        with self._database.transaction():
            self._database.execute("DELETE FROM reservations WHERE id = ?", (reservation_id,))
