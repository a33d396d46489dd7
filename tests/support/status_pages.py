"""The text of the status pages: what the specifications ask for, and which tests show it."""

import csv
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from support.schemas import SPEC

TESTS = Path(__file__).parents[1]

BLOCKS = {
    "": "Generic",
    "A": "Security",
    "B": "Provisioning",
    "C": "Authorization",
    "D": "Local authorization list",
    "E": "Transactions",
    "F": "Remote control",
    "G": "Availability",
    "H": "Reservation",
    "I": "Tariff and cost",
    "J": "Meter values",
    "K": "Smart charging",
    "L": "Firmware",
    "M": "Certificates",
    "N": "Diagnostics",
    "O": "Display messages",
    "P": "Data transfer",
    "Q": "Bidirectional charging",
    "R": "Distributed energy resources",
    "S": "Battery swap",
}

MADE = "This page is made of the marks on the tests by `make status`; what no test names is not claimed."

Marks = dict[str, set[str]]
"""What a mark names -> the test files that bear it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Requirements or test cases of one block, as a specification lists them."""

    title: str
    ids: tuple[str, ...]
    prefix: str = ""
    """What marks have in front of these ids."""

    def counts(self, marks: Marks, reasons: dict[str, str]) -> tuple[int, int, int]:
        """Covered, not applicable, missing."""
        covered = sum(self.prefix + each in marks for each in self.ids)
        excused = sum(each in reasons and self.prefix + each not in marks for each in self.ids)
        return covered, excused, len(self.ids) - covered - excused


def natural(text: str) -> list[tuple[int, int, str]]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", text)]


def rows(folder: str, name: str) -> list[dict[str, str]]:
    with (SPEC / folder / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def block_of(identifier: str) -> str:
    """The block of a requirement or test case; "" for the generic ones (FR.nn)."""
    if identifier.startswith("TC_"):
        return identifier.split("_")[1]
    return "" if identifier.startswith("FR.") else "K" if identifier.startswith("SC.") else identifier[0]


def by_block(ids: Iterable[str], prefix: str = "") -> list[Wanted]:
    found: dict[str, list[str]] = {}
    for identifier in ids:
        found.setdefault(block_of(identifier), []).append(identifier)
    return [
        Wanted(
            f"{block}. {BLOCKS[block]}" if block else BLOCKS[block], tuple(sorted(found[block], key=natural)), prefix
        )
        for block in sorted(found)
    ]


def requirements_of_the_station(folder: str, name: str = "requirements.csv") -> list[str]:
    return [row["id"] for row in rows(folder, name) if row["actor"] in ("CS", "both")]


def added_by_errata() -> list[str]:
    """Requirements of 2.0.1 that stand in the errata alone and were not withdrawn again; all of them are the station's."""
    last = {row["id"]: row["change"] for row in rows("ocpp201", "errata-requirements.csv") if row["in_part2"] == "no"}
    return [identifier for identifier, change in last.items() if change != "Delete"]


def requirements_of_v201() -> list[Wanted]:
    return by_block(requirements_of_the_station("ocpp201") + added_by_errata())


def test_cases_of_the_station() -> list[str]:
    return [row["id"] for row in rows("ocpp201", "testcases.csv") if row["system_under_test"] == "Charging Station"]


def not_applicable(version: str) -> dict[str, str]:
    """Requirement or test case -> why no station we can configure can be put through it."""
    path = TESTS / "conformance" / version / "not_applicable.toml"
    return {key: reason for table in tomllib.loads(path.read_text()).values() for key, reason in table.items()}


# -- tables -----------------------------------------------------------------------------------------------------------


def counts_table(wanted: list[Wanted], marks: Marks, reasons: dict[str, str], what: str) -> str:
    text = f"| {what} | covered | not applicable | missing |\n| --- | ---: | ---: | ---: |\n"
    total = [0, 0, 0]
    for each in wanted:
        counts = each.counts(marks, reasons)
        total = [a + b for a, b in zip(total, counts, strict=True)]
        text += f"| {each.title} | {counts[0]} | {counts[1]} | {counts[2]} |\n"
    return text + f"| **all** | **{total[0]}** | **{total[1]}** | **{total[2]}** |\n"


def detail_tables(wanted: list[Wanted], marks: Marks, reasons: dict[str, str], what: str) -> str:
    text = ""
    for each in wanted:
        text += f"### {each.title}\n\n| {what} | shown in |\n| --- | --- |\n"
        for identifier in each.ids:
            text += f"| {identifier} | {_shown(each.prefix + identifier, identifier, marks, reasons)} |\n"
        text += "\n"
    return text


def _shown(mark: str, identifier: str, marks: Marks, reasons: dict[str, str]) -> str:
    if mark in marks:
        return ", ".join(sorted(marks[mark]))
    return f"not applicable: {reasons[identifier]}" if identifier in reasons else "**missing**"


# -- pages ------------------------------------------------------------------------------------------------------------


def v16_white_paper() -> list[Wanted]:
    return by_block(requirements_of_the_station("ocpp16", "security-requirements.csv"), "1.6-")


def v16_page(marks: Marks) -> str:
    reasons = not_applicable("v16")
    own = {mark.removeprefix("1.6-") for mark in marks if mark.startswith("1.6-")}
    sections = Wanted("Sections", tuple(sorted((e for e in own if e[0].isdigit()), key=natural)), "1.6-")
    scenarios = Wanted("Scenarios", tuple(sorted((e for e in own if e.startswith("TC_")), key=natural)), "1.6-")
    paper = v16_white_paper()
    text = f"# OCPP 1.6: what is shown by tests\n\n{MADE}\n\n## Security white paper, requirements of the station\n\n"
    text += counts_table(paper, marks, reasons, "block") + "\n"
    text += detail_tables(paper, marks, reasons, "requirement")
    text += "## Certification scenarios\n\n"
    text += detail_tables([scenarios], marks, {}, "scenario")
    text += "## Specification\n\n"
    return (text + detail_tables([sections], marks, {}, "section")).rstrip() + "\n"


def v201_page(marks: Marks) -> str:
    reasons = not_applicable("v201")
    requirements = requirements_of_v201()
    cases = by_block(test_cases_of_the_station())
    text = f"# OCPP 2.0.1: what is shown by tests\n\n{MADE}\n\n## Requirements of the station\n\n"
    text += counts_table(requirements, marks, reasons, "block") + "\n## Certification test cases\n\n"
    text += counts_table(cases, marks, reasons, "block") + "\n## Requirements, each\n\n"
    text += detail_tables(requirements, marks, reasons, "requirement") + "## Test cases, each\n\n"
    return (text + detail_tables(cases, marks, reasons, "test case")).rstrip() + "\n"


def overview(marks: Marks) -> str:
    """The counts of every version on one page."""
    v16, v201 = not_applicable("v16"), not_applicable("v201")
    text = f"# What is shown by tests\n\n{MADE} One by one: [1.6](v16/status.md), [2.0.1](v201/status.md).\n\n"
    text += "## OCPP 1.6, security white paper\n\n" + counts_table(v16_white_paper(), marks, v16, "block")
    text += "\n## OCPP 2.0.1, requirements of the station\n\n"
    text += counts_table(requirements_of_v201(), marks, v201, "block")
    text += "\n## OCPP 2.0.1, certification test cases\n\n"
    return text + counts_table(by_block(test_cases_of_the_station()), marks, v201, "block")


def pages(marks: Marks) -> dict[str, str]:
    """File name below the docs folder -> text. Raises FileNotFoundError where the specifications are not at hand."""
    return {"status.md": overview(marks), "v16/status.md": v16_page(marks), "v201/status.md": v201_page(marks)}
