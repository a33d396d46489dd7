"""Test cases of the certification document that no station we can configure can be put through, and why."""

NOT_APPLICABLE: dict[str, str] = {
    "TC_A_13_CS": "The station has one certificate towards the CSMS and another one towards EVs, never a combined one.",
    "TC_C_47_CS": "The station has no user interface to choose transactions on, so a master pass stops all of them.",
    "TC_C_48_CS": "The station has no user interface to choose transactions on, so a master pass stops all of them.",
    "TC_B_15_CS": "Every station reports the SummaryInventory, so that no station answers NotSupported.",
}
