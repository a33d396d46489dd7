"""`python3 pilotwire-update.pyz`: the command."""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from . import request, trial
from .layout import Layout, UnfitError, UpdateError
from .releases import commit, install, put_system_files, take_back

USER = "pilotwire"
GROUPS = ("dialout", "gpio", "i2c", "spi", "input", "video")
"""Who may open serial ports, pins, buses and readers; those that a system does not have are passed over."""

SERVICE = "pilotwire.service"
WATCHED = ("pilotwire-update.path", SERVICE)
SYSTEMD = Path("/run/systemd/system")
"""There as long as systemd runs."""

EXIT_FAILED, EXIT_UNFIT = 1, 65


def main(arguments: list[str] | None = None) -> int:
    """Run a sub-command; gives the exit status."""
    options = _parser().parse_args(arguments)
    layout = Layout(options.root)
    try:
        return int(options.run(layout, options) or 0)
    except UnfitError as error:
        print(f"pilotwire-update: {error}", file=sys.stderr)
        return EXIT_UNFIT
    except (UpdateError, OSError) as error:
        print(f"pilotwire-update: {error}", file=sys.stderr)
        return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pilotwire-update", description="Install, try and take back releases.")
    parser.add_argument("--root", type=Path, default=Path("/"), help=argparse.SUPPRESS)
    commands = parser.add_subparsers(required=True, metavar="command")

    setup = commands.add_parser("setup", help="set up a board that has no pilotwire yet")
    setup.add_argument("bundle", type=Path)
    trust = setup.add_mutually_exclusive_group(required=True)
    trust.add_argument(
        "--key", type=Path, help="public key (PEM) that signs the bundles this board is to take, this one too"
    )
    trust.add_argument("--unsigned", action="store_true", help="take any bundle, now and later: for a bench only")
    setup.set_defaults(run=_setup)

    add = commands.add_parser(
        "install", help="install a bundle; it runs, on trial, from the next start of the station on"
    )
    add.add_argument("bundle", type=Path)
    add.add_argument("--allow-downgrade", action="store_true", help="even one that is older than the release that runs")
    add.set_defaults(run=_install)

    hand_in = commands.add_parser(
        "request", help="have a bundle installed by the service; the station's install_command"
    )
    hand_in.add_argument("bundle", type=Path)
    hand_in.set_defaults(run=_request)

    texts = {
        "confirm": (_confirm, "wait whether the release on trial stays; the station's confirm_command"),
        "serve": (_serve, "install what was requested (pilotwire-update.service)"),
        "guard": (_guard, "count a start, return to the previous release after too many (pilotwire.service)"),
        "watch": (_watch, "keep the release on trial once it works, or take it back (pilotwire-trial.service)"),
        "rollback": (_rollback, "return to the previous release, and restart the station"),
        "status": (_status, "say which release runs"),
    }
    for name, (function, text) in texts.items():
        command = commands.add_parser(name, help=text)
        command.set_defaults(run=function)
        if name == "watch":
            command.add_argument("--seconds", type=float, default=trial.TRIAL_S, help="how long the trial lasts (600)")
    return parser


def _key(layout: Layout) -> Path | None:
    """The key that bundles must be signed with. Raises UpdateError on a board that was never told."""
    if layout.key.exists():
        return layout.key
    if (layout.etc / "unsigned").exists():
        return None
    raise UpdateError(f"no bundle is trusted here: {layout.key} is missing")


def _setup(layout: Layout, options: argparse.Namespace) -> None:
    if layout.name_of(layout.current):
        raise UpdateError(f"{layout.name_of(layout.current)} is installed; use install")
    layout.etc.mkdir(parents=True, exist_ok=True)
    if options.key is not None:
        shutil.copyfile(options.key, layout.key)
    else:
        (layout.etc / "unsigned").touch()
    manifest = install(layout, options.bundle, key=_key(layout))
    put_system_files(layout, layout.release(manifest.release))
    first = layout.load_trial()
    assert first is not None
    commit(layout, first)  # there is nothing to return to
    if layout.root == Path("/") and SYSTEMD.is_dir():
        _set_up_system(layout)
    else:
        print("systemd does not run here: no user was made, no service enabled")
    print(f"{manifest.release} is set up; now fill in {layout.station_file} and start it: systemctl start pilotwire")


def _set_up_system(layout: Layout) -> None:
    """User, device rules and services of a real board."""
    if subprocess.run(["id", USER], capture_output=True, check=False).returncode:
        home = str(layout.spool.parent)
        subprocess.run(["useradd", "--system", "--home-dir", home, "--shell", "/usr/sbin/nologin", USER], check=True)
    for group in GROUPS:
        subprocess.run(["usermod", "-a", "-G", group, USER], capture_output=True, check=False)
    shutil.chown(layout.station_file, "root", USER)
    layout.station_file.chmod(0o640)
    for command in (
        ["udevadm", "control", "--reload"],
        ["udevadm", "trigger"],
        ["systemctl", "daemon-reload"],
        ["systemctl", "enable", *WATCHED],
        ["systemctl", "start", WATCHED[0]],
    ):
        subprocess.run(command, check=True)


def _install(layout: Layout, options: argparse.Namespace) -> None:
    manifest = install(layout, options.bundle, key=_key(layout), allow_downgrade=options.allow_downgrade)
    print(f"{manifest.release} runs from the next start on: systemctl restart pilotwire")


def _request(layout: Layout, options: argparse.Namespace) -> int:
    status, text = request.ask(layout, options.bundle)
    print(text)
    return status


def _confirm(layout: Layout, options: argparse.Namespace) -> int:
    return 0 if trial.confirm(layout) else EXIT_FAILED


def _serve(layout: Layout, options: argparse.Namespace) -> None:
    request.serve(layout, key=lambda: _key(layout))


def _guard(layout: Layout, options: argparse.Namespace) -> None:
    found = trial.guard(layout)
    if found is not None and found.outcome == "failed" and found.reason:
        print(f"{found.release} was taken back: {found.reason}")


def _watch(layout: Layout, options: argparse.Namespace) -> None:
    outcome = trial.watch(
        layout,
        restart=lambda: _systemctl("restart", SERVICE),
        reload=lambda: _systemctl("daemon-reload"),
        limit_s=options.seconds,
    )
    print(trial.describe(layout) if outcome else "nothing is on trial")


def _rollback(layout: Layout, options: argparse.Namespace) -> None:
    previous = layout.name_of(layout.previous)
    found = layout.load_trial()
    if not previous or found is None or previous == layout.name_of(layout.current):
        raise UpdateError("there is no previous release")
    found.previous = previous
    take_back(layout, found, "taken back by hand")
    _systemctl("restart", SERVICE)


def _status(layout: Layout, options: argparse.Namespace) -> None:
    print(trial.describe(layout))


def _systemctl(*words: str) -> None:
    """Ask systemd; a board in a test has none."""
    if SYSTEMD.is_dir():
        subprocess.run(["systemctl", *words], check=True)
