"""The command `pilotwire`."""

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from ocpp.errors import ConfigurationError, PilotwireError
from ocpp.station.late import UNUSED, put_off

EXIT_USAGE = 2
EXIT_FAILURE = 1

DEFAULT_COLUMNS = 80
"""Of help texts where there is no terminal."""


def main(arguments: list[str] | None = None) -> int:
    """Run a sub-command; gives the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser(given[0] if given else None).parse_args(given)
    try:
        return int(options.run(options))
    except ConfigurationError as error:
        print(f"The configuration is not usable:\n{_indented(str(error))}", file=sys.stderr)
        return EXIT_USAGE
    except PilotwireError as error:
        print(f"pilotwire: {error}", file=sys.stderr)
        return EXIT_FAILURE
    except KeyboardInterrupt:
        return 130


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
    run.set_defaults(run=_run)


def _add_check(commands: Any) -> None:
    check = commands.add_parser(
        "check", help="check a station file", description="Check a station file, change nothing."
    )
    check.add_argument("station", type=Path, help="the station file (TOML)")
    check.set_defaults(run=_check)


def _add_demo(commands: Any) -> None:
    demo = commands.add_parser("demo", help="watch a simulated station charge a car")
    demo.add_argument("--version", choices=("1.6", "2.0.1", "2.1"), default="2.0.1", help="OCPP version (2.0.1)")
    demo.add_argument("--keep-running", action="store_true", help="go on after the session, until Ctrl-C")
    demo.set_defaults(run=_demo)


def _add_explain(commands: Any) -> None:
    explain = commands.add_parser(
        "explain", help="say what limits an EVSE of a running station, and why", description="Asks the local API."
    )
    explain.add_argument("--evse", type=int, default=1, help="which EVSE (1)")
    explain.add_argument("--at", help="the instant, such as 2026-01-01T12:00:00Z (now)")
    explain.add_argument("--api", default="127.0.0.1:8077", help="where the local API listens (127.0.0.1:8077)")
    explain.add_argument("--token", help="the token of the local API, where it has one")
    explain.set_defaults(run=_explain)


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
    csms.set_defaults(run=_csms)


def _add_cert(commands: Any) -> None:
    cert = commands.add_parser("cert", help="look after certificates", description="Certificates of a station.")
    what = cert.add_subparsers(required=True, metavar="what")

    listing = what.add_parser("list", help="every certificate of a station, with its dates")
    listing.add_argument("station", type=Path, help="the station file (TOML)")
    listing.set_defaults(run=_cert_list)

    doctor = what.add_parser(
        "doctor",
        help="say why a TLS connection to the CSMS fails or will fail",
        description="Checks clock and certificates and shakes hands with each CSMS; sends no OCPP and no password.",
    )
    doctor.add_argument("station", type=Path, help="the station file (TOML)")
    doctor.set_defaults(run=_cert_doctor)

    pki = what.add_parser("pki", help="make root, CSMS and station certificates for tests")
    pki.add_argument("folder", type=Path, help="where to put the PEM files")
    pki.add_argument("--host", default="localhost", help="host of the CSMS (localhost)")
    pki.add_argument("--station", default="CS001", help="serial number of the station (CS001)")
    pki.add_argument("--days", type=int, default=365, help="how long the certificates of CSMS and station hold (365)")
    pki.set_defaults(run=_cert_pki)


def _add_hal(commands: Any) -> None:
    hal = commands.add_parser("hal", help="try the real parts of a station", description="Boards, drivers and parts.")
    what = hal.add_subparsers(required=True, metavar="what")

    listing = what.add_parser("list", help="boards and drivers, or the parts of a station file")
    listing.add_argument("station", type=Path, nargs="?", help="the station file (TOML)")
    listing.set_defaults(run=_hal_list)

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
    test.set_defaults(run=_hal_test)

    watch = what.add_parser("watch", help="live values of the parts", description="The station must not be running.")
    watch.add_argument("station", type=Path, help="the station file (TOML)")
    watch.add_argument("parts", nargs="*", metavar="part", help="names of parts (all)")
    watch.set_defaults(run=_hal_watch)


def _hal_list(options: argparse.Namespace) -> int:
    from ocpp.station.configuration import load
    from ocpp.station.hardware_tool import print_list

    return print_list(load(options.station) if options.station is not None else None)


def _hal_test(options: argparse.Namespace) -> int:
    from ocpp.station.configuration import load
    from ocpp.station.hardware_tool import try_parts

    return run_in_loop(try_parts(load(options.station), options.parts, close_contactors=options.close_contactors))


def _hal_watch(options: argparse.Namespace) -> int:
    from ocpp.station.configuration import load
    from ocpp.station.hardware_tool import watch_parts

    return run_in_loop(watch_parts(load(options.station), options.parts))


def _cert_list(options: argparse.Namespace) -> int:
    from ocpp.station.cert.listing import print_list
    from ocpp.station.configuration import load

    return print_list(load(options.station))


def _cert_doctor(options: argparse.Namespace) -> int:
    from ocpp.station.cert.doctor import print_findings
    from ocpp.station.configuration import load

    return print_findings(load(options.station))


def _cert_pki(options: argparse.Namespace) -> int:
    from ocpp.station.cert.pki import make_test_pki

    if not 1 <= options.days <= 3650:
        raise ConfigurationError("--days must be 1 to 3650")
    return make_test_pki(options.folder, options.host, options.station, options.days)


def _run(options: argparse.Namespace) -> int:
    gc.disable()  # until `run_station` has built the station: what is made here lives as long as the program
    put_off(*UNUSED)
    import logging

    from ocpp.station.configuration import load
    from ocpp.station.logging import to_console
    from ocpp.station.program import run_station

    configuration = load(options.station)
    to_console(logging.DEBUG if options.verbose else logging.INFO)
    return run_in_loop(run_station(configuration))


def _check(options: argparse.Namespace) -> int:
    from ocpp.station.configuration import load

    configuration = load(options.station)
    for warning in configuration.warnings:
        print(f"warning: {warning}")
    connectors = sum(len(evse.connectors) for evse in configuration.evses)
    networks = ", ".join(f"{profile.url} (OCPP {profile.version})" for profile in configuration.networks)
    print(f"{options.station} is fine: {len(configuration.evses)} EVSE(s), {connectors} connector(s), CSMS {networks}")
    return 0


def _demo(options: argparse.Namespace) -> int:
    from ocpp.station.demo import run_demo

    return run_in_loop(run_demo(options.version, keep_running=options.keep_running))


def _explain(options: argparse.Namespace) -> int:
    from ocpp.station.explain import explain

    return explain(options.api, options.evse, options.at, options.token)


def _csms(options: argparse.Namespace) -> int:
    from ocpp.csms.program import TlsFiles, call_station, run_csms

    if options.call:
        return call_station(options.api, *options.call)
    if options.clients is not None and options.tls is None:
        raise ConfigurationError("--clients needs --tls: certificates are shown in a TLS handshake")
    files = None if options.tls is None else TlsFiles(options.tls[0], options.tls[1], options.clients)
    return run_in_loop(run_csms(options.listen, options.api, quiet=options.quiet, tls=files))


_COMMANDS: dict[str | None, Callable[[Any], None]] = {
    "run": _add_run,
    "check": _add_check,
    "demo": _add_demo,
    "explain": _add_explain,
    "cert": _add_cert,
    "hal": _add_hal,
    "csms": _add_csms,
}


def run_in_loop(work: Coroutine[Any, Any, int]) -> int:
    """Run on uvloop where it is installed, on asyncio's own loop otherwise."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


if __name__ == "__main__":
    sys.exit(main())
