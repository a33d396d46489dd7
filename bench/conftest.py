"""Prints every benchmark group as ratios: ours and the peers' against the floor measured in the same run.

A case belongs to a group and says its role: `benchmark.extra_info["role"] = "floor" | "ours" | "peer"`, and may say its
name. Absolute times differ from machine to machine; ratios do not, much. PILOTWIRE_BENCH_JSON=FILE writes them as JSON.
"""

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest


@pytest.fixture
def role(benchmark):
    """Say what a case is in its group."""

    def say(group: str, part: str, name: str = "") -> None:
        benchmark.group = group
        benchmark.extra_info.update(role=part, name=name or part)

    return say


def pytest_terminal_summary(terminalreporter, config):
    session = getattr(config, "_benchmarksession", None)
    if session is None or not session.benchmarks:
        return
    groups = defaultdict(list)
    for benchmark in session.benchmarks:
        if not benchmark.has_error:
            groups[benchmark.group].append(benchmark)
    rows = [row for name, cases in sorted(groups.items()) for row in _rows(name, cases)]
    memory = {
        case.group: case.extra_info["memory_kib"] for case in session.benchmarks if "memory_kib" in case.extra_info
    }
    terminalreporter.section("ratios (median of each case against the floor of its group, same run)")
    for group, name, microseconds, ratio in rows:
        terminalreporter.write_line(f"{group:<48} {name:<40} {microseconds:>12.2f} us {ratio:>8}")
    for group, (ours, floor) in memory.items():
        terminalreporter.write_line(
            f"{'resident memory, ' + group:<48} {'libraries alone':<40} {floor / 1024:>11.1f} MiB   1.00 x"
        )
        terminalreporter.write_line(f"{'':<48} {'ours':<40} {ours / 1024:>11.1f} MiB {ours / floor:>6.2f} x")
    target = os.environ.get("PILOTWIRE_BENCH_JSON")
    if target:
        Path(target).write_text(
            json.dumps([dict(zip(("group", "case", "us", "ratio"), row, strict=True)) for row in rows])
        )


def _rows(group, cases):
    medians = [
        (case.extra_info.get("role", ""), case.extra_info.get("name", case.name), case.stats.median) for case in cases
    ]
    floor = min((median for part, _, median in medians if part == "floor"), default=None)
    order = {"floor": 0, "ours": 1, "peer": 2}
    for _, name, median in sorted(medians, key=lambda each: (order.get(each[0], 3), each[2])):
        ratio = f"{median / floor:.2f} x" if floor else ""
        yield group, name, median * 1e6, ratio
