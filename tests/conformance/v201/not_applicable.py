"""Test cases of the certification document that no station we can configure can be put through, and why."""

NOT_APPLICABLE: dict[str, str] = {
    "TC_B_15_CS": "Every station reports the SummaryInventory, so that no station answers NotSupported.",
}
