"""Releases: installed beside the one that runs, switched to, taken back."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .bundle import Manifest, unpack
from .layout import Layout, RunsAlreadyError, Trial, UnfitError, UpdateError, sync
from .version import order, version_of

STEP_TIMEOUT_S = 1800
"""Installing takes a minute on a BeagleBone; a worn card is far slower."""

SHOWN = 2000
"""Characters of a failed program's output that are told."""

Say = Callable[[str], None]


def install(
    layout: Layout, bundle: Path, *, key: Path | None, allow_downgrade: bool = False, say: Say = print
) -> Manifest:
    """Verify a bundle, install it beside the release that runs, and put it on trial from the next start on.

    `key` as for `unpack`. Raises UnfitError when the bundle is not for this board, or older than what runs unless
    `allow_downgrade`; UpdateError or OSError when it cannot be installed; what runs goes on running then.
    """

    def fits(manifest: Manifest) -> None:
        check_wanted(layout, manifest, allow_downgrade=allow_downgrade)

    shutil.rmtree(layout.incoming, ignore_errors=True)
    layout.incoming.mkdir(parents=True)
    try:
        with bundle.open("rb") as stream:
            manifest = unpack(stream, layout.incoming, key, fits)
        say(f"verified {manifest.release}")
        _build(layout, manifest, say)
    finally:
        shutil.rmtree(layout.incoming, ignore_errors=True)
    switch(layout, manifest.release)
    return manifest


def check_wanted(layout: Layout, manifest: Manifest, *, allow_downgrade: bool) -> None:
    """Raise UnfitError for the release that runs or is kept, and for one that is older than what runs.

    Old releases stay signed, with the holes that later ones close: who may only hand in bundles must not bring them back.
    """
    current = layout.name_of(layout.current)
    if manifest.release == current:
        raise RunsAlreadyError(f"{manifest.release} runs already")
    if manifest.release == layout.name_of(layout.previous):
        raise UnfitError(f"{manifest.release} is the previous release, which is kept here: return to it with rollback")
    if current and not allow_downgrade and order(manifest.version) < order(version_of(current)):
        raise UnfitError(
            f"{manifest.version} is older than {version_of(current)}, which runs: only somebody at the board can want that, "
            "with install --allow-downgrade"
        )


def _build(layout: Layout, manifest: Manifest, say: Say) -> None:
    place = layout.release(manifest.release)
    shutil.rmtree(place, ignore_errors=True)  # what an installation left that a power cut ended
    wheels = layout.incoming / "wheels"
    pip = next(wheels.glob("pip-*.whl"), None)
    if pip is None:
        raise UnfitError("the bundle holds no pip")
    try:
        _call([sys.executable, "-m", "venv", "--without-pip", place])
        options: list[str | Path] = ["--no-index", "--find-links", wheels, "--require-hashes", "--no-cache-dir", "-q"]
        requirements = wheels / "requirements.txt"
        _call([sys.executable, pip / "pip", "--python", place, "install", *options, "-r", requirements])
        say("installed the wheels")
        shutil.copytree(layout.incoming / "system", place / "system")
        shutil.copy(layout.incoming / layout.updater.name, place)
        program = place / "bin" / "pilotwire"
        if layout.station_file.exists():
            _call([program, "check", layout.station_file])
            say("the station file fits it")
        if layout.root == Path("/"):
            os.sync()  # the whole release, before anything points to it
    except UpdateError:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _call(command: list[str | Path]) -> None:
    environment = {**os.environ, "PYTHONNOUSERSITE": "1", "LC_ALL": "C.UTF-8"}
    environment.pop("PYTHONPATH", None)
    try:
        done = subprocess.run(
            [str(word) for word in command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=STEP_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpdateError(f"{command[0]}: {error}") from error
    if done.returncode:
        raise UpdateError(f"{' '.join(map(str, command[:4]))} ended with {done.returncode}: {done.stdout[-SHOWN:]}")


def switch(layout: Layout, release: str) -> None:
    """Have the next start run a release, on trial. The trial is on disk first: see `settle` for a cut in between."""
    previous = layout.name_of(layout.current)
    layout.save_trial(Trial(release, previous))
    if previous:
        layout.point(layout.previous, previous)
    layout.point(layout.current, release)
    layout.remove_all_but(release, previous)


def commit(layout: Layout, trial: Trial, say: Say = print) -> None:
    """The release has shown that it works: it stays, and what it brings for the system is put in place where it can be."""
    trial.outcome = "good"
    layout.save_trial(trial)
    try:
        put_system_files(layout, layout.release(trial.release))
    except OSError as error:
        say(f"units and device rules stay those of {trial.previous or 'the system'}: {error}")


def put_system_files(layout: Layout, release: Path) -> None:
    """Units, rules for devices, and the updater of a release; an example station file where there is none."""
    for file in sorted((release / "system").iterdir()):
        if file.suffix in (".service", ".path"):
            _replace(file, layout.units / file.name)
        elif file.suffix == ".rules":
            _replace(file, layout.rules / file.name)
        elif file.name == layout.station_file.name and not layout.station_file.exists():
            _replace(file, layout.station_file)
    _replace(release / layout.updater.name, layout.updater)


def _replace(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    new = place.with_name(f"{place.name}.new")
    shutil.copyfile(source, new)
    new.chmod(0o644)
    new.replace(place)
    sync(place.parent)


def take_back(layout: Layout, trial: Trial, reason: str) -> None:
    """Return to the previous release; without one, the release on trial stays."""
    trial.outcome, trial.reason = "failed", reason[:SHOWN]
    if trial.previous and layout.release(trial.previous).is_dir():
        layout.point(layout.current, trial.previous)
    layout.save_trial(trial)
