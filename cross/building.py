"""One wheel from one source tree, for one target."""

import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from cross.audit import platform_tag
from cross.running import PROJECT, WORK, StepFailed, run
from cross.toolchain import EPOCH, Toolchain

SOURCES = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md", "GETTING_STARTED.md")


def commit_time() -> int:
    """When the project's last commit was made, which is the time stamp of all files in its wheels."""
    try:
        return int(run(["git", "log", "-1", "--format=%ct"], cwd=PROJECT))
    except (StepFailed, ValueError):
        return EPOCH  # not a clone: an unpacked source archive


def build_own(toolchain: Toolchain, output: Path, *, tuning: str = "") -> Path:
    """Build pilotwire; gives the wheel in `output`."""

    def fetch(folder: Path) -> None:
        for name in SOURCES:
            shutil.copy(PROJECT / name, folder / name)
        unwanted = shutil.ignore_patterns("__pycache__", "*.so", "*.c", "*.egg-info")
        for name in ("ocpp", "hal", "pyx"):
            shutil.copytree(PROJECT / name, folder / name, ignore=unwanted)

    return _build(toolchain, fetch, output, epoch=commit_time(), tuning=tuning)


def check_reproducible(toolchain: Toolchain, wheel: Path) -> None:
    """Build pilotwire once more, elsewhere, and raise StepFailed unless the wheel has the same bytes."""
    with tempfile.TemporaryDirectory() as name:
        again = build_own(toolchain, Path(name))
        if again.name != wheel.name or again.read_bytes() != wheel.read_bytes():
            raise StepFailed(f"a second build of {wheel.name} gave other bytes")


def build_sdist(toolchain: Toolchain, archive: Path, output: Path) -> Path:
    """Build another project from its source archive; gives the wheel in `output`."""

    def fetch(folder: Path) -> None:
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                _, _, member.name = member.name.partition("/")
                if member.name:
                    tar.extract(member, folder, filter="data")

    return _build(toolchain, fetch, output, epoch=EPOCH)


def _build(toolchain: Toolchain, fetch: Callable[[Path], None], output: Path, *, epoch: int, tuning: str = "") -> Path:
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=WORK) as name:
        folder = Path(name)
        source = folder / "source"
        source.mkdir()
        fetch(source)
        environment = toolchain.environment(source, epoch=epoch, tuning=tuning)
        build: list[str | Path] = [
            toolchain.python,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--skip-dependency-check",
        ]
        run([*build, "--outdir", folder / "dist", source], env=environment, cwd=folder)
        (wheel,) = (folder / "dist").glob("*.whl")
        return retag(toolchain, wheel, output)


def retag(toolchain: Toolchain, wheel: Path, output: Path) -> Path:
    """Give a wheel the manylinux tag that its libraries justify, and put it into `output`."""
    output.mkdir(parents=True, exist_ok=True)
    tag = platform_tag(wheel, toolchain.target)
    environment = toolchain.environment(wheel.parent)
    command: list[str | Path] = [toolchain.python, "-m", "wheel", "tags", "--remove", "--platform-tag", tag, wheel]
    name = run(command, env=environment, cwd=wheel.parent).split()[-1]
    return Path(shutil.move(wheel.parent / Path(name).name, output / Path(name).name))
