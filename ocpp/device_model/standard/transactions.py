"""TxCtrlr (Part 2, section Transaction related)."""

from ocpp.device_model.standard.rows import boolean, integer, member_list, seconds

TX_POINTS = ("ParkingBayOccupancy", "EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer", "DataSigned")
STOP_POINTS = tuple(point for point in TX_POINTS if point != "DataSigned")
"""DataSigned has no meaning as a stop point (Part 2, section 2.6.6.2; errata 2.24)."""

TABLE = {
    "TxCtrlr/EVConnectionTimeOut": seconds(120, high=86400),
    "TxCtrlr/StopTxOnEVSideDisconnect": boolean(True),
    "TxCtrlr/TxBeforeAcceptedEnabled": boolean(False),
    "TxCtrlr/TxStartPoint": member_list("PowerPathClosed", TX_POINTS),
    "TxCtrlr/TxStopPoint": member_list("PowerPathClosed", STOP_POINTS),
    "TxCtrlr/MaxEnergyOnInvalidId": integer(0, unit="Wh"),
    "TxCtrlr/StopTxOnInvalidId": boolean(True),
    "TxCtrlr/ResumptionTimeout": seconds(0, high=7 * 86400),
}
