"""What the compiled libraries in a wheel ask of the machine they run on, read with readelf."""

import re
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from cross.running import StepFailed, run
from cross.targets import Architecture

OLDEST_GLIBC = 17
"""The minor version in the oldest manylinux tag that auditwheel and pip know for all three architectures."""

ALLOWED_LIBRARIES = frozenset(
    {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libgcc_s.so.1"}
)
"""What a manylinux wheel may count on; the loader, which is listed for some architectures, aside."""


@dataclass(frozen=True, slots=True)
class Library:
    """One compiled library."""

    name: str
    size: int
    """In bytes."""
    machine: str
    glibc: int
    """The minor version of the newest glibc symbol it uses."""
    needed: frozenset[str]
    stripped: bool
    hard_float: bool
    alignment: int
    """Of its loadable segments, in bytes: at least the page size of the kernel it is to run on."""


def inspect(wheel: Path) -> list[Library]:
    """Every compiled library in a wheel."""
    with tempfile.TemporaryDirectory() as name, zipfile.ZipFile(wheel) as archive:
        members = [each for each in archive.namelist() if each.endswith(".so") or ".so." in each]
        return [_inspect(Path(archive.extract(member, name)), member) for member in members]


def _inspect(file: Path, name: str) -> Library:
    text = run(["readelf", "--wide", "-h", "-d", "-V", "-S", "-l", file])
    machine = re.search(r"Machine:\s+(.+)", text)
    flags = re.search(r"Flags:\s+(0x.*)", text)
    return Library(
        name=name,
        size=file.stat().st_size,
        machine=machine[1].strip() if machine else "",
        glibc=max([int(minor) for minor in re.findall(r"GLIBC_2\.(\d+)", text)], default=0),
        needed=frozenset(re.findall(r"\(NEEDED\).*\[(.+?)\]", text)),
        stripped=".symtab" not in text and ".debug_info" not in text,
        hard_float=flags is not None and "hard-float" in flags[1],
        alignment=min([int(size, 16) for size in re.findall(r"^\s+LOAD\s.*(0x[0-9a-f]+)$", text, re.M)], default=0),
    )


def manylinux_tag(wheel: Path, architecture: Architecture) -> str:
    """The platform tag that a wheel deserves; "any" without compiled libraries.

    Raises StepFailed for a library of another machine, with a soft-float ABI, with debug symbols, or that is linked
    with something a board need not have.
    """
    libraries = inspect(wheel)
    if not libraries:
        return "any"
    for library in libraries:
        surplus = {each for each in library.needed - ALLOWED_LIBRARIES if not each.startswith("ld-linux")}
        if library.machine != architecture.machine:
            raise StepFailed(f"{library.name} is for {library.machine}, not for {architecture.machine}")
        if architecture.name == "armv7l" and not library.hard_float:
            raise StepFailed(f"{library.name} passes floating-point numbers in the wrong registers")
        if not library.stripped:
            raise StepFailed(f"{library.name} has symbols that nobody needs")
        if surplus:
            raise StepFailed(f"{library.name} needs {', '.join(sorted(surplus))}")
    newest = max(library.glibc for library in libraries)
    return f"manylinux_2_{max(newest, OLDEST_GLIBC)}_{architecture.name}"
