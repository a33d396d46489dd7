"""Network connection profiles by configuration slot."""

from ocpp.storage.database import Database


class NetworkSlotRepository:
    """Profiles as the connectivity layer's JSON."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> dict[int, bytes]:
        """Every stored profile."""
        return {row[0]: row[1] for row in self._database.query("SELECT slot, profile FROM network_slots ORDER BY slot")}

    def put(self, slot: int, profile: bytes) -> None:
        """Store a profile."""
        with self._database.transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO network_slots (slot, profile) VALUES (?, ?)", (slot, profile)
            )

    def remove(self, slot: int) -> None:
        """Empty a slot."""
        with self._database.transaction():
            self._database.execute("DELETE FROM network_slots WHERE slot = ?", (slot,))
