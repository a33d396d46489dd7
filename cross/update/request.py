"""How the station, which has no rights, has a bundle installed: it leaves a request, and root's service serves it.

The station owns the spool folder. What is read from there is copied out first, and nothing is written there.
"""

import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from .layout import Layout, RunsAlreadyError, UnfitError, UpdateError, read_json, write_json
from .releases import install
from .trial import Clock

EXIT_ACTIVE, EXIT_RESTART, EXIT_UNFIT, EXIT_FAILED = 0, 75, 65, 1
"""What the station understands of its `install_command`: active already, after a restart, not fit for this board, failed."""

MAX_BUNDLE = 256 << 20
MAX_REQUEST = 4096
ANSWER_TIMEOUT_S = 3000.0
"""Below the hour after which the station gives its command up."""

POLL_S = 0.5
BUNDLE, REQUEST = "bundle.tar.zst", "request.json"

CHUNK_BYTES = 1 << 16
_HASH = re.compile(r"[0-9a-f]{64}\Z")


def ask(layout: Layout, bundle: Path, *, clock: Clock = time, limit_s: float = ANSWER_TIMEOUT_S) -> tuple[int, str]:
    """As the station: hand a bundle in and wait; gives an exit status and what happened.

    A bundle that bears a SHA-256 as its name, as those do that the station has verified, is handed in only if it is its
    own; and only what has the hash that was handed in is installed.
    """
    token = secrets.token_hex(16)
    layout.spool.mkdir(parents=True, exist_ok=True)
    digest = _hand_in(bundle, layout.spool, token)
    if _HASH.match(bundle.stem) and bundle.stem != digest:
        (layout.spool / BUNDLE).unlink(missing_ok=True)
        return EXIT_UNFIT, f"{bundle} is not what its name says: its SHA-256 is {digest}"
    write_json(layout.spool / REQUEST, {"token": token, "sha256": digest})
    deadline = clock.monotonic() + limit_s
    try:
        while clock.monotonic() < deadline:
            result = read_json(layout.result_file)
            if result.get("token") == token:
                return int(result["status"]), str(result["text"])
            clock.sleep(POLL_S)
    finally:
        (layout.spool / BUNDLE).unlink(missing_ok=True)
        (layout.spool / REQUEST).unlink(missing_ok=True)
    return EXIT_FAILED, f"nobody installed it within {limit_s:.0f} s; does pilotwire-update.path run?"


def _hand_in(bundle: Path, spool: Path, token: str) -> str:
    """Put a copy of the bundle into the spool folder, whole or not at all; gives its SHA-256."""
    new = spool / f"{BUNDLE}.{token}"
    try:
        with bundle.open("rb") as source, _fresh(new) as target:
            digest = _copy(source, target)
        new.replace(spool / BUNDLE)
    finally:
        new.unlink(missing_ok=True)
    return digest


def _fresh(file: Path) -> BinaryIO:
    """A file that was not there before, for nobody else to write; others may read it."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644), "wb")


def _copy(source: BinaryIO, target: BinaryIO) -> str:
    """Gives the SHA-256 of what was copied. Raises UpdateError for more than MAX_BUNDLE."""
    digest, size = hashlib.sha256(), 0
    while piece := source.read(CHUNK_BYTES):
        size += len(piece)
        if size > MAX_BUNDLE:
            raise UpdateError(f"the bundle is larger than {MAX_BUNDLE >> 20} MB")
        digest.update(piece)
        target.write(piece)
    return digest.hexdigest()


def serve(layout: Layout, *, key: Callable[[], Path | None], say: Callable[[str], None] = print) -> int:
    """As root: do what was asked for and leave the result where the station can read it, but not write.

    `key` gives the key that must have signed, see `unpack`.
    """
    copy = layout.home / "requested.tar.zst"
    token = ""
    try:
        token, wanted, found = _take(layout, copy)
        if wanted and found != wanted:
            raise UnfitError("the bundle is not the one that was handed in")
        manifest = install(layout, copy, key=key(), say=say)
        status, text = EXIT_RESTART, f"{manifest.release} is installed"
    except RunsAlreadyError as error:
        # The power failed when it was in place but the station had not heard of it, or the CSMS asks twice.
        trial = layout.load_trial()
        status, text = EXIT_RESTART if trial is not None and not trial.outcome else EXIT_ACTIVE, str(error)
    except UnfitError as error:
        status, text = EXIT_UNFIT, str(error)
    except (UpdateError, OSError) as error:
        status, text = EXIT_FAILED, str(error)
    finally:
        copy.unlink(missing_ok=True)
    say(text)
    write_json(layout.result_file, {"token": token, "status": status, "text": text})
    return status


def _take(layout: Layout, copy: Path) -> tuple[str, str, str]:
    """Copy the bundle out of the spool folder, and take the request away; gives its token, the SHA-256 it names, and
    that of the copy, which nobody but root can write.
    """
    layout.home.mkdir(parents=True, exist_ok=True)
    folder = os.open(layout.spool, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            request = _read(folder, REQUEST, MAX_REQUEST)
        finally:
            os.unlink(REQUEST, dir_fd=folder)  # in any case, or the service is started for it again and again
        copy.unlink(missing_ok=True)
        with os.fdopen(_open(folder, BUNDLE, MAX_BUNDLE), "rb") as source, _fresh(copy) as target:
            digest = _copy(source, target)
    finally:
        os.close(folder)
    scratch = layout.home / "request.json"
    scratch.write_bytes(request)
    asked = read_json(scratch)
    return str(asked.get("token", ""))[:64], str(asked.get("sha256", "")), digest


def _read(folder: int, name: str, limit: int) -> bytes:
    with os.fdopen(_open(folder, name, limit), "rb") as stream:
        return stream.read(limit)


def _open(folder: int, name: str, limit: int) -> int:
    """Open an ordinary file; a link, a pipe or a device could make root read or wait for something else."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
        os.close(descriptor)
        raise UpdateError(f"{name} is no file of at most {limit} bytes")
    return descriptor
