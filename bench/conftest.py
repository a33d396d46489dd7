"""Prints every benchmark group as ratios: ours and the peers' against the floor measured in the same run.

A case belongs to a group and says its role: "floor", "ours" or "peer", and may say its name. Absolute times differ from
machine to machine; ratios do not, much. PILOTWIRE_BENCH_JSON=FILE writes everything as JSON.
"""

import os
from pathlib import Path

import pytest
from ratios import MARGIN, Result, dump, judge, load, load_marks, slower, with_ratios

HERE = Path(__file__).parent

WARMUP = 100
"""Calls before the number of calls per round is chosen: a first call that makes something, once, would count as a slow case,
and the timer's own time be measured with every call of a fast one."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    config.option.benchmark_warmup, config.option.benchmark_warmup_iterations = True, WARMUP


@pytest.fixture
def role(benchmark):
    """Say what a case is in its group."""

    def say(group: str, part: str, name: str = "") -> None:
        benchmark.group = group
        benchmark.extra_info.update(role=part, name=name or part, metrics={})

    return say


@pytest.fixture
def measured(benchmark):
    """Take seconds that were measured elsewhere (in another process, or per piece of a longer run) as the rounds."""

    def take(*seconds: float, **metrics: float) -> None:
        if benchmark.stats is None:
            benchmark.pedantic(lambda: None, rounds=1)
        benchmark.stats.stats.data = list(seconds)
        benchmark.extra_info["metrics"].update(metrics)

    return take


def _results(benchmarks):
    return with_ratios(
        Result(
            case.group,
            case.extra_info.get("name", case.name),
            case.extra_info.get("role", ""),
            case.stats.min * 1e6,
            None,
            case.extra_info.get("metrics", {}),
        )
        for case in benchmarks
        if not case.has_error
    )


def pytest_terminal_summary(terminalreporter, config):
    session = getattr(config, "_benchmarksession", None)
    if session is None or not session.benchmarks:
        return
    results = _results(session.benchmarks)
    say = terminalreporter.write_line
    terminalreporter.section("ratios (fastest round of each case against the floor of its group, same run)")
    for each in results:
        ratio = f"{each.ratio:.2f} x" if each.ratio is not None else ""
        metrics = "  ".join(f"{name} {value:g}" for name, value in each.metrics.items())
        time = f"{each.us:>12.2f} us" if each.us else " " * 15
        say(f"{each.group:<46} {each.case:<42} {time} {ratio:>9}  {metrics}".rstrip())
    terminalreporter.section("marks (bench/marks.toml)")
    for verdict in judge(results, load_marks(HERE / "marks.toml")):
        mark = verdict.mark
        bound = f"{'>=' if mark.at_least else '<='} {verdict.limit:.4g}"
        found = "" if verdict.found is None else f"{verdict.found:.4g}"
        say(f"{mark.group:<46} {mark.case:<42} {mark.of:<20} {bound:>10} {found:>10}  {verdict.word}")
    for sentence in slower(results, load(HERE / "reference.json")):
        terminalreporter.write_line(f"slower than the reference by more than {MARGIN:.0%}: {sentence}", yellow=True)
    target = os.environ.get("PILOTWIRE_BENCH_JSON")
    if target:
        dump(results, Path(target))
