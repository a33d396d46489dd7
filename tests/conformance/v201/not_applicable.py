"""Test cases of the certification document that no station we can configure can be put through, and why."""

NOT_APPLICABLE: dict[str, str] = {
    "TC_N_04_CS": "every monitoring criterion is supported, and what is not a criterion fails the schema",
    "TC_N_07_CS": "every monitoring base is supported, and what is not a base fails the schema",
    "TC_A_13_CS": "The station has one certificate towards the CSMS and another one towards EVs, never a combined one.",
    "TC_B_15_CS": "Every station reports the SummaryInventory, so that no station answers NotSupported.",
}
