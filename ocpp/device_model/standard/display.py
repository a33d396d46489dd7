"""DisplayMessageCtrlr and TariffCostCtrlr (Part 2, sections Display Message related and Tariff & Cost related)."""

from ocpp.device_model.standard.rows import RO, boolean, integer, member_list, text

MAX_DISPLAY_MESSAGES = 50
"""Display messages at a time."""

FORMATS = ("ASCII", "UTF8", "HTML", "URI", "QRCODE")
STATES = ("Charging", "Faulted", "Idle", "Unavailable", "Suspended", "Discharging")
PRIORITIES = ("AlwaysFront", "InFront", "NormalCycle")

TABLE = {
    "DisplayMessageCtrlr/Available": boolean(True, RO),
    "DisplayMessageCtrlr/Enabled": boolean(True),
    "DisplayMessageCtrlr/DisplayMessages": integer(0, RO, high=MAX_DISPLAY_MESSAGES),
    "DisplayMessageCtrlr/SupportedFormats": member_list("ASCII,UTF8", FORMATS, RO),
    "DisplayMessageCtrlr/SupportedPriorities": member_list(",".join(PRIORITIES), PRIORITIES, RO),
    "DisplayMessageCtrlr/SupportedStates": member_list(",".join(STATES[:5]), STATES, RO, since_21=True),
    "DisplayMessageCtrlr/PersonalMessageSize": integer(512, RO),
    "TariffCostCtrlr/Available[Tariff]": boolean(True, RO),
    "TariffCostCtrlr/Enabled[Tariff]": boolean(True),
    "TariffCostCtrlr/TariffFallbackMessage": text("", high=255),
    "TariffCostCtrlr/Available[Cost]": boolean(True, RO),
    "TariffCostCtrlr/Enabled[Cost]": boolean(True),
    "TariffCostCtrlr/TotalCostFallbackMessage": text("", high=255),
    "TariffCostCtrlr/Currency": text("EUR", high=3),
    "TariffCostCtrlr/NumberOfDecimals": integer(2, high=6),
}
