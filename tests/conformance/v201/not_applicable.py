"""Test cases of the certification document that no station we can configure can be put through, and why."""

NOT_APPLICABLE: dict[str, str] = {
    "TC_N_04_CS": "every monitoring criterion is supported, and what is not a criterion fails the schema",
    "TC_N_07_CS": "every monitoring base is supported, and what is not a base fails the schema",
}
