"""Debian packages of other architectures and releases, fetched without touching this machine's package database."""

import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from cross.running import WORK, StepFailed, fetch, run
from cross.targets import Target

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

UNPACK = 'set -o pipefail; dpkg-deb --fsys-tarfile "$1" | tar -x --no-same-owner --keep-directory-symlink -C "$2"'
"""`dpkg -x` would put a folder in the place of the link that /lib is in a root with merged /usr."""

ATTEMPTS, PAUSE_S = 3, 20.0
"""An archive that is just being renewed gives lists that do not fit together, for a moment."""

RUNTIME = (
    "libc6",
    "libgcc-s1",
    "libstdc++6",
    "zlib1g",
    "libexpat1",
    "libffi8",
    "libbz2-1.0",
    "liblzma5",
    "libuuid1",
    "libsqlite3-0",
    "libssl3",
    "libzstd1",
)
"""What Python's modules are linked with; those for a terminal's line editing are left out."""


def mirror() -> str:
    """Where this machine gets Debian from, which is where the other architectures are as well.

    Raises StepFailed where no Debian source is configured.
    """
    table = run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"])
    for line in table.splitlines():
        uri, _, rest = line.partition(" ")
        suite, _, component = rest.partition(" ")
        if component == "main" and uri.rstrip("/").endswith("/debian") and "-" not in suite:
            return uri
    raise StepFailed("apt knows no Debian archive on this machine")


class Archive:
    """The packages of one architecture and release, with an apt state of their own."""

    def __init__(self, target: Target, folder: Path | None = None) -> None:
        self.target = target
        name = f"{target.architecture.debian}-{target.release.suite}"
        self._folder = (folder or WORK) / "apt" / name
        self._debs = (folder or WORK) / "debs" / name

    def fetch(self, packages: Sequence[str]) -> list[Path]:
        """The .deb files of the packages, downloaded unless they are there; in the order asked for."""
        names = [dict(self.target.release.renamed).get(name, name) for name in packages]
        missing = [name for name in names if self._file(name) is None]
        if missing:
            self._update()
            self._debs.mkdir(parents=True, exist_ok=True)
            fetch(["apt-get", *self._options(), "-qq", "download", *missing], cwd=self._debs)
        files = [self._file(name) for name in names]
        if None in files:
            raise StepFailed(f"apt did not bring {names[files.index(None)]} for {self.target.name}")
        return [file for file in files if file is not None]

    def unpack(self, packages: Sequence[str], root: Path) -> None:
        """Unpack packages into a folder; no script of theirs is run."""
        root.mkdir(parents=True, exist_ok=True)
        for file in self.fetch(packages):
            run(["bash", "-c", UNPACK, "unpack", file, root])

    def with_dependencies(self, packages: Sequence[str]) -> list[str]:
        """The packages and everything that they depend on; what is recommended is left out."""
        self._update()
        names = [dict(self.target.release.renamed).get(name, name) for name in packages]
        plan = run(["apt-get", *self._options(), "-s", "install", "--no-install-recommends", *names])
        return sorted(set(re.findall(r"^Inst (\S+)", plan, re.M)))

    def depends(self, package: str, prefix: str) -> str:
        """The package with that beginning which another one, that has nothing in it, stands for."""
        self._update()
        shown = run(["apt-cache", *self._options(), "depends", package])
        found = re.search(rf"Depends: ({re.escape(prefix)}\S+)", shown)
        if found is None:
            raise StepFailed(f"{package} stands for no {prefix}")
        return found[1]

    def _file(self, name: str) -> Path | None:
        return next(iter(sorted(self._debs.glob(f"{name}_*.deb"))), None)

    def _update(self) -> None:
        done = self._folder / "updated"
        if done.exists():
            return
        shutil.rmtree(self._folder, ignore_errors=True)
        for part in ("state/lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d"):
            (self._folder / part).mkdir(parents=True)
        (self._folder / "status").touch()
        suite = self.target.release.suite
        sources = f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n"
        (self._folder / "etc" / "sources.list").write_text(sources, encoding="ascii")
        for left in reversed(range(ATTEMPTS)):
            try:
                fetch(["apt-get", *self._options(), "-qq", "update"])
                break
            except StepFailed:
                if not left:
                    raise
                time.sleep(PAUSE_S)
        done.touch()

    def _options(self) -> list[str]:
        architecture = self.target.architecture.debian
        folder = self._folder
        options = {
            "Dir::State": folder / "state",
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder / "cache",
            "Dir::Etc": folder / "etc",
            "Dir::Etc::sourceparts": "-",
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
        }
        return [word for name, value in options.items() for word in ("-o", f"{name}={value}")]


def python_packages(version: str) -> list[str]:
    """What Python consists of, without its headers."""
    return [f"python{version}", f"python{version}-minimal", f"libpython{version}-minimal", f"libpython{version}-stdlib"]


def make_root(target: Target, root: Path, extra: Sequence[str] = ()) -> Path:
    """A folder like the root of a Debian system with Python, made unless it is there; gives the folder."""
    done = root / ".made"
    wanted = " ".join([*python_packages(target.release.python), *RUNTIME, *extra])
    if done.exists() and done.read_text() == wanted:
        return root
    shutil.rmtree(root, ignore_errors=True)
    # Merged /usr first: packages of either release then unpack to where the loader looks.
    for name in ("bin", "lib", "sbin", *(["lib64"] if target.architecture.debian == "amd64" else [])):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    Archive(target).unpack(wanted.split(), root)
    done.write_text(wanted)
    return root
