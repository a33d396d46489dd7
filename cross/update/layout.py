"""Where everything is on a board, and files that a power cut leaves whole."""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


class UpdateError(Exception):
    """An update that cannot go on."""


class UnfitError(UpdateError):
    """A bundle that is not for this board, damaged, or not signed by whom this board trusts."""


class RunsAlreadyError(UnfitError):
    """A bundle with the very release that runs."""


@dataclass(slots=True)
class Trial:
    """A release that has not shown yet that it works."""

    release: str
    previous: str
    """The release to return to; empty on a board that had none."""
    starts: int = 0
    """How often the station was started with it."""
    outcome: str = ""
    """Empty while it is on trial, then `good` or `failed`."""
    reason: str = ""


class Layout:
    """The folders of a board; `root` is / save in tests."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root
        self.home = root / "opt" / "pilotwire"
        self.releases = self.home / "releases"
        self.current = self.home / "current"
        self.previous = self.home / "previous"
        self.updater = self.home / "pilotwire-update.pyz"
        self.incoming = self.home / "incoming"
        self.trial_file = self.home / "trial.json"
        self.result_file = self.home / "result.json"
        self.etc = root / "etc" / "pilotwire"
        self.station_file = self.etc / "station.toml"
        self.key = self.etc / "bundle-key.pem"
        self.spool = root / "var" / "lib" / "pilotwire" / "update"
        self.units = root / "etc" / "systemd" / "system"
        self.rules = root / "etc" / "udev" / "rules.d"

    def release(self, name: str) -> Path:
        """The folder of a release."""
        return self.releases / name

    def name_of(self, link: Path) -> str:
        """Which release `current` or `previous` is; empty for none."""
        return link.readlink().name if link.is_symlink() else ""

    def point(self, link: Path, name: str) -> None:
        """Make a link stand for a release: before a power cut or after it, never for nothing."""
        new = link.with_name(f"{link.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(Path("releases") / name)
        new.replace(link)
        sync(link.parent)

    def load_trial(self) -> Trial | None:
        """The trial that goes on or the last one; None on a board without. A file that cannot be read counts as none."""
        found = read_json(self.trial_file)
        try:
            return Trial(**found) if found else None
        except TypeError:
            return None

    def save_trial(self, trial: Trial) -> None:
        """Keep it."""
        write_json(self.trial_file, asdict(trial))

    def remove_all_but(self, *names: str) -> None:
        """Remove releases that nobody returns to."""
        for folder in self.releases.iterdir() if self.releases.is_dir() else ():
            if folder.name not in names:
                shutil.rmtree(folder, ignore_errors=True)


def read_json(file: Path) -> dict[str, Any]:
    """The object in a file; empty when the file is not there or holds no object."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(file: Path, value: dict[str, Any]) -> None:
    """Write an object so that a reader, and a power cut, meets the old file or the new one; readable for everybody."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644), "w") as stream:
        json.dump(value, stream)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
    sync(file.parent)


def sync(folder: Path) -> None:
    """Have the folder's entries on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
