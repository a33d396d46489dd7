"""Other programs, and the folder where everything is built and kept."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
WORK = Path(os.environ.get("PILOTWIRE_CROSS", PROJECT / "build" / "cross"))
"""Downloads, unpacked packages and tools; may be deleted at any time. PILOTWIRE_CROSS puts it elsewhere."""

SHOWN = 4000
"""Characters of a failed program's output that are shown: its end, where compilers say what is wrong."""


class StepFailed(Exception):
    """A program that had to succeed did not; the message has the end of its output."""


class NotFetched(StepFailed):
    """An archive or index could not be reached, or was just being renewed: not a defect of the project."""


def fetch(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """As `run`, for a program that brings something over the network; raises NotFetched."""
    try:
        return run(command, env=env, cwd=cwd)
    except StepFailed as error:
        raise NotFetched(str(error)) from error


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout_s: float = 1800.0,
) -> str:
    """Run a program and give what it prints; raises StepFailed when it fails or takes longer than `timeout_s`."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StepFailed(f"{words[0]}: {error}") from error
    if done.returncode:
        raise StepFailed(f"{' '.join(words)[:300]} ended with {done.returncode}:\n{done.stdout[-SHOWN:]}")
    return done.stdout


def install_packages(programs: Mapping[str, Sequence[str]]) -> None:
    """Install the Debian packages of those programs that this machine does not have.

    `programs` maps a path or the name of a program to the packages that bring it. Raises StepFailed where they
    cannot be installed, as when this is not run by root.
    """
    missing = [name for program, names in programs.items() if not _present(program) for name in names]
    if not missing:
        return
    if os.geteuid() != 0:
        raise StepFailed(f"these Debian packages are needed: {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    fetch(["apt-get", "update", "-qq"], env=environment)
    fetch(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], env=environment)


def _present(program: str) -> bool:
    return Path(program).exists() if program.startswith("/") else shutil.which(program) is not None
