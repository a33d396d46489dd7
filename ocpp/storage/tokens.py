"""What is known about id tokens: the authorization cache (bounded) and the local authorization list."""

import hashlib
from collections.abc import Mapping

from ocpp.storage.database import Database
from ocpp.storage.state import StateRepository

MAX_CACHE_ENTRIES = 1000
"""Tokens remembered; the ones unused for longest give way (C10.FR.07)."""

ANY_TYPE = ""
"""The type of a token whose type nobody told, as in 1.6: it stands for every type."""

TokenKey = tuple[str, str]
"""A token's value and type."""

_LIST_VERSION_KEY = "local_list_version"

_THE_TOKEN = f"token = ? AND (type = ? OR type = '{ANY_TYPE}' OR ? = '{ANY_TYPE}')"
"""Two tokens are the same when value and type are (C01.FR.25), as far as types are known."""


class TokenRepository:
    """Tokens by value and type, without regard to case; what is known of them is the domain's JSON.

    The cache holds digests instead of values (C10.FR.12): what lies on the disk names nobody.
    """

    def __init__(self, database: Database, *, max_cache_entries: int = MAX_CACHE_ENTRIES) -> None:
        self._database = database
        self._state = StateRepository(database)
        self._max_cache_entries = max_cache_entries

    # -- cache ----------------------------------------------------------------------------------------------------

    def cache_entry(self, key: TokenKey, *, now_unix: float) -> bytes | None:
        """What the cache knows of a token; nothing once its life time is over."""
        row = self._database.one(
            f"SELECT data FROM token_cache WHERE {_THE_TOKEN} AND (expires_unix IS NULL OR expires_unix > ?)",
            (*_cached(key), now_unix),
        )
        return row[0] if row is not None else None

    def use_cache_entry(self, key: TokenKey, *, now_unix: float, expires_unix: float | None = None) -> None:
        """The entry was used; its life time ends at `expires_unix` now, or when it did before."""
        with self._database.transaction(durable=False):
            self._database.execute(
                f"UPDATE token_cache SET used_unix = ?, expires_unix = coalesce(?, expires_unix) WHERE {_THE_TOKEN}",
                (now_unix, expires_unix, *_cached(key)),
            )

    def put_cache_entry(self, key: TokenKey, data: bytes, *, now_unix: float, expires_unix: float | None) -> None:
        """Remember a token; the one unused for longest gives way when the cache is full."""
        token, kind, _ = _cached(key)
        with self._database.transaction(durable=False):
            self._database.execute(f"DELETE FROM token_cache WHERE {_THE_TOKEN}", (token, kind, kind))
            self._database.execute(
                "INSERT INTO token_cache (token, type, data, used_unix, expires_unix) VALUES (?, ?, ?, ?, ?)",
                (token, kind, data, now_unix, expires_unix),
            )
            self._database.execute("DELETE FROM token_cache WHERE expires_unix <= ?", (now_unix,))
            self._database.execute(
                "DELETE FROM token_cache WHERE rowid IN "
                "(SELECT rowid FROM token_cache ORDER BY used_unix DESC, rowid DESC LIMIT -1 OFFSET ?)",
                (self._max_cache_entries,),
            )

    def clear_cache(self) -> None:
        """Forget every cached token; durable, since the CSMS was told so."""
        with self._database.transaction():
            self._database.execute("DELETE FROM token_cache")

    def remove_cache_entry(self, key: TokenKey) -> None:
        """Forget one token of the cache."""
        with self._database.transaction():
            self._database.execute(f"DELETE FROM token_cache WHERE {_THE_TOKEN}", _cached(key))

    def cache_size(self) -> int:
        """How many tokens are cached."""
        row = self._database.one("SELECT count(*) FROM token_cache")
        return int(row[0]) if row is not None else 0

    # -- local list -----------------------------------------------------------------------------------------------

    def list_entry(self, key: TokenKey) -> bytes | None:
        """What the local list says about a token."""
        row = self._database.one(f"SELECT data FROM local_list WHERE {_THE_TOKEN}", _listed(key))
        return row[0] if row is not None else None

    def list_version(self) -> int:
        """The version of the local list; 0 for none."""
        return int(self._state.get(_LIST_VERSION_KEY, 0))

    def list_size(self) -> int:
        """How many tokens the list holds."""
        row = self._database.one("SELECT count(*) FROM local_list")
        return int(row[0]) if row is not None else 0

    def replace_list(self, version: int, entries: Mapping[TokenKey, bytes]) -> None:
        """Put a whole new list in the old one's place, or nothing."""
        with self._database.transaction():
            self._database.execute("DELETE FROM local_list")
            self.update_list(version, entries)

    def update_list(self, version: int, changes: Mapping[TokenKey, bytes | None]) -> None:
        """Add or replace entries, remove those given as None; all or nothing."""
        with self._database.transaction():
            for key, data in changes.items():
                token, kind, _ = _listed(key)
                self._database.execute(f"DELETE FROM local_list WHERE {_THE_TOKEN}", (token, kind, kind))
                if data is not None:
                    self._database.execute(
                        "INSERT INTO local_list (token, type, data) VALUES (?, ?, ?)", (token, kind, data)
                    )
            self._state.put(_LIST_VERSION_KEY, version)


def _cached(key: TokenKey) -> tuple[str, str, str]:
    token, kind, _ = _listed(key)
    return hashlib.sha256(token.encode()).hexdigest(), kind, kind


def _listed(key: TokenKey) -> tuple[str, str, str]:
    value, kind = key
    return value.casefold(), kind.casefold(), kind.casefold()
