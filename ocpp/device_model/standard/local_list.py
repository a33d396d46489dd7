"""LocalAuthListCtrlr (Part 2, section Local Authorization List Management related)."""

from ocpp.device_model.standard.rows import RO, boolean, integer

MAX_ENTRIES = 20_000
"""Tokens a list may hold: some 3 MB on disk, found by an index."""

ITEMS_PER_MESSAGE = 1000

TABLE = {
    "LocalAuthListCtrlr/Available": boolean(True, RO),
    "LocalAuthListCtrlr/Enabled": boolean(True),
    "LocalAuthListCtrlr/Entries": integer(0, RO, persistent=False, high=MAX_ENTRIES),
    "LocalAuthListCtrlr/ItemsPerMessage": integer(ITEMS_PER_MESSAGE, RO, constant=True),
    "LocalAuthListCtrlr/BytesPerMessage": integer(512 * 1024, RO, constant=True),
    "LocalAuthListCtrlr/SupportsExpiryDateTime": boolean(True, RO, constant=True),
    "LocalAuthListCtrlr/DisablePostAuthorize": boolean(False),
}
