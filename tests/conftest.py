"""What every test folder shares."""

import os

from hypothesis import settings

pytest_plugins = ["support.status"]

# The gate tries the same examples every time; everywhere else new ones are looked for.
settings.register_profile("gate", derandomize=True)
if os.environ.get("PILOTWIRE_CI"):
    settings.load_profile("gate")
