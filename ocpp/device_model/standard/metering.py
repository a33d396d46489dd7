"""SampledDataCtrlr and AlignedDataCtrlr (Part 2, section Metering related)."""

from ocpp.device_model.standard.rows import RO, boolean, member_list, option, seconds

MAX_ENDED_SAMPLES = 500
"""Samples kept for the Ended event or StopTransaction; beyond it every second intermediate one goes (E07.FR.10)."""

MEASURANDS = (
    "Current.Import",
    "Current.Offered",
    "Energy.Active.Export.Register",
    "Energy.Active.Import.Interval",
    "Energy.Active.Import.Register",
    "Frequency",
    "Power.Active.Import",
    "Power.Factor",
    "Power.Offered",
    "SoC",
    "Temperature",
    "Voltage",
)
"""What meters and simulation can give; a measurand that a station's meter lacks is left out of its values."""

ENERGY = "Energy.Active.Import.Register"
MAX_LIST_LENGTH = 1000

TABLE = {
    "SampledDataCtrlr/Available": boolean(True, RO),
    "SampledDataCtrlr/Enabled": boolean(True),
    "SampledDataCtrlr/SignReadings": boolean(False),
    "SampledDataCtrlr/SignStartedReadings": boolean(True),
    "SampledDataCtrlr/SignUpdatedReadings": boolean(False),
    "SampledDataCtrlr/RegisterValuesWithoutPhases": boolean(True),
    "SampledDataCtrlr/TxStartedMeasurands": member_list(ENERGY, MEASURANDS, high=MAX_LIST_LENGTH),
    "SampledDataCtrlr/TxUpdatedMeasurands": member_list(
        f"{ENERGY},Power.Active.Import,Current.Import,Voltage", MEASURANDS, high=MAX_LIST_LENGTH
    ),
    "SampledDataCtrlr/TxUpdatedInterval": seconds(60, high=86400),
    "SampledDataCtrlr/TxEndedMeasurands": member_list(ENERGY, MEASURANDS, high=MAX_LIST_LENGTH),
    "SampledDataCtrlr/TxEndedInterval": seconds(0, high=86400),
    "AlignedDataCtrlr/Available": boolean(True, RO),
    "AlignedDataCtrlr/Enabled": boolean(True),
    "AlignedDataCtrlr/SignReadings": boolean(False),
    "AlignedDataCtrlr/SignUpdatedReadings": boolean(False),
    "AlignedDataCtrlr/Measurands": member_list(ENERGY, MEASURANDS, high=MAX_LIST_LENGTH),
    "AlignedDataCtrlr/Interval": seconds(900, high=86400),
    "AlignedDataCtrlr/SendDuringIdle": boolean(False),
    "AlignedDataCtrlr/TxEndedMeasurands": member_list(ENERGY, MEASURANDS, high=MAX_LIST_LENGTH),
    "AlignedDataCtrlr/TxEndedInterval": seconds(0, high=86400),
    "OCPPCommCtrlr/PublicKeyWithSignedMeterValue": option(
        "EveryMeterValue", ("Never", "OncePerTransaction", "EveryMeterValue")
    ),
}
