import os
from pathlib import Path

import pytest

from hal._native import metering, sampling
from ocpp._native import codec, framing, schedule, variables

SANITIZED = os.environ.get("PILOTWIRE_SANITIZED")


@pytest.mark.parametrize("module", [codec, framing, schedule, variables, metering, sampling])
def test_the_modules_are_those_with_the_sanitizers_where_make_sanitize_runs_them_and_nowhere_else(module):
    path = Path(module.__file__)
    assert (b"__asan_" in path.read_bytes()) is (SANITIZED is not None)
    assert SANITIZED is None or path.is_relative_to(SANITIZED)
