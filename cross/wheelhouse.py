"""`python -m cross.wheelhouse [--output DIR] [TARGET ...]`: a folder of wheels that installs a board without a network.

The folder holds pilotwire and everything it needs there, pip included, and `requirements.txt` with a version and a hash
for each. On the board:

    python3 pip-*.whl/pip install --no-index --find-links . --require-hashes -r requirements.txt
"""

import argparse
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from cross.audit import check
from cross.building import build_own, build_sdist
from cross.index import EXTRAS, INSTALLER, LOCKS, PIP, requirement, selection
from cross.running import PROJECT, WORK, StepFailed, fetch
from cross.targets import TARGETS, Target, chosen
from cross.toolchain import Toolchain, install_compilers

REQUIREMENTS = "requirements.txt"
SOURCES = LOCKS / "sources.txt"


def locked(file: Path) -> dict[str, str]:
    """The lines of a lock file by project."""
    lines = file.read_text(encoding="ascii").splitlines()
    return {line.partition("==")[0]: line for line in lines}


def make(target: Target, folder: Path, *, fast: bool = True) -> Path:
    """Fill a folder; what was in it is gone. Raises StepFailed when something cannot be fetched or built,
    or does not run on the target.

    Without `fast` there is no uvloop, which takes minutes to build where the index has none.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    download = [*PIP, "download", "--quiet", "--no-deps", "--require-hashes"]
    lock = LOCKS / f"{target.name}.txt"
    fetch([*download, *selection(target), "--dest", folder, "-r", lock])
    toolchain = Toolchain(target)
    for name in sorted(locked(SOURCES).keys() - locked(lock).keys()):
        if fast or name != "uvloop":
            shutil.copy(_built(toolchain, name), folder)
    own = build_own(toolchain, folder)
    for wheel in sorted(folder.glob("*.whl")):
        check(wheel, target)
    _write_requirements(folder, own, EXTRAS if list(folder.glob("uvloop-*")) else EXTRAS.replace("fast,", ""))
    return folder


def is_built_here(target: Target, wheel: Path) -> bool:
    """Whether a wheel in a wheelhouse is pilotwire's or was built since the index has none for the target."""
    name = wheel.name.split("-")[0]
    return name == "pilotwire" or name in locked(SOURCES).keys() - locked(LOCKS / f"{target.name}.txt").keys()


def _built(toolchain: Toolchain, name: str) -> Path:
    """The wheel of a project that has none for the target, built unless that was done before."""
    line = locked(SOURCES)[name]
    version = line.split()[0].partition("==")[2]
    folder = WORK / "built" / toolchain.target.name
    ready = sorted(folder.glob(f"{name}-{version}-*.whl"))
    return ready[0] if ready else build_sdist(toolchain, _archive(name, line), folder)


def _archive(name: str, line: str) -> Path:
    """The source archive, with the hash that the lock file asks for."""
    folder = WORK / "sources" / line.split()[0]
    if not folder.is_dir():
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        wanted = partial / "wanted.txt"
        wanted.write_text(line + "\n", encoding="ascii")
        download = [*PIP, "download", "--quiet", "--no-deps", "--no-binary=:all:", "--require-hashes"]
        fetch([*download, "--dest", partial, "-r", wanted])
        partial.rename(folder)
    return next(file for file in folder.iterdir() if file.name.endswith((".tar.gz", ".zip")))


def _write_requirements(folder: Path, own: Path, extras: str) -> None:
    lines = []
    for wheel in sorted(folder.glob("*.whl")):
        name, version = wheel.name.split("-")[:2]
        if wheel == own:
            name = f"{name}[{extras}]"
        if name != INSTALLER:
            lines.append(requirement([wheel], re.sub("[_.]", "-", name), version))
    (folder / REQUIREMENTS).write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


def table(folders: Iterable[Path]) -> str:
    """Wheels and bytes of each wheelhouse, as Markdown."""
    lines = ["| wheelhouse | wheels | kB |", "| --- | ---: | ---: |"]
    for folder in folders:
        wheels = list(folder.glob("*.whl"))
        lines.append(f"| {folder.name} | {len(wheels)} | {sum(each.stat().st_size for each in wheels) // 1000} |")
    return "\n".join(lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="cross.wheelhouse", description="Collect and build a board's wheels.")
    parser.add_argument("targets", nargs="*", help=f"{', '.join(TARGETS)}, an architecture or a Python version (all)")
    parser.add_argument("--output", type=Path, default=PROJECT / "dist" / "wheelhouse", help="(dist/wheelhouse)")
    options = parser.parse_args()
    try:
        install_compilers()
        print(table([make(target, options.output / target.name) for target in chosen(options.targets)]))
    except (StepFailed, ValueError) as error:
        raise SystemExit(f"cross.wheelhouse: {error}") from error


if __name__ == "__main__":
    main()
