"""How many instructions a board's processor carries out for a piece of Python: a figure that no busy machine blurs."""

import re
from pathlib import Path

from cross.running import PROJECT, WORK, StepFailed, install_packages, run
from cross.targets import Target

SOURCE = PROJECT / "cross" / "count.c"


class Counter:
    """Runs Python of an emulated board's root, and counts."""

    def __init__(self, target: Target, root: Path) -> None:
        install_packages({target.architecture.qemu.removesuffix("-static"): ("qemu-user",)})
        self._target = target
        self._root = root
        self._plugin = WORK / "count.so"
        self._plugin.parent.mkdir(parents=True, exist_ok=True)
        run(["gcc", "-O2", "-shared", "-fPIC", SOURCE, "-o", self._plugin])

    def count(self, code: str, site: Path) -> int:
        """Instructions from the start of the interpreter to its end, with `site` as the folder of packages.

        The code runs twice, and the second run, which finds its bytecode, counts. Raises StepFailed when it fails.
        """
        version = self._target.release.python
        variables = {"PYTHONHOME": self._root / "usr", "PYTHONPATH": site, "PYTHONHASHSEED": "0"}
        settings = [word for name, value in variables.items() for word in ("-E", f"{name}={value}")]
        qemu = self._target.architecture.qemu.removesuffix("-static")
        python = self._root / "usr" / "bin" / f"python{version}"
        words: list[str | Path] = [qemu, "-plugin", self._plugin, "-L", self._root, *settings, python, "-P", "-c", code]
        run(words)
        counted = re.search(r"instructions=(\d+)", run(words))
        if counted is None:
            raise StepFailed(f"nothing was counted on {self._target.name}")
        return int(counted[1])
