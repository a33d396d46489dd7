"""`pilotwire hal`: what boards and drivers there are, and the parts of a station file tried and watched."""

import asyncio
import sys
import time
from collections.abc import Callable

from hal import boards, drivers
from hal.bench import Bench
from hal.checkup import Checkup, Guide, Result
from hal.drivers import make
from hal.errors import HardwareError
from hal.interfaces import PartDescription
from hal.parts import Part
from ocpp.clock import SystemClock
from ocpp.errors import ConfigurationError
from ocpp.station.configuration import Configuration

EXIT_FOUND = 1
"""Exit status when something was wrong with a part."""

REFRESH_S = 0.5
HOME, CLEAR = "\x1b[H", "\x1b[J"

BUSY_HINT = "a part that a running station uses cannot be opened here: stop the station first"


def print_list(configuration: Configuration | None) -> int:
    """Boards and drivers; with a station file its parts, and where each belongs."""
    if configuration is None:
        print("boards")
        for name in boards.names():
            print(f"  {name:20} {boards.board(name).title}")
        print("\ndrivers")
        for name in drivers.names():
            print(f"  {name:20} {drivers.driver(name).role}")
        print("\nOptions of a driver: docs/hal/drivers. Parts of a station: pilotwire hal list station.toml")
        return 0
    board = boards.board(configuration.hardware["board"])
    print(f"{board.title}\n{_indented(board.notes)}\n")
    for each in _parts(configuration):
        where = f"EVSE {each.evse}" if each.evse else "station"
        options = ", ".join(f"{key} = {value}" for key, value in each.options.items())
        print(f"  {each.name:16} {each.driver:20} {where:8} {options}")
    return 0


async def try_parts(configuration: Configuration, names: list[str], *, close_contactors: bool) -> int:
    """Try parts one after another; gives the exit status. ConfigurationError when a name is none of theirs."""
    wanted = _wanted(configuration, names)
    guide = Guide(lambda text: print(f"    {text}", flush=True), sys.stdin.isatty(), close_contactors)
    checkup = Checkup(boards.board(configuration.hardware["board"]), SystemClock(), guide)
    results = []
    for number, each in enumerate(wanted, 1):
        print(f"{number}/{len(wanted)} {each.name} ({each.driver})", flush=True)
        results.append(await checkup.examine(each))
        _print_result(results[-1])
    bad = [each.part for each in results if each.wrong]
    print(f"\n{len(results) - len(bad)} of {len(results)} parts are fine" + (f"; see {', '.join(bad)}" if bad else ""))
    return EXIT_FOUND if bad else 0


def _print_result(result: Result) -> None:
    for name, value in result.measured.items():
        print(f"    {name:24} {value}")
    for text in result.skipped:
        print(f"    not tried: {text}")
    for text in result.wrong:
        print(f"    WRONG: {text}")
    if any("busy" in text.lower() for text in result.wrong):
        print(f"    ({BUSY_HINT})")
    if not result.wrong:
        print("    fine")


async def watch_parts(
    configuration: Configuration, names: list[str], *, rounds: int | None = None, out: Callable[[str], object] = print
) -> int:
    """Show live values until Ctrl-C, or so many times. No contactor is closed and no current offered."""
    bench = Bench(
        boards.board(configuration.hardware["board"]), SystemClock(), asyncio.get_running_loop().call_soon_threadsafe
    )
    parts: list[tuple[PartDescription, Part | None, str]] = []
    try:
        for each in _wanted(configuration, names):
            parts.append(_opened(bench, each))
        for _, part, _ in parts:
            if part is not None:
                part.start()
        bench.start()
        screen = sys.stdout.isatty()
        shown = 0
        while rounds is None or shown < rounds:
            await asyncio.sleep(REFRESH_S)
            text = "\n".join(_shown(described, part, error) for described, part, error in parts)
            out(f"{HOME}{text}{CLEAR}" if screen else text)
            shown += 1
    finally:
        for _, part, _ in parts:
            if part is not None:
                part.stop()
        bench.close()
    return 0


def _opened(bench: Bench, described: PartDescription) -> tuple[PartDescription, Part | None, str]:
    try:
        return described, make(bench, described.name, described.driver, described.options), ""
    except HardwareError as error:
        return described, None, str(error)


def _shown(described: PartDescription, part: Part | None, error: str) -> str:
    title = f"{described.name} ({described.driver})"
    if part is None:
        return f"{title}: {error}"
    try:
        values = "   ".join(f"{name} {value}" for name, value in part.values().items())
    except HardwareError as failure:
        values = str(failure)
    check: Callable[[float], str] | None = getattr(part, "wrong", None)
    reason = check(time.monotonic()) if check is not None else ""
    return f"{title}\n    {values}" + (f"\n    WRONG: {reason}" if reason else "")


def _parts(configuration: Configuration) -> tuple[PartDescription, ...]:
    if not configuration.parts:
        raise ConfigurationError("the station file has no [[part]] tables: its hardware is simulated")
    return configuration.parts


def _wanted(configuration: Configuration, names: list[str]) -> list[PartDescription]:
    parts = _parts(configuration)
    unknown = sorted(set(names) - {each.name for each in parts})
    if unknown:
        known = ", ".join(each.name for each in parts)
        raise ConfigurationError(f"there is no part {unknown[0]!r}; known are {known}")
    return [each for each in parts if not names or each.name in names]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
