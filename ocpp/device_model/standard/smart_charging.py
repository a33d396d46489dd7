"""SmartChargingCtrlr (Part 2, section Smart Charging related)."""

from ocpp.device_model.definition import DataType, Definition
from ocpp.device_model.standard.rows import RO, boolean, integer, member_list

MAX_PROFILES = 100
MAX_STACK_LEVEL = 99
MAX_PERIODS = 1024

TABLE = {
    "SmartChargingCtrlr/Available": boolean(True, RO),
    "SmartChargingCtrlr/Enabled": boolean(True),
    "SmartChargingCtrlr/ProfileStackLevel": integer(MAX_STACK_LEVEL, RO, constant=True),
    "SmartChargingCtrlr/RateUnit": member_list("A,W", ("A", "W"), RO, constant=True),
    "SmartChargingCtrlr/PeriodsPerSchedule": integer(MAX_PERIODS, RO, constant=True),
    "SmartChargingCtrlr/Entries[ChargingProfiles]": integer(0, RO, persistent=False, high=MAX_PROFILES),
    "SmartChargingCtrlr/Phases3to1": boolean(False, RO, constant=True),
    "SmartChargingCtrlr/ExternalControlSignalsEnabled": boolean(True),
    "SmartChargingCtrlr/NotifyChargingLimitWithSchedules": boolean(False),
    "SmartChargingCtrlr/LimitChangeSignificance": Definition(
        data_type=DataType.DECIMAL, mutability=boolean(True).mutability, default="1.0", low=0, high=100, unit="Percent"
    ),
}
