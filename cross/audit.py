"""What auditwheel, the manylinux project's own judge, says of a wheel, beside what readelf shows (cross/elf.py).

`auditwheel show` reads wheels of any architecture. `auditwheel repair` does not: it takes this machine's platforms only,
and would copy this machine's libraries into the wheel. There is nothing to repair here, since a wheel that needs a library
which a board may lack is refused.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from cross.elf import OLDEST_GLIBC, inspect, manylinux_tag
from cross.running import StepFailed, run
from cross.targets import Architecture, Target

SHOW = [sys.executable, "-m", "auditwheel", "show", "--json"]


def platform_tag(wheel: Path, target: Target) -> str:
    """The platform tag that a wheel gets: auditwheel's, once it agrees with readelf; "any" without compiled libraries.

    Raises StepFailed when they disagree, when either of them refuses the wheel, or when the target's C library is too old.
    """
    read = manylinux_tag(wheel, target.architecture)
    return read if read == "any" else f"manylinux_2_{_agreed(wheel, target, read)}_{target.architecture.name}"


def check(wheel: Path, target: Target) -> None:
    """Raise StepFailed unless a wheel, built here or fetched, runs on the target with what Debian has there."""
    if inspect(wheel):
        _fitting(wheel, _audited_glibc(wheel, target.architecture), target)


def _agreed(wheel: Path, target: Target, read: str) -> int:
    """The C library's minor version that both of them ask for."""
    audited = max(_audited_glibc(wheel, target.architecture), OLDEST_GLIBC)
    promised = _minor(read, target.architecture)
    # auditwheel knows some minor versions only and names the next one that it knows: never an older one.
    if promised is None or audited < promised:
        raise StepFailed(f"{wheel.name}: readelf says {read}, auditwheel says glibc 2.{audited}")
    return _fitting(wheel, audited, target)


def _audited_glibc(wheel: Path, architecture: Architecture) -> int:
    said = _show(wheel)
    tag, missing = str(said.get("overall_tag", "")), said.get("external_libs")
    minor = _minor(tag, architecture)
    if minor is None or missing or said.get("unsupported_isa"):
        reason = said.get("error") or f"{tag or 'no tag'}, libraries outside the policy: {missing or 'none'}"
        raise StepFailed(f"auditwheel finds {wheel.name} unfit for {architecture.name}: {reason}")
    return minor


def _fitting(wheel: Path, glibc: int, target: Target) -> int:
    if glibc > target.release.glibc:
        raise StepFailed(f"{wheel.name} needs glibc 2.{glibc}; {target.release.suite} has 2.{target.release.glibc}")
    return glibc


def _show(wheel: Path) -> dict[str, Any]:
    """auditwheel's answer; with `error` when it refuses. Warnings, which go before it, are left out."""
    try:
        shown = run([*SHOW, wheel])
    except StepFailed as refusal:  # says why in JSON all the same
        shown = str(refusal)
    beginning = re.search(r"^\{", shown, re.M)
    try:
        if beginning is None:
            raise ValueError("no JSON")
        found, _ = json.JSONDecoder().raw_decode(shown, beginning.start())
    except ValueError as error:
        raise StepFailed(f"auditwheel does not say what it thinks of {wheel.name}:\n{shown[-1000:]}") from error
    return dict(found)


def _minor(tag: str, architecture: Architecture) -> int | None:
    """The minor version in a manylinux tag; None for any other tag, and for that of another architecture."""
    found = re.fullmatch(rf"manylinux_2_(\d+)_{architecture.name}", tag)
    return int(found[1]) if found else None
