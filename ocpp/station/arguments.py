"""The command line of `pilotwire`."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEFAULT_COLUMNS = 80
"""Of help texts where there is no terminal."""


class _Parser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=_formatter, **options)


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Left alone, argparse asks `shutil` for the width, with every argument, and that imports archives of all kinds."""
    columns = os.environ.get("COLUMNS", "")
    try:
        width = int(columns) if columns.isdecimal() else os.get_terminal_size().columns
    except OSError:
        width = 0
    return argparse.HelpFormatter(prog, width=(width or DEFAULT_COLUMNS) - 2)


def parse(given: list[str]) -> argparse.Namespace:
    """The options, and `command`, which says whose they are. Raises SystemExit as argparse does."""
    return _parser(given[0] if given else None).parse_args(given)


def _parser(named: str | None) -> argparse.ArgumentParser:
    """The parser, with the command that is `named` spelled out; the others would only cost time."""
    parser = _Parser(prog="pilotwire", description="EV charging station: OCPP 1.6, 2.0.1 and 2.1")
    commands = parser.add_subparsers(prog=parser.prog, required=True, metavar="command")
    for add in (_COMMANDS[named],) if named in _COMMANDS else _COMMANDS.values():
        add(commands)
    return parser


def _add_run(commands: Any) -> None:
    run = commands.add_parser("run", help="run a station", description="Run the station that a station file describes.")
    run.add_argument("station", type=Path, help="the station file (TOML)")
    run.add_argument("--verbose", action="store_true", help="log what happens inside, too")
    run.set_defaults(command="run")


def _add_check(commands: Any) -> None:
    check = commands.add_parser(
        "check", help="check a station file", description="Check a station file, change nothing."
    )
    check.add_argument("station", type=Path, help="the station file (TOML)")
    check.set_defaults(command="check")


def _add_demo(commands: Any) -> None:
    demo = commands.add_parser("demo", help="watch a simulated station charge a car")
    demo.add_argument("--version", choices=("1.6", "2.0.1", "2.1"), default="2.0.1", help="OCPP version (2.0.1)")
    demo.add_argument("--keep-running", action="store_true", help="go on after the session, until Ctrl-C")
    demo.set_defaults(command="demo")


def _add_explain(commands: Any) -> None:
    explain = commands.add_parser(
        "explain", help="say what limits an EVSE of a running station, and why", description="Asks the local API."
    )
    explain.add_argument("--evse", type=int, default=1, help="which EVSE (1)")
    explain.add_argument("--at", help="the instant, such as 2026-01-01T12:00:00Z (now)")
    explain.add_argument("--api", default="127.0.0.1:8077", help="where the local API listens (127.0.0.1:8077)")
    explain.add_argument("--token", help="the token of the local API, where it has one")
    explain.set_defaults(command="explain")


def _add_csms(commands: Any) -> None:
    csms = commands.add_parser("csms", help="run a small development CSMS")
    csms.add_argument("--listen", default="127.0.0.1:9000", help="where stations connect (127.0.0.1:9000)")
    csms.add_argument("--api", default="127.0.0.1:9080", help='where the HTTP API listens, or "off" (127.0.0.1:9080)')
    csms.add_argument(
        "--call", nargs=3, metavar=("STATION", "ACTION", "JSON"), help="send one call through a running CSMS"
    )
    csms.add_argument(
        "--tls", nargs=2, type=Path, metavar=("CERTIFICATE", "KEY"), help="speak TLS with this certificate (PEM)"
    )
    csms.add_argument("--clients", type=Path, metavar="ROOT", help="ask stations for a certificate of this root (PEM)")
    csms.add_argument("--quiet", action="store_true", help="do not show the traffic")
    csms.set_defaults(command="csms")


def _add_cert(commands: Any) -> None:
    cert = commands.add_parser("cert", help="look after certificates", description="Certificates of a station.")
    what = cert.add_subparsers(required=True, metavar="what")

    listing = what.add_parser("list", help="every certificate of a station, with its dates")
    listing.add_argument("station", type=Path, help="the station file (TOML)")
    listing.set_defaults(command="cert list")

    doctor = what.add_parser(
        "doctor",
        help="say why a TLS connection to the CSMS fails or will fail",
        description="Checks clock and certificates and shakes hands with each CSMS; sends no OCPP and no password.",
    )
    doctor.add_argument("station", type=Path, help="the station file (TOML)")
    doctor.set_defaults(command="cert doctor")

    pki = what.add_parser("pki", help="make root, CSMS and station certificates for tests")
    pki.add_argument("folder", type=Path, help="where to put the PEM files")
    pki.add_argument("--host", default="localhost", help="host of the CSMS (localhost)")
    pki.add_argument("--station", default="CS001", help="serial number of the station (CS001)")
    pki.add_argument("--days", type=int, default=365, help="how long the certificates of CSMS and station hold (365)")
    pki.set_defaults(command="cert pki")


def _add_hal(commands: Any) -> None:
    hal = commands.add_parser("hal", help="try the real parts of a station", description="Boards, drivers and parts.")
    what = hal.add_subparsers(required=True, metavar="what")

    listing = what.add_parser("list", help="boards and drivers, or the parts of a station file")
    listing.add_argument("station", type=Path, nargs="?", help="the station file (TOML)")
    listing.set_defaults(command="hal list")

    test = what.add_parser(
        "test",
        help="try one part after another",
        description="Says what each part measures and what is wrong with it. The station must not be running.",
    )
    test.add_argument("station", type=Path, help="the station file (TOML)")
    test.add_argument("parts", nargs="*", metavar="part", help="names of parts (all)")
    test.add_argument(
        "--close-contactors", action="store_true", help="close contactors, too: nothing may be connected to them"
    )
    test.set_defaults(command="hal test")

    watch = what.add_parser("watch", help="live values of the parts", description="The station must not be running.")
    watch.add_argument("station", type=Path, help="the station file (TOML)")
    watch.add_argument("parts", nargs="*", metavar="part", help="names of parts (all)")
    watch.set_defaults(command="hal watch")


_COMMANDS: dict[str | None, Callable[[Any], None]] = {
    "run": _add_run,
    "check": _add_check,
    "demo": _add_demo,
    "explain": _add_explain,
    "cert": _add_cert,
    "hal": _add_hal,
    "csms": _add_csms,
}
