"""The local authorization list, as the CSMS keeps it (D01, D02; 1.6 sections 5.10 and 5.15)."""

from collections.abc import Sequence
from enum import StrEnum

from ocpp.core.authorization import encode_info
from ocpp.core.identity import AuthorizationInfo, IdToken
from ocpp.device_model import DeviceModel
from ocpp.storage.tokens import TokenRepository

NO_LIST = 0
"""The version of a list that was never sent."""


class UpdateOutcome(StrEnum):
    """SendLocalListStatusEnumType; 1.6 UpdateStatus."""

    ACCEPTED = "Accepted"
    FAILED = "Failed"
    VERSION_MISMATCH = "VersionMismatch"


Entries = Sequence[tuple[IdToken, AuthorizationInfo | None]]


class LocalList:
    """The list and its version; only the CSMS changes it (D01.FR.09).

    `empty_is_none`: an empty list has version 0 (1.6 section 5.10), whatever number it came with; in 2.x it keeps its own
    (D01.FR.04).
    """

    def __init__(self, model: DeviceModel, tokens: TokenRepository, *, empty_is_none: bool = False) -> None:
        self._tokens = tokens
        self._enabled = model.boolean("LocalAuthListCtrlr/Enabled")
        self._items = model.integer("LocalAuthListCtrlr/ItemsPerMessage")
        entries = model.entry("LocalAuthListCtrlr/Entries")
        entries.getter = lambda: str(tokens.list_size())
        self._most = int(entries.definition.high or 0)
        self._empty_is_none = empty_is_none

    @property
    def enabled(self) -> bool:
        """LocalAuthListCtrlr.Enabled."""
        return self._enabled.value

    @property
    def version(self) -> int:
        """The version the CSMS gave the list; 0 while there is none, or it is switched off (D02.FR.02-03)."""
        if not self.enabled or (self._empty_is_none and self._tokens.list_size() == 0):
            return NO_LIST
        return self._tokens.list_version()

    def replace(self, version: int, entries: Entries) -> UpdateOutcome:
        """A full update: the list is what is given, nothing else (D01.FR.04, .15)."""
        if not self._fits(version, entries) or any(info is None for _, info in entries):
            return UpdateOutcome.FAILED
        if len(entries) > self._most:
            return UpdateOutcome.FAILED
        self._tokens.replace_list(version, {token.key: encode_info(info) for token, info in entries if info})
        return UpdateOutcome.ACCEPTED

    def update(self, version: int, entries: Entries) -> UpdateOutcome:
        """A differential update: entries with information are added or replaced, those without removed."""
        if not self._fits(version, entries):
            return UpdateOutcome.FAILED
        if version <= self.version:
            return UpdateOutcome.VERSION_MISMATCH
        changes = {token.key: encode_info(info) if info is not None else None for token, info in entries}
        added = sum(1 for key, info in changes.items() if info and self._tokens.list_entry(key) is None)
        removed = sum(1 for key, info in changes.items() if not info and self._tokens.list_entry(key) is not None)
        if self._tokens.list_size() + added - removed > self._most:
            return UpdateOutcome.FAILED
        self._tokens.update_list(version, changes)
        return UpdateOutcome.ACCEPTED

    def _fits(self, version: int, entries: Entries) -> bool:
        """Switched on, a version that can be one, not too long, no token twice (D01.FR.06, .11, .18)."""
        keys = {(token.value.casefold(), token.type.casefold()) for token, _ in entries}
        return self.enabled and version > NO_LIST and len(entries) <= self._items.value and len(keys) == len(entries)
