"""What is put into a whole emulated machine to be tried out there."""

import hashlib
import zipfile

from cross.machine import make_defective


def _make_wheelhouse(folder):
    folder.mkdir()
    wheel = folder / "pilotwire-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("ocpp/station/program.py", "import asyncio\n")
        archive.writestr("ocpp/station/cli.py", "import argparse\n")
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (folder / "requirements.txt").write_text(f"pilotwire==1 --hash=sha256:{right}\nother==2 --hash=sha256:{'0' * 64}\n")
    return folder


def test_a_defective_release_dies_when_it_is_to_run_and_only_then(tmp_path):
    right = _make_wheelhouse(tmp_path / "right")
    before = {file.name: file.read_bytes() for file in right.iterdir()}
    wrong = make_defective(right, tmp_path / "wrong")
    with zipfile.ZipFile(wrong / "pilotwire-1-py3-none-any.whl") as archive:
        assert archive.read("ocpp/station/program.py").startswith(b"raise SystemExit(")
        assert archive.read("ocpp/station/cli.py") == b"import argparse\n"
    assert {file.name: file.read_bytes() for file in right.iterdir()} == before


def test_its_wheelhouse_asks_for_the_hash_of_the_defective_wheel(tmp_path):
    wrong = make_defective(_make_wheelhouse(tmp_path / "right"), tmp_path / "wrong")
    found = hashlib.sha256((wrong / "pilotwire-1-py3-none-any.whl").read_bytes()).hexdigest()
    own, other = (wrong / "requirements.txt").read_text().splitlines()
    assert own == f"pilotwire==1 --hash=sha256:{found}"
    assert other.endswith("0" * 64)
