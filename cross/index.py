"""pip, asked for packages of other machines; and the lock files that say which."""

import sys

from cross.running import PROJECT
from cross.targets import Target

LOCKS = PROJECT / "cross" / "locks"
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
