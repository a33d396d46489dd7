"""Runs targets under atheris, each for some seconds and in a process of its own: see `tests/fuzz/run`."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
GATHERED, FOUND, FIGURES = ROOT / "build/fuzz/corpus", ROOT / "build/fuzz/found", ROOT / "build/reliability/fuzz.json"
MAX_INPUT = 4096


def explore(name: str, seconds: int) -> None:
    """Fuzz in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["ocpp", "hal"]):
        from fuzz.targets import TARGETS
    target = TARGETS[name]
    gathered = GATHERED / name
    gathered.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (gathered / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-max_len={MAX_INPUT}", f"-artifact_prefix={FOUND}/{name}-"]
    options += ["-print_final_stats=1", "-verbosity=1", "-rss_limit_mb=4096", "-timeout=20"]
    folders = [str(gathered), *([str(CORPUS / name)] if (CORPUS / name).is_dir() else [])]
    atheris.Setup([sys.argv[0], *options, *folders], target.run)
    atheris.Fuzz()


def apart(name: str, seconds: int) -> tuple[bool, dict[str, Any]]:
    """Fuzz in a process of its own; whether nothing was found, and the figures."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        os.dup2(write, 1)
        os.dup2(write, 2)
        os.execv(sys.executable, [sys.executable, "-m", "fuzz.explore", "--here", str(seconds), name])
    os.close(write)
    with os.fdopen(read, errors="replace") as output:
        text = output.read()
    status = os.waitpid(child, 0)[1]
    runs = re.findall(r"stat::number_of_executed_units:\s*(\d+)", text)
    figures = {"target": name, "runs": int(runs[-1]) if runs else 0, "seconds": seconds}
    if status != 0:
        print(text[-6000:], file=sys.stderr)
    return status == 0, figures


def main(arguments: list[str]) -> int:
    """The command line."""
    if arguments == ["--list"]:
        from fuzz.targets import TARGETS

        print("\n".join(TARGETS))
        return 0
    if arguments[0] == "--here":
        explore(arguments[2], int(arguments[1]))
        return 0
    seconds, rows = int(arguments[0]), []
    for name in arguments[1:]:
        sound, figures = apart(name, seconds)
        rows.append(figures)
        print(f"{name}: {figures['runs']} inputs in {seconds} s, {'nothing found' if sound else 'A DEFECT: see above'}")
        if not sound:
            return 1
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
