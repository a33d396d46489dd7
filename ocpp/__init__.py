"""The protocol stack and the station program of pilotwire: OCPP 1.6, 2.0.1 and 2.1 behind one `ChargePoint`."""

import os
import sys


def _refuse_namesake() -> None:
    """Two distributions that share the import name merge silently in site-packages; neither works then."""
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if name.startswith("ocpp-") and name.endswith((".dist-info", ".egg-info")):
                raise ImportError(
                    f"pilotwire's package 'ocpp' and the distribution 'ocpp' ({name} in {folder or '.'}) use the same "
                    "import name and cannot share an environment. Run 'pip uninstall ocpp', reinstall pilotwire, "
                    "and keep the other one in an environment of its own."
                )


_refuse_namesake()
