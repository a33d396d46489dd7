"""pip, asked for packages of other machines; and the lock files that say which."""

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

from cross.running import PROJECT
from cross.targets import Target

LOCKS = PROJECT / "cross" / "locks"
EXTRAS = "hal,fast,api"
"""What a board gets beside the core."""

INSTALLER = "pip"
"""In every wheelhouse: a board need not have one."""

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def selection(target: Target) -> list[str]:
    """The options with which pip picks wheels for another machine."""
    name, release = target.architecture.name, target.release
    minors = [str(minor) for minor in range(release.glibc, 16, -1)]
    platforms = [f"--platform=manylinux_2_{minor}_{name}" for minor in minors]
    return [
        "--only-binary=:all:",
        "--implementation=cp",
        f"--python-version={release.python}",
        *platforms,
        f"--platform=manylinux2014_{name}",
    ]


def requirement(files: Iterable[Path], name: str, version: str) -> str:
    """A line of a lock file."""
    digests = sorted({hashlib.sha256(file.read_bytes()).hexdigest() for file in files})
    return " ".join([f"{name}=={version}", *(f"--hash=sha256:{digest}" for digest in digests)])
