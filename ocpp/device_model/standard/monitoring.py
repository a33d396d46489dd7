"""MonitoringCtrlr (Part 2, section Diagnostics related)."""

from ocpp.device_model.standard.rows import RO, boolean, integer, option

BASES = ("All", "FactoryDefault", "HardWiredOnly")
MAX_ITEMS = 50
"""Monitors in one SetVariableMonitoring or ClearVariableMonitoring."""

MAX_BYTES = 65536

TABLE = {
    "MonitoringCtrlr/Available": boolean(True, RO),
    "MonitoringCtrlr/Enabled": boolean(True),
    "MonitoringCtrlr/ItemsPerMessage[SetVariableMonitoring]": integer(MAX_ITEMS, RO),
    "MonitoringCtrlr/ItemsPerMessage[ClearVariableMonitoring]": integer(MAX_ITEMS, RO),
    "MonitoringCtrlr/BytesPerMessage[SetVariableMonitoring]": integer(MAX_BYTES, RO),
    "MonitoringCtrlr/BytesPerMessage[ClearVariableMonitoring]": integer(MAX_BYTES, RO),
    "MonitoringCtrlr/OfflineQueuingSeverity": integer(4, high=9),
    "MonitoringCtrlr/ActiveMonitoringBase": option("All", BASES, RO),
    "MonitoringCtrlr/ActiveMonitoringLevel": integer(9, RO, high=9),
}
