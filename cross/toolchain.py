"""What a wheel for another machine is built with: compilers, the target's Python headers, a Python to build with."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from cross.debian import Archive, make_root
from cross.index import LOCKS, PIP, selection
from cross.running import WORK, fetch, install_packages
from cross.targets import ARCHITECTURES, X86_64, Release, Target

BUILD_TOOLS = LOCKS / "build-tools.txt"
"""Versions and hashes of the Python packages that build."""

PROGRAMS: Mapping[str, tuple[str, ...]] = {
    **{f"{arch.triple}-gcc": arch.packages for arch in ARCHITECTURES.values()},
    # Only recommended by the compilers, without which they find no header of the C library:
    "/usr/arm-linux-gnueabihf/include/stdio.h": ("libc6-dev-armhf-cross",),
    "/usr/aarch64-linux-gnu/include/stdio.h": ("libc6-dev-arm64-cross",),
    "make": ("make",),
    "autoreconf": ("autoconf", "automake"),
    "libtoolize": ("libtool",),
    "readelf": ("binutils",),
}

EPOCH = 1_700_000_000
"""The time stamp in wheels of other projects: any, but always the same."""


class Toolchain:
    """Builds for one target; made once, used for any number of wheels."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._folder = WORK / "toolchain" / target.name
        self.python = _build_python(target.release)
        self._tools = _build_tools(target.release)
        self._make_headers()

    def _make_headers(self) -> None:
        version, triple = self.target.release.python, self.target.architecture.triple
        if (self._folder / "made").exists():
            return
        shutil.rmtree(self._folder, ignore_errors=True)
        unpacked = self._folder / "unpacked"
        packages = (f"libpython{version}-dev", f"libpython{version}-minimal", "libffi-dev")
        Archive(self.target).unpack(packages, unpacked)
        # The Python headers only: the C library's would hide those that the cross compiler brings.
        include = self._folder / "include"
        shutil.copytree(unpacked / "usr" / "include" / f"python{version}", include / f"python{version}")
        own = unpacked / "usr" / "include" / triple
        shutil.copytree(own / f"python{version}", include / triple / f"python{version}")
        for header in own.glob("ffi*.h"):
            shutil.copy(header, include)
        # Linked in, so that the wheel asks for no library that the board may not have.
        (self._folder / "lib").mkdir()
        shutil.copy(unpacked / "usr" / "lib" / triple / "libffi_pic.a", self._folder / "lib" / "libffi.a")
        (self._folder / "sysconfig").mkdir()
        data = f"{self.target.sysconfigdata}.py"
        shutil.copy(unpacked / "usr" / "lib" / f"python{version}" / data, self._folder / "sysconfig" / data)
        (self._folder / "made").touch()

    def environment(self, source: Path, *, epoch: int = EPOCH, tuning: str = "") -> dict[str, str]:
        """The environment variables that make an ordinary build of `source` one for the target."""
        version, triple = self.target.release.python, self.target.architecture.triple
        include = self._folder / "include"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": f"{self._folder / 'sysconfig'}:{self._tools}",
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "_PYTHON_SYSCONFIGDATA_NAME": self.target.sysconfigdata,
            "_PYTHON_HOST_PLATFORM": self.target.platform,
            "CPPFLAGS": f"-I{include} -I{include / f'python{version}'}",
            "CFLAGS": f"-ffile-prefix-map={source}=. -ffile-prefix-map={self._folder}=. {tuning}".strip(),
            "LDFLAGS": f"-L{self._folder / 'lib'} -Wl,-s -Wl,--build-id=none",
            "LIBUV_CONFIGURE_HOST": triple,
            "SOURCE_DATE_EPOCH": str(epoch),
        }


def install_compilers() -> None:
    """Install what this machine lacks for building; see `install_packages`."""
    install_packages(PROGRAMS)


def _build_python(release: Release) -> Path:
    """Debian's Python of the release, made to run on this machine whatever that has.

    It is started through the C library's loader that came with it, since this machine's may be older.
    """
    target = Target(X86_64, release)
    root = make_root(target, WORK / "python" / release.suite)
    program, libraries = root / "python", root / "usr" / "lib" / X86_64.triple
    text = (
        "#!/bin/sh\n"
        f"export PYTHONHOME={root}/usr\n"
        f'exec {libraries}/ld-linux-x86-64.so.2 --library-path {libraries} --argv0 "$0" '
        f'{root}/usr/bin/python{release.python} "$@"\n'
    )
    if not program.exists() or program.read_text() != text:
        program.write_text(text)
        program.chmod(0o755)
    return program


def _build_tools(release: Release) -> Path:
    """A folder with setuptools, Cython and the like for that Python."""
    folder = WORK / "tools" / release.tag
    wanted = BUILD_TOOLS.read_text(encoding="ascii")
    done = folder / ".made"
    if done.exists() and done.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    wheels = selection(Target(X86_64, release))
    fetch([*PIP, "install", "-q", "--no-deps", "--target", folder, *wheels, "--require-hashes", "-r", BUILD_TOOLS])
    done.write_text(wanted)
    return folder
