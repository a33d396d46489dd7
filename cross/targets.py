"""What is built for: processor architectures, Python versions, and the boards that have them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Architecture:
    """A processor as the tools name it, each in its own way."""

    name: str
    """The name in wheel tags and of `uname -m`."""
    debian: str
    """Debian's name of the architecture."""
    triple: str
    """GNU's name, which the compiler and Debian's library folders bear."""
    qemu: str
    """The user-mode emulator, a file of the package qemu-user-static."""
    machine: str
    """`Machine` as readelf shows it for a library of this architecture."""
    magic: str
    """The first twenty bytes of a program, with which the kernel recognises it (binfmt_misc, escaped)."""
    packages: tuple[str, ...]
    """Debian packages of the compiler."""


_ELF_64, _ELF_32 = r"\x7fELF\x02\x01\x01\x00", r"\x7fELF\x01\x01\x01\x00"
_PADDING = r"\x00\x00\x00\x00\x00\x00\x00\x00"

X86_64 = Architecture(
    name="x86_64",
    debian="amd64",
    triple="x86_64-linux-gnu",
    qemu="qemu-x86_64-static",
    machine="Advanced Micro Devices X86-64",
    magic=_ELF_64 + _PADDING + r"\x02\x00\x3e\x00",
    packages=("gcc", "libc6-dev"),
)
AARCH64 = Architecture(
    name="aarch64",
    debian="arm64",
    triple="aarch64-linux-gnu",
    qemu="qemu-aarch64-static",
    machine="AArch64",
    magic=_ELF_64 + _PADDING + r"\x02\x00\xb7\x00",
    packages=("gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"),
)
ARMV7 = Architecture(
    name="armv7l",
    debian="armhf",
    triple="arm-linux-gnueabihf",
    qemu="qemu-arm-static",
    machine="ARM",
    magic=_ELF_32 + _PADDING + r"\x02\x00\x28\x00",
    packages=("gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"),
)
ARCHITECTURES = {each.name: each for each in (X86_64, AARCH64, ARMV7)}


@dataclass(frozen=True, slots=True)
class Release:
    """A Debian release and its Python."""

    suite: str
    python: str
    """Such as 3.11."""
    glibc: int
    """The C library's minor version: which manylinux wheels fit."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Packages that have another name in this release."""

    @property
    def tag(self) -> str:
        """The interpreter in wheel tags: cp311."""
        return "cp" + self.python.replace(".", "")


BOOKWORM = Release(suite="bookworm", python="3.11", glibc=36)
TRIXIE = Release(suite="trixie", python="3.13", glibc=41, renamed=(("libssl3", "libssl3t64"),))
RELEASES = {each.python: each for each in (BOOKWORM, TRIXIE)}


@dataclass(frozen=True, slots=True)
class Target:
    """One of each."""

    architecture: Architecture
    release: Release

    @property
    def name(self) -> str:
        """Such as armv7l-cp311."""
        return f"{self.architecture.name}-{self.release.tag}"

    @property
    def sysconfigdata(self) -> str:
        """The module that holds what the target's Python was built with."""
        return f"_sysconfigdata__{self.architecture.triple}"

    @property
    def platform(self) -> str:
        """The platform as Python's sysconfig names it: linux-armv7l."""
        return f"linux-{self.architecture.name}"


TARGETS = {
    target.name: target
    for target in (Target(arch, release) for release in RELEASES.values() for arch in ARCHITECTURES.values())
}

BOARDS = {
    "x86_64": "development machines, x86 gateways",
    "aarch64": "Raspberry Pi 3, 4, 5, Compute Module 3+, 4, 5, Zero 2 W with a 64-bit system",
    "armv7l": "BeagleBone Black and Green, Raspberry Pi 2 and later with a 32-bit system",
}


def chosen(names: list[str]) -> list[Target]:
    """The targets that names stand for: a target's name, an architecture's, or a Python version; all for none.

    Raises ValueError for an unknown name.
    """
    if not names:
        return list(TARGETS.values())
    found = []
    for name in names:
        fitting = [t for t in TARGETS.values() if name in (t.name, t.architecture.name, t.release.python)]
        if not fitting:
            raise ValueError(f"{name} is no target; known are {', '.join(TARGETS)}")
        found += [target for target in fitting if target not in found]
    return found
