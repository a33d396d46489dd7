"""`python -m cross.lock`: renew the locked versions and hashes of everything that is not built from this repository.

cross/locks/NAME.txt lists the wheels that the index has for a target; sources.txt the source archives of those it has
not, which are cross-built; build-tools.txt what builds. All are in pip's requirements format.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cross.index import LOCKS, PIP, selection
from cross.running import PROJECT, StepFailed, run
from cross.targets import RELEASES, TARGETS

EXTRAS = "hal,fast,api"
"""What a board gets beside the core."""

BUILD_TOOLS = ("build", "setuptools", "wheel", "Cython", "packaging", "pyproject_hooks")
INSTALLER = "pip"
"""In every wheelhouse: a board need not have one."""


def requirement(files: Iterable[Path], name: str, version: str) -> str:
    """A line of a lock file."""
    digests = sorted({hashlib.sha256(file.read_bytes()).hexdigest() for file in files})
    return " ".join([f"{name}=={version}", *(f"--hash=sha256:{digest}" for digest in digests)])


def _resolve() -> dict[str, str]:
    """Names and versions of everything that the project needs on a board; the same for all of them."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        project = f"{PROJECT}[{EXTRAS}]"
        run([*PIP, "install", "--quiet", "--dry-run", "--ignore-installed", "--report", report, project, INSTALLER])
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
    versions, sources = _resolve(), {}
    for target in TARGETS.values():
        lines = []
        with tempfile.TemporaryDirectory() as folder:
            for name, version in versions.items():
                wanted = f"{name}=={version}"
                files = _download(selection(target), wanted, Path(folder) / name)
                if files:
                    lines.append(requirement(files, name, version))
                elif name not in sources:
                    archive = _download(
                        ["--no-binary=:all:", "--no-build-isolation"], wanted, Path(folder) / f"{name}-s"
                    )
                    sources[name] = requirement(archive, name, version)
        _write(target.name, lines)
    _write("sources", sorted(sources.values()))
    _lock_build_tools()


def _lock_build_tools() -> None:
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name in BUILD_TOOLS:
            files: list[Path] = []
            for release in RELEASES.values():
                target = TARGETS[f"x86_64-{release.tag}"]
                wanted = name if not files else f"{name}=={files[0].name.split('-')[1]}"
                files += _download(selection(target), wanted, Path(folder) / f"{name}-{release.tag}")
            lines.append(requirement(files, name, files[0].name.split("-")[1]))
    _write("build-tools", lines)


def _write(name: str, lines: list[str]) -> None:
    LOCKS.mkdir(exist_ok=True)
    (LOCKS / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    print(f"{name}: {len(lines)} locked")


if __name__ == "__main__":
    lock_all()
