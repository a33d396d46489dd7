"""A bundle: a tar archive compressed with Zstandard, its first file a manifest with the hash of every other one.

manifest.json, manifest.sig (a signature over it with SHA-256, by RSA or ECDSA), then the files in any order. Nothing is
written before the signature is checked, and nothing that the manifest does not name.
"""

import hashlib
import json
import platform
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from .layout import UnfitError
from .version import order
from .zstandard import Reader

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"

MAX_MANIFEST = 1 << 20
MAX_SIGNATURE = 1 << 14
MAX_UNPACKED = 512 << 20
"""Bytes of all files: ten times what a bundle has, and what fits beside two releases on a 4 GB card."""

MAX_FILES = 1000
OPENSSL_TIMEOUT_S = 60

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}\Z")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself."""

    release: str
    """Name of the release, which is the name of its folder."""
    version: str
    machine: str
    """As `uname -m` says it."""
    python: str
    """Such as 3.11."""
    files: dict[str, str]
    """SHA-256 of each file, in hexadecimal digits, by its path."""

    def check_board(self) -> None:
        """Raise UnfitError when it is for another kind of board."""
        here, python = platform.machine(), f"{sys.version_info.major}.{sys.version_info.minor}"
        # A 64-bit kernel under a 32-bit system tells of the kernel.
        if here == "aarch64" and sys.maxsize < 2**32:
            here = "armv7l"
        if self.machine != here:
            raise UnfitError(f"the bundle is for {self.machine}, this board is {here}")
        if self.python != python:
            raise UnfitError(f"the bundle is for Python {self.python}, this board has {python}")


def unpack(bundle: BinaryIO, folder: Path, key: Path | None, fits: Callable[[Manifest], None]) -> Manifest:
    """Check a bundle and write its files into an empty folder.

    `key` is the public key (PEM) that must have signed it, None where any bundle is taken; `fits` raises UnfitError for a
    release that is not wanted, before anything is written. Raises UnfitError for a bundle that is damaged, not signed with
    that key, not wanted, or for another board; OSError when it cannot be written.
    """
    try:
        with tarfile.open(fileobj=cast(IO[bytes], Reader(bundle)), mode="r|") as archive:
            return _unpack(archive, folder, key, fits)
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise UnfitError(f"the bundle is damaged: {error}") from error


def _unpack(archive: tarfile.TarFile, folder: Path, key: Path | None, fits: Callable[[Manifest], None]) -> Manifest:
    text = _small(archive, MANIFEST, MAX_MANIFEST)
    signature = _small(archive, SIGNATURE, MAX_SIGNATURE)
    if key is not None:
        check_signature(text, signature, key)
    manifest = parse(text)
    manifest.check_board()
    fits(manifest)
    missing, room = dict(manifest.files), MAX_UNPACKED
    while (member := archive.next()) is not None:
        expected = missing.pop(member.name, None)
        if expected is None or not member.isfile():
            raise UnfitError(f"the bundle holds {member.name}, which its manifest does not name")
        room -= member.size
        if room < 0:
            raise UnfitError(f"the bundle is larger than {MAX_UNPACKED >> 20} MB")
        if _write(archive, member, folder / member.name) != expected:
            raise UnfitError(f"{member.name} in the bundle is not what was signed")
    if missing:
        raise UnfitError(f"the bundle lacks {min(missing)}")
    return manifest


def parse(text: bytes) -> Manifest:
    """Raises UnfitError for what is no manifest."""
    try:
        found = json.loads(text)
        manifest = Manifest(**{name: found[name] for name in Manifest.__dataclass_fields__})
        order(manifest.version)
        names = [manifest.release, manifest.version, manifest.machine, manifest.python]
        parts = [part for path in manifest.files for part in PurePosixPath(path).parts]
        right = all(_NAME.match(each) for each in (*names, *parts)) and len(manifest.files) <= MAX_FILES
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnfitError(f"the manifest cannot be read: {error}") from error
    if not right:
        raise UnfitError("the manifest has names that no release may have")
    return manifest


def check_signature(text: bytes, signature: bytes, key: Path) -> None:
    """Raise UnfitError unless the key's owner signed the text."""
    if not signature:
        raise UnfitError("the bundle is not signed")
    with tempfile.TemporaryDirectory() as name:
        file, mark = Path(name) / "text", Path(name) / "signature"
        file.write_bytes(text)
        mark.write_bytes(signature)
        command: list[str | Path] = ["openssl", "dgst", "-sha256", "-verify", key, "-signature", mark, file]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=OPENSSL_TIMEOUT_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnfitError(f"the signature cannot be checked: {error}") from error
    if done.returncode:
        raise UnfitError("the bundle is not signed with this board's key")


def _small(archive: tarfile.TarFile, name: str, limit: int) -> bytes:
    member = archive.next()
    if member is None or member.name != name or not member.isfile() or member.size > limit:
        raise UnfitError(f"the bundle has no {name} where it belongs")
    stream = archive.extractfile(member)
    return stream.read(limit) if stream is not None else b""


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, file: Path) -> str:
    """Write one file; gives its hash."""
    file.parent.mkdir(parents=True, exist_ok=True)
    digest, stream = hashlib.sha256(), archive.extractfile(member)
    assert stream is not None
    with file.open("xb") as output:
        while piece := stream.read(1 << 16):
            digest.update(piece)
            output.write(piece)
    return digest.hexdigest()
