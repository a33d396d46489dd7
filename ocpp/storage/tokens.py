"""What is known about id tokens: the authorization cache (bounded) and the local authorization list."""

from collections.abc import Mapping

from ocpp.storage.database import Database
from ocpp.storage.state import StateRepository

MAX_CACHE_ENTRIES = 1000
"""Tokens remembered; the ones unused for longest give way (C10.FR.07)."""

_LIST_VERSION_KEY = "local_list_version"


class TokenRepository:
    """Tokens by value, without regard to case; what is known of them is the domain's JSON."""

    def __init__(self, database: Database, *, max_cache_entries: int = MAX_CACHE_ENTRIES) -> None:
        self._database = database
        self._state = StateRepository(database)
        self._max_cache_entries = max_cache_entries

    # -- cache ----------------------------------------------------------------------------------------------------

    def cache_entry(self, value: str, *, now_unix: float) -> bytes | None:
        """What the cache knows of a token; nothing once its life time is over."""
        row = self._database.one(
            "SELECT data FROM token_cache WHERE token = ? AND (expires_unix IS NULL OR expires_unix > ?)",
            (value.casefold(), now_unix),
        )
        return row[0] if row is not None else None

    def use_cache_entry(self, value: str, *, now_unix: float, expires_unix: float | None = None) -> None:
        """The entry was used; its life time ends at `expires_unix` now, or when it did before."""
        with self._database.transaction(durable=False):
            self._database.execute(
                "UPDATE token_cache SET used_unix = ?, expires_unix = coalesce(?, expires_unix) WHERE token = ?",
                (now_unix, expires_unix, value.casefold()),
            )

    def put_cache_entry(self, value: str, data: bytes, *, now_unix: float, expires_unix: float | None) -> None:
        """Remember a token; the one unused for longest gives way when the cache is full."""
        with self._database.transaction(durable=False):
            self._database.execute(
                "INSERT OR REPLACE INTO token_cache VALUES (?, ?, ?, ?)",
                (value.casefold(), data, now_unix, expires_unix),
            )
            self._database.execute("DELETE FROM token_cache WHERE expires_unix <= ?", (now_unix,))
            self._database.execute(
                "DELETE FROM token_cache WHERE token IN "
                "(SELECT token FROM token_cache ORDER BY used_unix DESC, token LIMIT -1 OFFSET ?)",
                (self._max_cache_entries,),
            )

    def clear_cache(self) -> None:
        """Forget every cached token; durable, since the CSMS was told so."""
        with self._database.transaction():
            self._database.execute("DELETE FROM token_cache")

    def remove_cache_entry(self, value: str) -> None:
        """Forget one token of the cache."""
        with self._database.transaction():
            self._database.execute("DELETE FROM token_cache WHERE token = ?", (value.casefold(),))

    def cache_size(self) -> int:
        """How many tokens are cached."""
        row = self._database.one("SELECT count(*) FROM token_cache")
        return int(row[0]) if row is not None else 0

    # -- local list -----------------------------------------------------------------------------------------------

    def list_entry(self, value: str) -> bytes | None:
        """What the local list says about a token."""
        row = self._database.one("SELECT data FROM local_list WHERE token = ?", (value.casefold(),))
        return row[0] if row is not None else None

    def list_version(self) -> int:
        """The version of the local list; 0 for none."""
        return int(self._state.get(_LIST_VERSION_KEY, 0))

    def list_size(self) -> int:
        """How many tokens the list holds."""
        row = self._database.one("SELECT count(*) FROM local_list")
        return int(row[0]) if row is not None else 0

    def replace_list(self, version: int, entries: Mapping[str, bytes]) -> None:
        """Put a whole new list in the old one's place, or nothing."""
        with self._database.transaction():
            self._database.execute("DELETE FROM local_list")
            self.update_list(version, entries)

    def update_list(self, version: int, changes: Mapping[str, bytes | None]) -> None:
        """Add or replace entries, remove those given as None; all or nothing."""
        with self._database.transaction():
            for value, data in changes.items():
                if data is None:
                    self._database.execute("DELETE FROM local_list WHERE token = ?", (value.casefold(),))
                else:
                    self._database.execute("INSERT OR REPLACE INTO local_list VALUES (?, ?)", (value.casefold(), data))
            self._state.put(_LIST_VERSION_KEY, version)
