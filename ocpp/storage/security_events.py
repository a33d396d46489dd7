"""The security event log: bounded, and with a note which events the CSMS has been told of."""

import msgspec

from ocpp.storage.database import Database

MAX_EVENTS = 1000
"""Events kept for diagnosis; the oldest give way."""


class SecurityEvent(msgspec.Struct, frozen=True):
    """One event of the list in appendix 1 of Part 2, or a vendor's own."""

    position: int
    type: str
    at_unix: float
    info: str


class SecurityEventRepository:
    """Events on disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, event_type: str, at_unix: float, info: str, *, tell: bool = True) -> None:
        """Record an event; `tell`: the CSMS is to know of it."""
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO security_events (type, at_unix, info, sent) VALUES (?, ?, ?, ?)",
                (event_type, at_unix, info, not tell),
            )
            self._database.execute(
                "DELETE FROM security_events WHERE position <= (SELECT max(position) FROM security_events) - ?",
                (MAX_EVENTS,),
            )

    def unsent(self, limit: int) -> list[SecurityEvent]:
        """The oldest events the CSMS does not know yet."""
        rows = self._database.query(
            "SELECT position, type, at_unix, info FROM security_events WHERE sent = 0 ORDER BY position LIMIT ?",
            (limit,),
        )
        return [SecurityEvent(*row) for row in rows]

    def all(self) -> list[SecurityEvent]:
        """The whole log, oldest first."""
        rows = self._database.query("SELECT position, type, at_unix, info FROM security_events ORDER BY position")
        return [SecurityEvent(*row) for row in rows]

    def mark_sent(self, position: int) -> None:
        """The CSMS knows of the event."""
        with self._database.transaction(durable=False):
            self._database.execute("UPDATE security_events SET sent = 1 WHERE position = ?", (position,))

    def last_position(self) -> int:
        """Of the newest event; 0 when there is none."""
        return int(self._database.query("SELECT coalesce(max(position), 0) FROM security_events")[0][0])

    def correct_times(self, first: int, correction_s: float, window: tuple[float, float]) -> None:
        """Move the time stamps of events from position `first` on that lie in the window: the clock had not been set."""
        with self._database.transaction(durable=False):
            self._database.execute(
                "UPDATE security_events SET at_unix = at_unix + ? WHERE position >= ? AND at_unix BETWEEN ? AND ?",
                (correction_s, first, *window),
            )
