"""`python -m cross.boards [--short] [TARGET ...]`: install the wheelhouse on emulated boards, and use it there."""

import argparse
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from cross.building import check_reproducible
from cross.bundle import UPDATER, build_updater, pack
from cross.counting import Counter
from cross.emulation import Machine, boot
from cross.index import LOCKS, PIP, selection
from cross.report import Report, commit
from cross.running import PROJECT, NotFetched, StepFailed, run
from cross.targets import TARGETS, Target, chosen
from cross.toolchain import Toolchain, install_compilers
from cross.wheelhouse import REQUIREMENTS, is_built_here, make
from cross.wheels import table

PLACE = "/opt/pilotwire/releases/tried"
SHORT = ("armv7l-cp311", "aarch64-cp311")
NOT_FETCHED = 75
"""Exit status when something could not be fetched: nothing is said about pilotwire then (EX_TEMPFAIL)."""

VERSIONS = ("1.6", "2.0.1", "2.1")
FAST_TESTS = (
    *(f"tests/unit/ocpp/{name}" for name in ("native", "rpc", "messages", "storage")),
    *(f"tests/unit/hal/test_{name}.py" for name in ("metering", "iec61851", "sml", "registers", "safety")),
)
"""The tests of what is compiled, and of what depends most on machine and library versions."""

PYTEST = """
import os, sys, hypothesis, pytest
os.chdir("/project")
hypothesis.settings.register_profile("board", max_examples=5, deadline=None)
hypothesis.settings.load_profile("board")
sys.exit(pytest.main(sys.argv[1:]))
"""
"""Few examples each: it is the machine that is tested here, ten times slower than one of metal."""

SPEC = PROJECT.parent / "shared" / "spec"
"""OCPP's schemas, with which messages are compared where they are at hand."""

STEPS = {"nothing": "pass", "the station program": "import ocpp.station.program, ocpp.charge_point"}
"""What is measured; the first is the interpreter alone."""

MEMORY = """
import sys
def resident(): return int(next(l for l in open("/proc/self/status") if l.startswith("VmRSS")).split()[1])
before = resident()
exec(sys.argv[1])
print("memory=%d" % (resident() - before))
"""


def install(machine: Machine, wheelhouse: Path) -> None:
    """Install as on a real board: its own Python, the pip of the wheelhouse, and no network."""
    shutil.copytree(wheelhouse, machine.root / "wheelhouse", dirs_exist_ok=True)
    pip = next((machine.root / "wheelhouse").glob("pip-*.whl")).name
    machine.python("-m", "venv", "--without-pip", PLACE)
    offline = ["--no-index", "--find-links", "/wheelhouse", "--require-hashes", "--no-compile", "-q"]
    machine.python(
        f"/wheelhouse/{pip}/pip", "--python", PLACE, "install", *offline, "-r", f"/wheelhouse/{REQUIREMENTS}"
    )


def demonstrate(machine: Machine, version: str) -> str:
    """Run the demo session; gives what it shows. Raises StepFailed when it does not come to its end."""
    shown = machine.run([f"{PLACE}/bin/pilotwire", "demo", "--version", version], timeout_s=300)
    if "every message has been delivered" not in shown:
        raise StepFailed(f"the demo of {version} broke off on {machine.target.name}:\n{shown}")
    return shown


def test(machine: Machine) -> str:
    """Run the fast part of the test suite; gives pytest's counts. Raises StepFailed when a test fails."""
    site = machine.root / "tests-site"
    wheels = selection(machine.target)
    command: list[str | Path] = [
        *PIP,
        "install",
        "-q",
        "--no-deps",
        "--target",
        site,
        *wheels,
        "--require-hashes",
        "-r",
    ]
    run([*command, LOCKS / "test-tools.txt"])
    place = machine.root / "project"
    for folder in ("tests", "docs"):
        shutil.copytree(PROJECT / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", place)
    environment = {"PYTHONPATH": "/tests-site", "PYTHONDONTWRITEBYTECODE": "1"}
    if SPEC.is_dir():
        schemas = shutil.ignore_patterns("*.md", "*.pdf", "*.zip")
        shutil.copytree(SPEC, machine.root / "spec", ignore=schemas, dirs_exist_ok=True)
        environment["PILOTWIRE_SPEC"] = "/spec"
    # Warnings are judged where the tests are written; those and what the project sets would hide the counts.
    options = ["-p", "no:benchmark", "-W", "ignore", "-rs", "-o", "addopts=--import-mode=importlib -p no:cacheprovider"]
    return counts(machine.run([f"{PLACE}/bin/python", "-c", PYTEST, *options, *FAST_TESTS], env=environment))


def counts(shown: str) -> str:
    """How many tests passed, and how many did not run and why, of what pytest shows with -rs. Raises StepFailed without."""
    found = re.search(r"^=*\s*(\d+ passed(?:, \d+ \w+)*) in ", shown, re.M)
    if found is None:
        raise StepFailed(f"pytest does not say what passed:\n{shown[-1000:]}")
    reasons = re.findall(r"^SKIPPED \[(\d+)\] \S+: (.+)$", shown, re.M)
    return "; ".join([found[1], *(f"{number} skipped: {reason}" for number, reason in reasons)])


def rehearse(target: Target, wheelhouse: Path) -> list[str]:
    """On a board of its own, an upgrade over OCPP, a refused downgrade, an upgrade that is taken back; gives what happened."""
    machine = boot(target, "upgrade")
    bundles = machine.root / "bundles"
    bundles.mkdir()
    key = bundles / "key.pem"
    run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key])
    run(["openssl", "ec", "-in", key, "-pubout", "-out", bundles / "key.pub"])
    for name, version in (("one", "1.0"), ("two", "2.0"), ("three", "3.0")):
        bundle = pack(target, wheelhouse, bundles, key=key, version=version)
        bundle.rename(bundles / f"{name}.tar.zst")
    build_updater(bundles / UPDATER)
    shutil.copy(PROJECT / "cross" / "rehearsal.py", bundles)
    shown = machine.python("/bundles/rehearsal.py", env={"PYTHONUNBUFFERED": "1"})
    return [line[2:] for line in shown.splitlines() if line.startswith("* ")]


def measure(machine: Machine) -> list[str]:
    """Instructions and memory that a start takes, as lines of a Markdown table."""
    counter = Counter(machine.target, machine.root)
    site = machine.root / PLACE[1:] / "lib" / f"python{machine.target.release.python}" / "site-packages"
    lines = []
    for name, code in STEPS.items():
        counted = counter.count(code, site)
        memory = re.search(r"memory=(\d+)", machine.run([f"{PLACE}/bin/python", "-c", MEMORY, code]))
        if memory is None:
            raise StepFailed(f"nothing was measured on {machine.target.name}")
        lines.append(f"| {machine.target.name} | {name} | {counted / 1e6:.0f} | {int(memory[1]) / 1024:.1f} |")
    return lines


def _try_out(target: Target, folder: Path, short: bool) -> dict[str, Any]:
    """One board from the wheelhouse to the measurements; gives what a `Report` notes of it, nothing after the short part."""
    started = time.monotonic()
    tried = commit()

    def tell(text: str) -> None:
        print(f"{target.name}: {text} ({time.monotonic() - started:.0f} s)", flush=True)

    wheelhouse = make(target, folder, fast=not short)
    built = [wheel for wheel in sorted(wheelhouse.glob("*.whl")) if is_built_here(target, wheel)]
    sizes = [wheel.stat().st_size for wheel in wheelhouse.glob("*.whl")]
    size = f"{len(sizes)} wheels, {sum(sizes) // 1000} kB"
    tell(size)
    check_reproducible(Toolchain(target), next(wheelhouse.glob("pilotwire-*.whl")))
    tell("a second build gives the same bytes")
    machine = boot(target)
    install(machine, wheelhouse)
    tell("installed without a network")
    for version in VERSIONS[1:2] if short else VERSIONS:
        shown = demonstrate(machine, version)
        tell(f"demo of {version}: {shown.strip().splitlines()[-1]}")
    if short:
        return {}
    upgrade = rehearse(target, wheelhouse)
    print("\n".join(f"* {line}" for line in upgrade))
    tell("an upgrade, a refused downgrade, and an upgrade that was taken back")
    tests = test(machine)
    tell(f"tests: {tests}")
    return {
        "commit": tried,
        "wheelhouse": size,
        "wheels": table(built).splitlines()[2:],
        "demos": list(VERSIONS),
        "upgrade": upgrade,
        "tests": tests,
        "starts": measure(machine),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="cross.boards", description="Try pilotwire out on emulated boards.")
    parser.add_argument("targets", nargs="*", help=f"{', '.join(TARGETS)}, an architecture or a Python version")
    parser.add_argument("--short", action="store_true", help=f"install, import and demo only ({', '.join(SHORT)})")
    parser.add_argument("--wheelhouse", type=Path, default=PROJECT / "dist" / "wheelhouse", help="(dist/wheelhouse)")
    options = parser.parse_args()
    default = list(SHORT) if options.short else ["armv7l", "aarch64"]
    starts: list[str] = []
    try:
        install_compilers()
        for target in chosen(options.targets or default):
            seen = _try_out(target, options.wheelhouse / target.name, options.short)
            if seen:
                starts += Report.note(target, **seen).starts
    except NotFetched as error:
        print(f"cross.boards: {error}", file=sys.stderr)
        sys.exit(NOT_FETCHED)
    except (StepFailed, ValueError) as error:
        sys.exit(f"cross.boards: {error}")
    if starts:
        print("\n| board | start of | million instructions | MB of memory more |\n| --- | --- | ---: | ---: |")
        print("\n".join(starts))


if __name__ == "__main__":
    main()
