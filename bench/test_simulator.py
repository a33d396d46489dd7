"""The simulator: many stations in one process, and that a thousand cost ten times what a hundred cost."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

GROUP = "simulator: a session of each of {:,} stations"
FEW, MANY = 100, 1000


@cache
def _costs(count):
    command = [sys.executable, str(Path(__file__).with_name("simulator.py")), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _short(config):
    return float(config.getoption("benchmark_max_time")) < 1


def test_few(benchmark, role, measured):
    role(GROUP.format(FEW), "ours", "stations in one process")
    found = _costs(FEW)
    measured(found["seconds"], **{"stations": FEW, "MiB each": found["mib"]})


def test_many(benchmark, role, measured, pytestconfig):
    if _short(pytestconfig):
        pytest.skip("a thousand stations take a minute: make bench")
    role(GROUP.format(MANY), "ours", "stations in one process")
    few, many = _costs(FEW), _costs(MANY)
    measured(
        many["seconds"],
        **{
            "stations": MANY,
            "MiB each": many["mib"],
            "time of 1,000 to 10 x that of 100": many["seconds"] / few["seconds"] * FEW / MANY,
        },
    )
