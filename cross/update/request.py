"""How the station, which has no rights, has a bundle installed: it leaves a request, and root's service serves it.

The station owns the spool folder. What is read from there is copied out first, and nothing is written there.
"""

import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path

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


def ask(layout: Layout, bundle: Path, *, clock: Clock = time, limit_s: float = ANSWER_TIMEOUT_S) -> tuple[int, str]:
    """As the station: hand a bundle in and wait; gives an exit status and what happened."""
    token = secrets.token_hex(16)
    layout.spool.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(bundle, layout.spool / BUNDLE)
    write_json(layout.spool / REQUEST, {"token": token})
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


def serve(layout: Layout, *, key: Callable[[], Path | None], say: Callable[[str], None] = print) -> int:
    """As root: do what was asked for and leave the result where the station can read it, but not write.

    `key` gives the key that must have signed, see `unpack`.
    """
    copy = layout.home / "requested.tar.zst"
    token = ""
    try:
        token = _take(layout, copy)
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


def _take(layout: Layout, copy: Path) -> str:
    """Copy the bundle out of the spool folder, and take the request away; gives its token."""
    layout.home.mkdir(parents=True, exist_ok=True)
    folder = os.open(layout.spool, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            request = _read(folder, REQUEST, MAX_REQUEST)
        finally:
            os.unlink(REQUEST, dir_fd=folder)  # in any case, or the service is started for it again and again
        with os.fdopen(_open(folder, BUNDLE, MAX_BUNDLE), "rb") as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target)
    finally:
        os.close(folder)
    scratch = layout.home / "request.json"
    scratch.write_bytes(request)
    return str(read_json(scratch).get("token", ""))[:64]


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
