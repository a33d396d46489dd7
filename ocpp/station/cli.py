"""The command `pilotwire`."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ocpp.errors import ConfigurationError, PilotwireError
from ocpp.station.late import LEFT_OUT, UNUSED, put_off, without

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

EXIT_USAGE = 2
EXIT_FAILURE = 1

EXIT_GRACE_S = 0.5
"""What is left for the end of a program that has done everything."""


def main(arguments: list[str] | None = None) -> int:
    """Run a sub-command; gives the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _as_the_service_starts(given) or _parse(given)
    try:
        return _COMMANDS[options.command](options)
    except ConfigurationError as error:
        print(f"The configuration is not usable:\n{_indented(str(error))}", file=sys.stderr)
        return EXIT_USAGE
    except PilotwireError as error:
        print(f"pilotwire: {error}", file=sys.stderr)
        return EXIT_FAILURE
    except KeyboardInterrupt:
        return 130


def _as_the_service_starts(given: list[str]) -> SimpleNamespace | None:
    """`run FILE` and nothing else, read without argparse: that alone would be a twentieth of the way to the CSMS."""
    if len(given) == 2 and given[0] == "run" and not given[1].startswith("-"):
        return SimpleNamespace(command="run", station=Path(given[1]), verbose=False)
    return None


def _parse(given: list[str]) -> Any:
    from ocpp.station.arguments import parse

    return parse(given)


def _hal_list(options: Any) -> int:
    from ocpp.station.configuration import load
    from ocpp.station.hardware_tool import print_list

    return print_list(load(options.station) if options.station is not None else None)


def _hal_test(options: Any) -> int:
    from ocpp.station.configuration import load
    from ocpp.station.hardware_tool import try_parts

    return run_in_loop(try_parts(load(options.station), options.parts, close_contactors=options.close_contactors))


def _hal_watch(options: Any) -> int:
    from ocpp.station.configuration import load
    from ocpp.station.hardware_tool import watch_parts

    return run_in_loop(watch_parts(load(options.station), options.parts))


def _cert_list(options: Any) -> int:
    from ocpp.station.cert.listing import print_list
    from ocpp.station.configuration import load

    return print_list(load(options.station))


def _cert_doctor(options: Any) -> int:
    from ocpp.station.cert.doctor import print_findings
    from ocpp.station.configuration import load

    return print_findings(load(options.station))


def _cert_pki(options: Any) -> int:
    from ocpp.station.cert.pki import make_test_pki

    if not 1 <= options.days <= 3650:
        raise ConfigurationError("--days must be 1 to 3650")
    return make_test_pki(options.folder, options.host, options.station, options.days)


def _run(options: Any) -> int:
    gc.disable()  # until `run_station` has built the station: what is made here lives as long as the program
    with without(LEFT_OUT):
        put_off(UNUSED)
    import logging

    from ocpp.station.configuration import load
    from ocpp.station.logging import to_console
    from ocpp.station.program import run_station

    configuration = load(options.station)
    to_console(logging.DEBUG if options.verbose else logging.INFO)
    return run_in_loop(_to_the_end(run_station(configuration)))


async def _to_the_end(work: Coroutine[Any, Any, int]) -> int:
    """The loop waits, when it closes, for names that are being looked up, and a name server may take half a minute."""
    status = await work
    timer = threading.Timer(EXIT_GRACE_S, os._exit, [status])
    timer.daemon = True
    timer.start()
    return status


def _check(options: Any) -> int:
    from ocpp.station.configuration import load

    configuration = load(options.station)
    for warning in configuration.warnings:
        print(f"warning: {warning}")
    connectors = sum(len(evse.connectors) for evse in configuration.evses)
    networks = ", ".join(f"{profile.url} (OCPP {profile.version})" for profile in configuration.networks)
    print(f"{options.station} is fine: {len(configuration.evses)} EVSE(s), {connectors} connector(s), CSMS {networks}")
    return 0


def _demo(options: Any) -> int:
    from ocpp.station.demo import run_demo

    return run_in_loop(run_demo(options.version, keep_running=options.keep_running))


def _explain(options: Any) -> int:
    from ocpp.station.explain import explain

    return explain(options.api, options.evse, options.at, options.token)


def _csms(options: Any) -> int:
    from ocpp.csms.program import TlsFiles, call_station, run_csms

    if options.call:
        return call_station(options.api, *options.call)
    if options.clients is not None and options.tls is None:
        raise ConfigurationError("--clients needs --tls: certificates are shown in a TLS handshake")
    files = None if options.tls is None else TlsFiles(options.tls[0], options.tls[1], options.clients)
    return run_in_loop(run_csms(options.listen, options.api, quiet=options.quiet, tls=files))


_COMMANDS: dict[str, Callable[[Any], int]] = {
    "run": _run,
    "check": _check,
    "demo": _demo,
    "explain": _explain,
    "csms": _csms,
    "cert list": _cert_list,
    "cert doctor": _cert_doctor,
    "cert pki": _cert_pki,
    "hal list": _hal_list,
    "hal test": _hal_test,
    "hal watch": _hal_watch,
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
