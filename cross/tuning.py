"""`python -m cross.tuning [TARGET ...]`: whether a build for one processor carries out fewer instructions than the one for all.

Only what a compiled module does is counted: a loop run many times, less the same loop run once. Fewer instructions are no
promise of less time, but a processor in order, as most boards have, has little else to save with.
"""

import argparse
import sys
import tempfile
import zipfile
from pathlib import Path

from cross.building import build_own
from cross.counting import Counter
from cross.debian import make_root
from cross.emulation import TOOLS
from cross.report import Report
from cross.running import WORK, NotFetched, StepFailed
from cross.targets import Target, chosen
from cross.toolchain import Toolchain, install_compilers
from cross.wheelhouse import make

DEFAULT = ["armv7l-cp311", "aarch64-cp311"]
NOT_FETCHED = 75
TUNINGS = {
    "armv7l": {"Cortex-A8": "-mcpu=cortex-a8 -mfpu=neon", "Cortex-A53": "-mcpu=cortex-a53 -mfpu=neon-fp-armv8"},
    "aarch64": {"Cortex-A53": "-mcpu=cortex-a53", "Cortex-A72": "-mcpu=cortex-a72"},
}
"""BeagleBone and 32-bit Raspberry Pi OS; Raspberry Pi 3 and 4."""

REPEATS = 500

WORKLOADS = {
    "scan a frame of 2 kB": """
from ocpp._native.framing import scan
frame = b'[2,"12345678","TransactionEvent",{"a":"' + b'meter values, and more of them; ' * 64 + b'"}]'
def once(): scan(frame)
""",
    "a sample of 8 measurands, and their windows": """
from hal._native.metering import Sampler
sampler, values = Sampler(8, 64), [230.1, 229.8, 231.0, 15.9, 16.0, 15.8, 11000.0, 1234567.0]
now = 0.0
def once():
    global now
    now += 1.0
    sampler.add(values, now)
    for index in range(8): sampler.window(index, now - 30.0)
""",
    "a look at the pilot": """
from hal._native.sampling import LevelDecoder
decoder = LevelDecoder()
def once():
    for level in (9.0, 8.9, 6.1, 6.0): decoder.see(level, -12.0, True)
""",
    "limits of a day, 3 profiles of 24 periods": """
from ocpp._native.schedule import Curve, Limits, Track
from ocpp.core.schedule import Period
def track(number):
    periods = [Period(3600 * hour, 6.0 + hour * (number + 1) % 20, 3) for hour in range(24)]
    return Track(number, Curve(periods, True), 0.0)
limits = Limits([[track(0)], [track(1)], [track(2)]], 32.0, 3, 16.0, 3, 230.0)
def once(): limits.slices(0.0, 86400.0, 1000)
""",
}
RUN = "{code}\nfor _ in range({repeats}): once()\n"


def count(target: Target, counter: Counter, wheelhouse: Path, tuning: str) -> dict[str, float]:
    """Instructions of one round of each workload, with pilotwire built with more flags for the compiler."""
    with tempfile.TemporaryDirectory(dir=WORK) as name:
        wheel, site = build_own(Toolchain(target), Path(name) / "dist", tuning=tuning), Path(name) / "site"
        for each in [*wheelhouse.glob("*.whl"), wheel]:  # the last one in the place of the wheelhouse's own
            zipfile.ZipFile(each).extractall(site)
        found = {}
        for workload, code in WORKLOADS.items():
            once, often = (counter.count(RUN.format(code=code, repeats=number), site) for number in (1, 1 + REPEATS))
            found[workload] = (often - once) / REPEATS
        return found


def compare(target: Target, wheelhouse: Path) -> list[str]:
    """Lines of a Markdown table: instructions of the generic build, and by how many per cent the others differ."""
    counter = Counter(target, make_root(target, WORK / "roots" / target.name, TOOLS))
    builds = TUNINGS[target.architecture.name]
    generic = count(target, counter, wheelhouse, "")
    others = {name: count(target, counter, wheelhouse, flags) for name, flags in builds.items()}
    lines = [f"| {target.name} | instructions | {' | '.join(builds)} |", f"| --- | ---: |{' ---: |' * len(builds)}"]
    for workload, number in generic.items():
        shares = [f"{(others[name][workload] / number - 1) * 100:+.1f} %" for name in builds]
        lines.append(f"| {workload} | {number:.0f} | {' | '.join(shares)} |")
    return lines


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="cross.tuning", description="Count what builds for one processor would save.")
    parser.add_argument("targets", nargs="*", help=f"a target or an architecture ({' '.join(DEFAULT)})")
    options = parser.parse_args()
    try:
        install_compilers()
        for target in chosen(options.targets or DEFAULT):
            with tempfile.TemporaryDirectory() as name:
                lines = compare(target, make(target, Path(name) / "wheelhouse", fast=False))
            print("\n".join(lines), flush=True)
            Report.note(target, tuning=lines)
    except NotFetched as error:
        print(f"cross.tuning: {error}", file=sys.stderr)
        sys.exit(NOT_FETCHED)
    except (StepFailed, ValueError, KeyError) as error:
        sys.exit(f"cross.tuning: {error}")


if __name__ == "__main__":
    main()
