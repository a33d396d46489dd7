import re
import subprocess
import sys
import tomllib

import pytest
from support import status_pages
from support.processes import ROOT
from support.schemas import SPEC

PAGES = ("status.md", "v16/status.md", "v201/status.md")

pytestmark = pytest.mark.skipif(
    not SPEC.is_dir(),
    reason="the specifications are not at hand; set PILOTWIRE_SPEC to the folder that holds ocpp16 etc.",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("status")
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:xdist", f"--status={folder}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def test_the_committed_status_pages_are_those_of_the_tests(made):
    for page in PAGES:
        assert (ROOT / "docs" / page).read_text(encoding="utf-8") == (made / page).read_text(), "run make status"


def marked() -> set[str]:
    """Every id that a mark in the sources may name."""
    text = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    return set(re.findall(r'"((?:1\.6-)?(?:[A-Z]\d\d|FR|SC|TC_[A-S])[.\w]*)"', text))


def known(folder: str) -> set[str]:
    found: set[str] = set()
    for name in ("requirements.csv", "errata-requirements.csv", "testcases.csv", "security-requirements.csv"):
        if (SPEC / folder / name).is_file():
            for row in status_pages.rows(folder, name):
                found |= {value for value in row.values() if isinstance(value, str) and len(value) < 30}
    return found


def test_every_requirement_that_a_test_names_exists():
    ids = {each for each in marked() if re.fullmatch(r"[A-S]\d\d\.FR\.\d+|FR\.\d+|SC\.\d+|TC_[A-S]_\w+", each)}
    assert ids
    assert sorted(ids - known("ocpp201") - known("ocpp21")) == []


def test_every_requirement_of_the_white_paper_that_a_test_names_exists():
    ids = {each.removeprefix("1.6-") for each in marked() if re.fullmatch(r"1\.6-[A-S]\d\d\.FR\.\d+", each)}
    assert ids
    assert sorted(ids - known("ocpp16")) == []


@pytest.mark.parametrize(("version", "prefix"), [("v16", "1.6-"), ("v201", "")])
def test_what_does_not_apply_exists_and_no_test_names_it(version, prefix):
    reasons = status_pages.not_applicable(version)
    assert sorted(set(reasons) - known({"v16": "ocpp16", "v201": "ocpp201"}[version])) == []
    assert sorted(each for each in reasons if prefix + each in marked()) == []


@pytest.mark.parametrize("version", ["v16", "v201"])
def test_what_does_not_apply_stands_under_its_block(version):
    path = ROOT / "tests/conformance" / version / "not_applicable.toml"
    for block, table in tomllib.loads(path.read_text()).items():
        assert {status_pages.block_of(each) for each in table} <= {block if block != "generic" else ""}
