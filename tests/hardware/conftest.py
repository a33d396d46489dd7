"""Drivers on emulated kernel devices; `make test-hardware` runs this folder under umockdev-wrapper."""

import pytest
from support import kernel as emulated

from hal.bench import Bench
from hal.boards import board
from ocpp.clock import SystemClock


@pytest.fixture
def kernel():
    if not emulated.available():
        pytest.skip("needs the emulated kernel: make test-hardware (umockdev, python3-gi, gir1.2-umockdev-1.0)")
    made = emulated.Kernel()
    yield made
    made.close()


@pytest.fixture
def bench():
    """A workbench on real device files; what parts hand to the loop runs at once."""
    made = Bench(board("linux"), SystemClock(), lambda work: work())
    yield made
    made.close()
