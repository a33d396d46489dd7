"""Charging profiles on disk."""

from collections.abc import Sequence

import msgspec

from ocpp.storage.database import Database

PUT = "INSERT INTO charging_profiles (id, data) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data"


class ChargingProfileRepository:
    """Profiles by id; what they say is the domain's JSON, its sequences of other kinds than list and tuple included."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> list[bytes]:
        """Every profile, by id."""
        return [row[0] for row in self._database.query("SELECT data FROM charging_profiles ORDER BY id")]

    def put(self, profile_id: int, profile: object, in_place_of: Sequence[int] = ()) -> None:
        """Add a profile, or replace the one with that id and those `in_place_of`; durable, since the CSMS is told so.

        Nothing is written where it is there already: an update, unlike a replacement, looks at what is on the page.
        """
        data = msgspec.json.encode(profile, enc_hook=tuple)
        if not in_place_of:
            self._database.write(PUT, (profile_id, data))
            return
        with self._database.transaction():
            for each in in_place_of:
                self.remove(each)
            self._database.write(PUT, (profile_id, data))

    def remove(self, profile_id: int) -> None:
        """Forget a profile."""
        self._database.write("DELETE FROM charging_profiles WHERE id = ?", (profile_id,))
