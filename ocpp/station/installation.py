"""Which version of pilotwire is installed."""

import sys
from pathlib import Path

DISTRIBUTION = "pilotwire"
UNKNOWN = "unknown"


def version() -> str:
    """The installed version, "unknown" where it runs without being installed.

    Reads what `importlib.metadata` would read, without its parsers.
    """
    for folder in sys.path:
        for name in (f"{DISTRIBUTION}-*.dist-info/METADATA", f"{DISTRIBUTION}.egg-info/PKG-INFO"):
            for path in Path(folder).glob(name):
                with path.open(encoding="utf-8", errors="replace") as file:
                    for line in file:
                        if line.startswith("Version: "):
                            return line.removeprefix("Version: ").strip()
    return UNKNOWN
