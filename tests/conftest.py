"""What every test folder shares."""

pytest_plugins = ["support.status"]
