"""OCPPCommCtrlr, DeviceDataCtrlr, ClockCtrlr (Part 2, Referenced Components and Variables, section General)."""

from ocpp.device_model.definition import members
from ocpp.device_model.standard.rows import RO, boolean, date_time, integer, member_list, seconds, sequence_list, text

ITEMS_PER_MESSAGE = 50
"""Variables one GetVariables, SetVariables or GetReport may name."""

BYTES_PER_MESSAGE = 65536

MAX_FRAME_BYTES = 1024 * 1024
"""The largest message that is taken, once it is inflated; a longer one closes the connection with 1009. Certificate chains,
local lists within their own bounds and charging profiles are far smaller."""

TABLE = {
    "OCPPCommCtrlr/ActiveNetworkProfile": integer(0, RO, persistent=False),
    "OCPPCommCtrlr/MessageTimeout[Default]": seconds(30, RO, persistent=False),
    "OCPPCommCtrlr/FileTransferProtocols": member_list(
        "FTP,FTPS,HTTP,HTTPS", ("FTP", "FTPS", "HTTP", "HTTPS", "SFTP"), RO
    ),
    "OCPPCommCtrlr/HeartbeatInterval": seconds(300, low=1),
    "OCPPCommCtrlr/NetworkConfigurationPriority": sequence_list(
        "1",
        ("1", "2", "3"),
        check=lambda value: "" if members(value) else "names no slot: the station would be offline",
    ),
    "OCPPCommCtrlr/NetworkProfileConnectionAttempts": integer(3, low=1, high=100),
    "OCPPCommCtrlr/OfflineThreshold": seconds(60),
    "OCPPCommCtrlr/QueueAllMessages": boolean(False),
    "OCPPCommCtrlr/MessageAttempts[TransactionEvent]": integer(3, low=1, high=1000),
    "OCPPCommCtrlr/MessageAttemptInterval[TransactionEvent]": seconds(60, high=86400),
    "OCPPCommCtrlr/UnlockOnEVSideDisconnect": boolean(True),
    "OCPPCommCtrlr/ResetRetries": integer(1, high=10),
    "OCPPCommCtrlr/RetryBackOffRepeatTimes": integer(5, high=100),
    "OCPPCommCtrlr/RetryBackOffRandomRange": seconds(10, high=86400),
    "OCPPCommCtrlr/RetryBackOffWaitMinimum": seconds(10, high=86400),
    "OCPPCommCtrlr/WebSocketPingInterval": seconds(60, high=86400),
    "OCPPCommCtrlr/WebSocketMaxFrameSize": integer(MAX_FRAME_BYTES, RO, constant=True),
    "DeviceDataCtrlr/ItemsPerMessage[GetReport]": integer(ITEMS_PER_MESSAGE, RO, constant=True),
    "DeviceDataCtrlr/ItemsPerMessage[GetVariables]": integer(ITEMS_PER_MESSAGE, RO, constant=True),
    "DeviceDataCtrlr/ItemsPerMessage[SetVariables]": integer(ITEMS_PER_MESSAGE, RO, constant=True),
    "DeviceDataCtrlr/BytesPerMessage[GetReport]": integer(BYTES_PER_MESSAGE, RO, constant=True),
    "DeviceDataCtrlr/BytesPerMessage[GetVariables]": integer(BYTES_PER_MESSAGE, RO, constant=True),
    "DeviceDataCtrlr/BytesPerMessage[SetVariables]": integer(BYTES_PER_MESSAGE, RO, constant=True),
    "DeviceDataCtrlr/ConfigurationValueSize": integer(1000, RO, constant=True, high=1000),
    "DeviceDataCtrlr/ReportingValueSize": integer(2500, RO, constant=True, high=2500),
    "DeviceDataCtrlr/ValueSize": integer(1000, RO, constant=True, since_21=True),
    "ClockCtrlr/DateTime": date_time(persistent=False),
    "ClockCtrlr/TimeSource": sequence_list("Heartbeat", ("Heartbeat", "NTP", "RealTimeClock")),
    "ClockCtrlr/TimeAdjustmentReportingThreshold": seconds(20),
    "ClockCtrlr/TimeZone": text("UTC", high=64),
    "ClockCtrlr/TimeOffset": text("+00:00", high=6),
}
