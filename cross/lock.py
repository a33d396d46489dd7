"""`python -m cross.lock`: renew the locked versions and hashes of everything that is not built from this repository.

cross/locks/NAME.txt lists the wheels that the index has for a target; sources.txt the source archives of those it has
not, which are cross-built; build-tools.txt what builds; test-tools.txt what tests on a board. All are in pip's
requirements format.
"""

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cross.index import EXTRAS, INSTALLER, LOCKS, PIP, requirement, selection
from cross.running import PROJECT, StepFailed, run
from cross.targets import ARCHITECTURES, TARGETS

BUILD_TOOLS = ("build", "setuptools", "wheel", "Cython", "setuptools-scm")
TEST_TOOLS = ("pytest", "pytest-asyncio", "hypothesis", "jsonschema", "rfc3339-validator")
"""What the fast part of the test suite needs on a board."""


def _resolve(*wanted: str) -> dict[str, str]:
    """Names and versions of the newest of everything that is wanted and of what it needs in turn."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        run([*PIP, "install", "--quiet", "--dry-run", "--ignore-installed", "--report", report, *wanted])
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    pairs = [(each["metadata"]["name"].lower(), each["metadata"]["version"]) for each in found]
    return {name: version for name, version in sorted(pairs) if name != "pilotwire"}


def _download(options: list[str], wanted: str, folder: Path) -> list[Path]:
    """The files that pip finds; none where the index has no such file."""
    folder.mkdir()
    try:
        run([*PIP, "download", "--quiet", "--no-deps", "--dest", folder, *options, wanted])
    except StepFailed as error:
        if "No matching distribution" not in str(error):
            raise
    return list(folder.iterdir())


def lock_all() -> None:
    """Write every lock file anew."""
    versions, sources = _resolve(f"{PROJECT}[{EXTRAS}]", INSTALLER), {}
    for target in TARGETS.values():
        lines = []
        with tempfile.TemporaryDirectory() as folder:
            for name, version in versions.items():
                wanted = f"{name}=={version}"
                files = _download(selection(target), wanted, Path(folder) / name)
                if files:
                    lines.append(requirement(files, name, version))
                elif name not in sources:
                    archive = _download(["--no-binary=:all:"], wanted, Path(folder) / f"{name}-s")
                    sources[name] = requirement(archive, name, version)
        _write(target.name, lines)
    _write("sources", sorted(sources.values()))
    _lock_tools("build-tools", BUILD_TOOLS, ["x86_64"])
    _lock_tools("test-tools", TEST_TOOLS, list(ARCHITECTURES))


def _lock_tools(lock: str, names: Iterable[str], architectures: list[str]) -> None:
    """Lock packages that have wheels everywhere, in one file for all targets."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name, version in _resolve(*names).items():
            files: list[Path] = []
            for target in TARGETS.values():
                if target.architecture.name in architectures:
                    place = Path(folder) / f"{name}-{target.name}"
                    files += _download(selection(target), f"{name}=={version}", place)
            lines.append(requirement(files, name, version))
    _write(lock, lines)


def _write(name: str, lines: list[str]) -> None:
    LOCKS.mkdir(exist_ok=True)
    (LOCKS / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    print(f"{name}: {len(lines)} locked")


if __name__ == "__main__":
    lock_all()
