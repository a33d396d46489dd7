"""Results of a benchmark run as data: ratios against the floor of each group, marks, and what became slower.

A group is one measurement with several cases; a subject, which is what stands before the colon in the group's name,
is what has a chapter and a plot of its own.
"""

import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

CALIBRATION_GROUP = "inbound: TransactionEvent 3x8"
"""Its floor is the calibration loop: `orjson.loads` of that frame."""

CALIBRATION_US = 11.3
"""What the calibration loop took on the machine on which the marks in microseconds were measured."""

MARGIN = 0.25
"""How much larger than in the reference a ratio may be before it is reported: two runs on a busy machine differ by less."""

ORDER = {"floor": 0, "ours": 1, "peer": 2}


@dataclass(frozen=True)
class Result:
    """One case. `us`: the fastest round; `metrics`: other figures, by name with their unit."""

    group: str
    case: str
    role: str
    us: float
    ratio: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """The chapter it belongs to."""
        return self.group.partition(":")[0]


@dataclass(frozen=True)
class Mark:
    """What a case should reach: a ratio to its floor, a time, or one of its metrics; at most or at least `limit`.

    `calibrated`: the limit was measured on another machine and is scaled by the calibration loop.
    """

    group: str
    case: str
    of: str
    limit: float
    at_least: bool = False
    calibrated: bool = False


@dataclass(frozen=True)
class Verdict:
    """A mark, what was found (None: not measured in this run) and whether that reaches it."""

    mark: Mark
    limit: float
    found: float | None

    @property
    def reached(self) -> bool | None:
        """None when it was not measured."""
        if self.found is None:
            return None
        return self.found >= self.limit if self.mark.at_least else self.found <= self.limit

    @property
    def word(self) -> str:
        """What stands in the tables."""
        return {None: "not measured", True: "reached", False: "MISSED"}[self.reached]


def with_ratios(results: Iterable[Result]) -> list[Result]:
    """The results in order, each with its ratio to the floor of its group where there is one."""
    results = list(results)
    floors: dict[str, float] = {}
    for each in results:
        if each.role == "floor":
            floors[each.group] = min(each.us, floors.get(each.group, each.us))
    results.sort(key=lambda each: (each.group, ORDER.get(each.role, len(ORDER)), each.us))
    return [
        Result(each.group, each.case, each.role, each.us, _ratio(each.us, floors.get(each.group)), each.metrics)
        for each in results
    ]


def _ratio(value: float, floor: float | None) -> float | None:
    return value / floor if floor and value else None


def load_marks(path: Path) -> list[Mark]:
    """The marks of a TOML file; ValueError for one that says neither or both of at_most and at_least."""
    marks = []
    for row in tomllib.loads(path.read_text())["mark"]:
        if ("at_most" in row) == ("at_least" in row):
            raise ValueError(f"the mark of {row['group']} needs either at_most or at_least")
        limit = row.get("at_most", row.get("at_least"))
        marks.append(
            Mark(row["group"], row["case"], row["of"], limit, "at_least" in row, bool(row.get("calibrated", False)))
        )
    return marks


def calibration(results: Iterable[Result]) -> float | None:
    """How much slower this machine is than that of the marks; None when the loop was not run."""
    for each in results:
        if each.group == CALIBRATION_GROUP and each.role == "floor":
            return each.us / CALIBRATION_US
    return None


def judge(results: Sequence[Result], marks: Iterable[Mark]) -> list[Verdict]:
    """Every mark with what was found."""
    scale = calibration(results)
    by_name = {(each.group, each.case): each for each in results}
    verdicts = []
    for mark in marks:
        limit = mark.limit * scale if mark.calibrated and scale is not None else mark.limit
        found = _figure(by_name.get((mark.group, mark.case)), mark.of)
        verdicts.append(Verdict(mark, limit, None if mark.calibrated and scale is None else found))
    return verdicts


def _figure(result: Result | None, of: str) -> float | None:
    if result is None:
        return None
    if of == "ratio":
        return result.ratio
    return result.us if of == "us" else result.metrics.get(of)


def slower(results: Iterable[Result], reference: Iterable[Result], margin: float = MARGIN) -> list[str]:
    """A sentence for each of our ratios that is larger than in the reference by more than the margin."""
    before = {(each.group, each.case): each.ratio for each in reference}
    said = []
    for each in results:
        old = before.get((each.group, each.case))
        if each.role == "ours" and each.ratio and old and each.ratio > old * (1 + margin):
            said.append(f"{each.group}, {each.case}: {old:.2f} x in the reference, {each.ratio:.2f} x now")
    return said


def dump(results: Iterable[Result], path: Path) -> None:
    """Write results as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([_rounded(asdict(each)) for each in results], indent=1) + "\n")


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    row["us"] = round(row["us"], 4)
    if row["ratio"] is not None:
        row["ratio"] = round(row["ratio"], 4)
    return row


def load(path: Path) -> list[Result]:
    """Read what `dump` wrote; nothing where there is no file."""
    return [Result(**row) for row in json.loads(path.read_text())] if path.exists() else []
