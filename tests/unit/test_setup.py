"""What building the package insists on."""

import shutil
import subprocess
import sys

import pytest
from support.processes import ROOT


@pytest.mark.parametrize("name", ["v16.py", "v201.py", "v2.py"])
@pytest.mark.parametrize("content", ["ACTIONS = {}\n", "", None], ids=["emptied", "empty", "absent"])
def test_a_package_without_message_types_is_not_built(tmp_path, name, content):
    for each in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / each, tmp_path / each)
    generated = tmp_path / "ocpp/messages/_generated"
    shutil.copytree(ROOT / "ocpp/messages/_generated", generated)
    shutil.copytree(ROOT / "pyx", tmp_path / "pyx")
    (generated / name).unlink() if content is None else (generated / name).write_text(content)
    built = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert built.returncode != 0
    assert f"{name} has 0 of" in built.stderr
    assert "make generate" in built.stderr
    assert not list(tmp_path.rglob("*.so"))
