"""AuthCtrlr and AuthCacheCtrlr (Part 2, sections Authorization related and Authorization Cache related)."""

from ocpp.device_model.standard.rows import RO, boolean, option, seconds, text

TABLE = {
    "AuthCtrlr/Enabled": boolean(True),
    "AuthCtrlr/OfflineTxForUnknownIdEnabled": boolean(False),
    "AuthCtrlr/AuthorizeRemoteStart": boolean(True),
    "AuthCtrlr/LocalAuthorizeOffline": boolean(True),
    "AuthCtrlr/LocalPreAuthorize": boolean(False),
    "AuthCtrlr/MasterPassGroupId": text("", high=36),
    "AuthCtrlr/DisableRemoteAuthorization": boolean(False),
    "AuthCacheCtrlr/Available": boolean(True, RO),
    "AuthCacheCtrlr/Enabled": boolean(True),
    "AuthCacheCtrlr/LifeTime": seconds(0),
    "AuthCacheCtrlr/Policy": option("LRU", ("LRU",), RO),
    "AuthCacheCtrlr/DisablePostAuthorize": boolean(False),
}
