"""What was seen on emulated boards: kept for each of them, and written as docs/common/boards.md."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cross.running import PROJECT, WORK, StepFailed, run
from cross.targets import TARGETS, Target

PAGE = PROJECT / "docs" / "common" / "boards.md"

HEAD = """# Boards: what was seen

Written by `make boards`, `make machine` and `python -m cross.tuning`; how to set up a board is told in
[flashing](flashing.md). All of it was seen on emulated boards with Debian's own Python and libraries, not on ones of metal.
qemu carries out every instruction, so instructions and memory are what a board has, too; times say nothing and are left out.
"""


@dataclass(frozen=True, slots=True)
class Report:
    """Of one board."""

    target: str
    commit: str = ""
    wheels: list[str] = field(default_factory=list)
    """Lines of a table: pilotwire's wheel and those that were built for the board."""
    wheelhouse: str = ""
    """How many wheels, and kB."""
    demos: list[str] = field(default_factory=list)
    """The versions whose demo session came to its end."""
    tests: str = ""
    """pytest's counts."""
    upgrade: list[str] = field(default_factory=list)
    starts: list[str] = field(default_factory=list)
    """Lines of a table."""
    tuning: list[str] = field(default_factory=list)
    """A table: what builds for one processor would save."""
    machine: list[str] = field(default_factory=list)
    """What was found under the board's own kernel and systemd."""
    machine_commit: str = ""

    @staticmethod
    def load(target: Target, folder: Path = WORK) -> "Report":
        """What was seen of a board so far."""
        file = folder / "reports" / f"{target.name}.json"
        return Report(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else Report(target.name)

    @staticmethod
    def note(target: Target, folder: Path = WORK, page: Path = PAGE, **seen: Any) -> "Report":
        """Keep what one command saw, beside what others saw in the meantime, and write the page anew."""
        file = folder / "reports" / f"{target.name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        report = replace(Report.load(target, folder), **seen)
        file.write_text(json.dumps(asdict(report), indent=1), encoding="utf-8")
        found = [Report.load(each, folder) for each in TARGETS.values()]
        page.write_text(
            render([each for each in found if each.commit or each.machine or each.tuning]), encoding="utf-8"
        )
        return report


def commit() -> str:
    """The commit that is tried out, with a plus sign when there are changes beside it."""
    try:
        changed = run(["git", "status", "--porcelain", "--untracked-files=no"], cwd=PROJECT).strip()
        changes = [line for line in changed.splitlines() if not line.endswith(PAGE.name)]
        return run(["git", "rev-parse", "--short=10", "HEAD"], cwd=PROJECT).strip() + ("+" if changes else "")
    except StepFailed:
        return "no commit"  # an unpacked source archive


def render(reports: list[Report]) -> str:
    """The page."""
    tried = [each for each in reports if each.commit]
    lines = [HEAD]
    if tried:
        lines += ["| board | commit | wheelhouse | demo sessions | fast tests |", "| --- | --- | --- | --- | --- |"]
        lines += [
            f"| {each.target} | {each.commit} | {each.wheelhouse} | {', '.join(each.demos)} | {each.tests} |"
            for each in tried
        ]
        lines += [
            "",
            "The wheelhouse was installed without a network; a second build of pilotwire's wheel gave the same bytes.",
            "",
        ]
        lines += ["## Wheels built here", "", "| wheel | kB | libraries | kB unpacked | newest glibc symbol |"]
        lines += ["| --- | ---: | ---: | ---: | --- |", *(line for each in tried for line in each.wheels), ""]
        lines += [
            "## A start",
            "",
            "| board | start of | million instructions | MB of memory more |",
            "| --- | --- | ---: | ---: |",
        ]
        lines += [*(line for each in tried for line in each.starts), ""]
        lines += ["## An upgrade over OCPP, a refused downgrade, and an upgrade that is taken back", ""]
        lines += [
            line for each in tried for line in [f"{each.target}:", "", *(f"1. {step}" for step in each.upgrade), ""]
        ]
    tuned = [each for each in reports if each.tuning]
    if tuned:
        lines += [
            "## Builds for one processor",
            "",
            "Instructions of the build for all, and how many more or fewer with",
            "",
        ]
        lines += [line for each in tuned for line in [*each.tuning, ""]]
    for each in reports:
        if each.machine:
            lines += [
                f"## {each.target}, a whole machine",
                "",
                f"Commit {each.machine_commit}, under its own kernel and systemd:",
                "",
            ]
            lines += [*(f"- {line}" for line in each.machine), ""]
    return "\n".join(lines).rstrip() + "\n"
