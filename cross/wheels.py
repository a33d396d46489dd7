"""`python -m cross.wheels [--output DIST] [TARGET ...]`: pilotwire's wheels for the boards, and a table of them."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from cross.building import build_own
from cross.elf import inspect
from cross.running import PROJECT, StepFailed
from cross.targets import BOARDS, TARGETS, Target, chosen
from cross.toolchain import Toolchain, install_compilers


def build(targets: Iterable[Target], output: Path) -> list[Path]:
    """Build the wheels; gives them in the order of the targets."""
    install_compilers()
    return [build_own(Toolchain(target), output) for target in targets]


def table(wheels: Iterable[Path]) -> str:
    """Name, size, libraries and what they ask of the C library, as Markdown."""
    lines = ["| wheel | kB | libraries | kB unpacked | newest glibc symbol |", "| --- | ---: | ---: | ---: | --- |"]
    for wheel in wheels:
        libraries = inspect(wheel)
        newest = max((each.glibc for each in libraries), default=0)
        size, inside = wheel.stat().st_size // 1000, sum(each.size for each in libraries) // 1000
        lines.append(f"| {wheel.name} | {size} | {len(libraries)} | {inside} | 2.{newest} |")
    return "\n".join(lines)


def main() -> None:
    """The command."""
    boards = "; ".join(f"{name}: {text}" for name, text in BOARDS.items())
    parser = argparse.ArgumentParser(prog="cross.wheels", description=f"Build pilotwire for other machines. {boards}.")
    parser.add_argument("targets", nargs="*", help=f"{', '.join(TARGETS)}, an architecture or a Python version (all)")
    parser.add_argument("--output", type=Path, default=PROJECT / "dist", help="where the wheels go (dist)")
    options = parser.parse_args()
    try:
        print(table(build(chosen(options.targets), options.output)))
    except (StepFailed, ValueError) as error:
        raise SystemExit(f"cross.wheels: {error}") from error


if __name__ == "__main__":
    main()
