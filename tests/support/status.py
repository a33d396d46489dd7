"""The status pages, made of the marks on the tests and nothing else: `pytest --collect-only --status=docs`.

`@pytest.mark.req("E01.FR.01")` names a requirement of OCPP 2.x, `"1.6-A00.FR.301"` one of the 1.6 security white paper,
`"1.6-5.1"` a section of the 1.6 specification; `tc` marks name certification test cases the same way.
"""

from collections import defaultdict
from pathlib import Path

import pytest

from support import status_pages


def gather(items: list[pytest.Item], name: str) -> dict[str, set[str]]:
    """Mark argument -> the files of the tests that bear it."""
    found: dict[str, set[str]] = defaultdict(set)
    for item in items:
        for mark in item.iter_markers(name):
            for argument in mark.args:
                found[argument].add(item.nodeid.partition("::")[0].removeprefix("tests/"))
    return found


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--status", metavar="FOLDER", help="write the status pages from the marks of the collected tests")


def pytest_collection_finish(session: pytest.Session) -> None:
    folder = session.config.getoption("--status")
    if not folder:
        return
    if not status_pages.SPEC.is_dir():
        raise pytest.UsageError(
            f"no status page is written: the specifications are not in {status_pages.SPEC}; "
            "set PILOTWIRE_SPEC to the folder that holds ocpp16, ocpp201 and ocpp21"
        )
    pages = status_pages.pages({**gather(session.items, "req"), **gather(session.items, "tc")})
    for name, text in pages.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    for line in pages["status.md"].splitlines():
        if line.startswith(("|", "#")):
            reporter.write_line(line)
