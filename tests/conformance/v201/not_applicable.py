"""Test cases of the certification document that no station we can configure can be put through, and why."""

NOT_APPLICABLE: dict[str, str] = {}
