"""The status page, made of the marks on the tests and nothing else: `pytest --collect-only --status=docs/status.md`."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

HEAD = """# What is shown by tests

Every requirement below is named by a test (`@pytest.mark.req`), every test case of the certification document carries
its id (`@pytest.mark.tc`). This page is made of those marks by `make status`; what is not listed here is not claimed.

"""

BLOCKS = {
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


def section_of(requirement: str) -> tuple[str, str]:
    """Sort key and heading of the section that a requirement belongs to."""
    if requirement.startswith("1.6-"):
        return "0", "OCPP 1.6 (sections of the specification)"
    if requirement.startswith("FR."):
        return "1", "OCPP 2.0.1 and 2.1: generic"
    block = "K" if requirement.startswith("SC.") else requirement[0]
    return f"2{block}", f"OCPP 2.0.1 and 2.1: {block}. {BLOCKS.get(block, 'Other')}"


def natural(text: str) -> list[object]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", text)]


def page(marks: dict[str, set[str]], cases: dict[str, set[str]]) -> str:
    """The page: for each section the requirements, each with the files of the tests that name it."""
    sections: dict[tuple[str, str], list[str]] = defaultdict(list)
    for requirement in marks:
        sections[section_of(requirement)].append(requirement)
    text = HEAD
    for (_, title), requirements in sorted(sections.items()):
        text += f"## {title}\n\n| requirement | shown in |\n| --- | --- |\n"
        for requirement in sorted(requirements, key=natural):
            text += f"| {requirement.removeprefix('1.6-')} | {', '.join(sorted(marks[requirement]))} |\n"
        text += "\n"
    if cases:
        text += "## Certification test cases\n\n| test case | carried out in |\n| --- | --- |\n"
        for case in sorted(cases, key=natural):
            text += f"| {case} | {', '.join(sorted(cases[case]))} |\n"
        text += "\n"
    return text.rstrip() + "\n"


def gather(items: list[pytest.Item], name: str) -> dict[str, set[str]]:
    """Mark argument -> the files of the tests that bear it."""
    found: dict[str, set[str]] = defaultdict(set)
    for item in items:
        for mark in item.iter_markers(name):
            for argument in mark.args:
                found[argument].add(item.nodeid.partition("::")[0].removeprefix("tests/"))
    return found


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--status", metavar="FILE", help="write the status page from the marks of the collected tests")


def pytest_collection_finish(session: pytest.Session) -> None:
    file = session.config.getoption("--status")
    if file:
        Path(file).write_text(page(gather(session.items, "req"), gather(session.items, "tc")), encoding="utf-8")
