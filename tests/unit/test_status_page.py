import csv
import re
import subprocess
import sys

import pytest
from support.processes import ROOT
from support.schemas import SPEC


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    file = tmp_path_factory.mktemp("status") / "status.md"
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:xdist", f"--status={file}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return file.read_text(encoding="utf-8")


def test_the_committed_status_page_is_that_of_the_tests(made):
    assert (ROOT / "docs/status.md").read_text(encoding="utf-8") == made, "run make status"


def known(folder: str) -> set[str]:
    if not SPEC.is_dir():
        pytest.skip("the specifications are not at hand; set PILOTWIRE_SPEC to the folder that holds ocpp16 etc.")
    found: set[str] = set()
    for name in ("requirements.csv", "errata-requirements.csv", "testcases.csv", "security-requirements.csv"):
        path = SPEC / folder / name
        if path.is_file():
            with path.open(encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    found |= {value for value in row.values() if isinstance(value, str) and len(value) < 30}
    return found


def test_every_requirement_that_a_test_names_exists(made):
    ids = re.findall(r"^\| ((?:[A-S]\d\d\.)?FR\.\d+|TC_\w+) \|", made, re.MULTILINE)
    assert ids
    assert sorted(set(ids) - known("ocpp16") - known("ocpp201") - known("ocpp21")) == []
