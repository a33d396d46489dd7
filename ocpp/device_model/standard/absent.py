"""Controllers of blocks that this station does not have: they say so, and nothing else.

What the domain reads of them all the same is hidden from the CSMS and keeps its default.
"""

from ocpp.device_model.standard.rows import RO, boolean

TABLE = {
    "MonitoringCtrlr/Available": boolean(False, RO),
}
