"""Test cases of the certification document that no station we can configure can be put through, and why."""

NOT_APPLICABLE: dict[str, str] = {
    "TC_A_13_CS": "The station has one certificate towards the CSMS and another one towards EVs, never a combined one.",
    "TC_B_15_CS": "Every station reports the SummaryInventory, so that no station answers NotSupported.",
}
