"""Who may charge: local list, cache, CSMS, and the offline rules (C01, C10-C15; 1.6 sections 3.4 and 3.5)."""

import logging
from collections.abc import Awaitable, Callable

import msgspec

from ocpp.clock import Clock
from ocpp.core.identity import (
    LONGEST_TOKEN,
    UNQUESTIONED_TYPES,
    UNTYPED,
    AuthorizationInfo,
    AuthorizationStatus,
    IdToken,
)
from ocpp.core.key_codes import KEY_CODE
from ocpp.device_model import DeviceModel
from ocpp.errors import RpcError, StorageError
from ocpp.storage.tokens import TokenRepository

log = logging.getLogger(__name__)

AskCsms = Callable[[IdToken], Awaitable[AuthorizationInfo]]
"""Asks the CSMS about a token; raises RpcError when there is no answer to be had."""


class Authorizer:
    """Decides about tokens. The strategy supplies `ask_csms` and `online`; everything else is version-independent."""

    def __init__(self, model: DeviceModel, tokens: TokenRepository, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._cache_enabled = model.boolean("AuthCacheCtrlr/Enabled")
        self._cache_life_time = model.integer("AuthCacheCtrlr/LifeTime")
        self._list_enabled = model.boolean("LocalAuthListCtrlr/Enabled")
        self._list_expires = model.boolean("LocalAuthListCtrlr/SupportsExpiryDateTime")
        self._list_is_final = model.boolean("LocalAuthListCtrlr/DisablePostAuthorize")
        self._cache_is_final = model.boolean("AuthCacheCtrlr/DisablePostAuthorize")
        self._local_offline = model.boolean("AuthCtrlr/LocalAuthorizeOffline")
        self._local_pre = model.boolean("AuthCtrlr/LocalPreAuthorize")
        self._unknown_offline = model.boolean("AuthCtrlr/OfflineTxForUnknownIdEnabled")
        self._master_pass = model.text("AuthCtrlr/MasterPassGroupId")
        self._local_only = model.boolean("AuthCtrlr/DisableRemoteAuthorization")
        self._required = model.boolean("AuthCtrlr/Enabled")
        self.ask_csms: AskCsms | None = None
        self.online: Callable[[], bool] = lambda: False
        self.longest: Callable[[], int] = lambda: min(LONGEST_TOKEN.values())
        """How many characters of a token the version spoken can tell."""
        self.conflict: Callable[[IdToken], None] = lambda token: None
        """Called when the CSMS says something else about a token than the local list."""

    @property
    def required(self) -> bool:
        """False: energy is offered to whoever plugs in (AuthCtrlr.Enabled)."""
        return self._required.value

    def can_tell(self, token: IdToken) -> bool:
        """Whether the CSMS can be told the whole token: cut, two cards would be one driver."""
        return len(token.value) <= self.longest()

    def is_master(self, info: AuthorizationInfo) -> bool:
        """Whether the token's group is the master pass, which stops transactions and starts none (C16.FR.03)."""
        group = self._master_pass.value
        return bool(group) and info.group is not None and info.group.matches(IdToken(group, UNTYPED))

    async def authorize(self, token: IdToken) -> AuthorizationInfo:
        """What holds for a presented token now. Never raises: without an answer the offline rules decide."""
        if self.online() and self._local_only.value:
            return self.known(token) or AuthorizationInfo(status=AuthorizationStatus.UNKNOWN)
        if self.online() and self.ask_csms is not None:
            known = self.known(token) if self._local_pre.value else None
            if known is not None and (known.accepted or self._is_final(token)):
                return known
            try:
                info = await self.ask_csms(token)
            except RpcError as error:
                log.warning("the CSMS was not able to authorize %s (%s): offline rules apply", redacted(token), error)
            else:
                self.remember(token, info)
                return info
        return self.authorize_offline(token)

    def authorize_offline(self, token: IdToken) -> AuthorizationInfo:
        """The offline rules (C13, C15; 1.6 section 3.4)."""
        known = self.known(token)
        if known is not None:
            if self._local_offline.value:
                return known
            return AuthorizationInfo(status=AuthorizationStatus.INVALID, group=known.group)
        if self._unknown_offline.value:
            return AuthorizationInfo(status=AuthorizationStatus.ACCEPTED)
        return AuthorizationInfo(status=AuthorizationStatus.UNKNOWN)

    def known(self, token: IdToken) -> AuthorizationInfo | None:
        """What local list (first, C13.FR.01) or cache say; None when neither knows the token."""
        if self._list_enabled.value:
            info = self._from_list(token)
            if info is not None:
                return info
        if self._cache_enabled.value:
            return self._from_cache(token)
        return None

    def _from_list(self, token: IdToken) -> AuthorizationInfo | None:
        stored = self._tokens.list_entry(token.key)
        if stored is None:
            return None
        info = decode_info(stored)
        if self._list_expires.value and info.accepted and self._expired(info):
            return msgspec.structs.replace(info, status=AuthorizationStatus.EXPIRED)
        return info

    def _is_final(self, token: IdToken) -> bool:
        """Whether the CSMS is not asked about a token that is known and not accepted (…DisablePostAuthorize)."""
        listed = self._list_enabled.value and self._tokens.list_entry(token.key) is not None
        return self._list_is_final.value if listed else self._cache_is_final.value

    def _from_cache(self, token: IdToken) -> AuthorizationInfo | None:
        entry = self._tokens.cache_entry(token.key, now_unix=self._clock.unix())
        if entry is None:
            return None
        info = decode_info(entry)
        self._note_use(token, info)
        if self._expired(info):
            return msgspec.structs.replace(info, status=AuthorizationStatus.EXPIRED)
        return info

    def _note_use(self, token: IdToken, info: AuthorizationInfo) -> None:
        """The life time counts from the last use, unless the CSMS named an end (C10.FR.08)."""
        now = self._clock.unix()
        try:
            self._tokens.use_cache_entry(token.key, now_unix=now, expires_unix=self._life_end(info))
        except StorageError as error:
            log.error("the use of token %s is not noted: %s", redacted(token), error)

    def _life_end(self, info: AuthorizationInfo) -> float | None:
        if info.expiry is not None:
            return info.expiry.timestamp()
        life_time = self._cache_life_time.value
        return self._clock.unix() + life_time if life_time > 0 else None

    def _expired(self, info: AuthorizationInfo) -> bool:
        return info.expiry is not None and info.expiry <= self._clock.now()

    def remember(self, token: IdToken, info: AuthorizationInfo) -> None:
        """Put what the CSMS said into the cache, whatever its status (C10.FR.01, .04, .05).

        What the local list knows is not cached (1.6 section 3.5.3); `conflict` hears when the CSMS disagrees with it.
        """
        listed = self._from_list(token) if self._list_enabled.value else None
        if listed is not None:
            if listed.accepted is not info.accepted:
                log.warning("the local list says %s about %s, the CSMS %s", listed.status, redacted(token), info.status)
                self.conflict(token)
            return
        if not self._cache_enabled.value or token.type in UNQUESTIONED_TYPES or not token.value:
            return
        now, end = self._clock.unix(), self._life_end(info)
        try:
            self._tokens.put_cache_entry(token.key, encode_info(info), now_unix=now, expires_unix=end)
        except StorageError as error:
            log.error("token %s is not cached: %s", redacted(token), error)

    @property
    def caches(self) -> bool:
        """Whether what the CSMS says is cached (AuthCacheCtrlr.Enabled)."""
        return self._cache_enabled.value

    def clear_cache(self) -> None:
        """Forget every cached token, also while the cache is switched off. Raises StorageError."""
        self._tokens.clear_cache()


def encode_info(info: AuthorizationInfo) -> bytes:
    """The stored form of an authorization."""
    return msgspec.json.encode(info)


def decode_info(stored: bytes) -> AuthorizationInfo:
    """Back from the stored form."""
    return msgspec.json.decode(stored, type=AuthorizationInfo)


def redacted(token: IdToken) -> str:
    """A token as logs may show it: enough for a technician to tell two cards apart, nothing of a key code (C04.FR.04)."""
    if token.type == KEY_CODE:
        return "…"
    return f"{token.value[:2]}…{token.value[-2:]}" if len(token.value) > 6 else "…"
