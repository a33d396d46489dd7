"""Instructions of the compiled modules, counted by valgrind: the same to a thousandth on a quiet machine and a busy one.

`python bench/instructions.py [--reference FILE] [--write FILE]` prints what each call of a case takes. With a reference
that was counted with the same interpreter, it says which case takes more by over 5 %; that warns and fails nothing.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FEW, MANY = 100, 1100
"""Calls of two runs; the difference is free of what starting and importing take."""

MARGIN = 0.05
UNAVAILABLE = 75
"""Exit status where there is no valgrind (EX_TEMPFAIL), so that whoever calls may go on."""


def _read(name: str) -> Callable[[], Any]:
    from frames import CALLS, RESULT, frame, result_frame

    from ocpp._native.codec import read
    from ocpp.messages import catalogue

    version, action, _ = CALLS.get(name, RESULT)
    codec = catalogue(version)
    data = frame(name) if name in CALLS else result_frame()
    requests, pending = codec.requests, codec.response_codec(action)
    return lambda: read(data, requests, "19223201-7b1c-4c53-9d35-2f9f0a1b2c3d", pending)


def _loads(name: str) -> Callable[[], Any]:
    import orjson
    from frames import CALLS, frame, result_frame

    data = frame(name) if name in CALLS else result_frame()
    return lambda: orjson.loads(data)


def _write(name: str) -> Callable[[], Any]:
    from frames import CALLS

    from ocpp.messages import catalogue

    version, action, payload = CALLS[name]
    codec = catalogue(version)
    message = codec.decode_request(action, json.dumps(payload).encode())
    writer = codec.writer
    return lambda: writer.call("19223201-7b1c-4c53-9d35-2f9f0a1b2c3d", action, message)


def _find() -> Callable[[], Any]:
    from ocpp._native.variables import VariableIndex

    index = VariableIndex()
    index.add("SampledDataCtrlr", None, None, None, "TxUpdatedInterval", None, "entry")
    return lambda: index.find("SampledDataCtrlr", None, None, None, "TxUpdatedInterval", None)


def _slices() -> Callable[[], Any]:
    from ocpp._native.schedule import Curve, Limits, Track
    from ocpp.core.schedule import Period

    def track(number: int) -> Track:
        periods = [Period(hour * 3600, 6.0 + (hour * (number + 1)) % 20, 3) for hour in range(24)]
        return Track(number, Curve(periods), True, 0.0)

    limits = Limits([[track(0), track(1)], [track(2)]], 32.0, 3, 16.0, 3, 230.0)
    return lambda: limits.slices(0.0, 86400.0, 1024)


def _periods() -> Callable[[], Any]:
    from ocpp.core.schedule import PERIOD_IN_MESSAGE, Periods
    from ocpp.messages import v201

    given = [
        v201.ChargingSchedulePeriod(start_period=hour * 3600, limit=6.0 + hour, number_phases=3) for hour in range(24)
    ]
    return lambda: Periods(given, PERIOD_IN_MESSAGE)


def _sample() -> Callable[[], Any]:
    from hal._native.metering import Sampler

    sampler, values, times = Sampler(20, 300, 900.0), [230.0 + index for index in range(20)], iter(range(10**6))
    return lambda: sampler.add(values, next(times))


READ = ("BootNotification", "TransactionEvent 3x8", "1.6 StartTransaction.conf")
WRITTEN = READ[:2]

CASES: dict[str, Callable[[], Callable[[], Any]]] = {
    **{f"codec: read {name}": partial(_read, name) for name in READ},
    **{f"floor: orjson.loads {name}": partial(_loads, name) for name in READ},
    **{f"codec: write {name}": partial(_write, name) for name in WRITTEN},
    "variables: find by names": _find,
    "schedule: 24 h of 3 profiles": _slices,
    "schedule: 24 periods of a message": _periods,
    "metering: a sample of 20": _sample,
}


def run(case: str, calls: int) -> None:
    """What the counted process does."""
    call = CASES[case]()
    for _ in range(calls):
        call()


def counted(case: str, calls: int) -> int:
    """Instructions of a process that makes so many calls."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-P", __file__]
    done = subprocess.run(
        [*command, "--run", case, "--calls", str(calls)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)])},
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        raise RuntimeError(f"valgrind does not tell what it counted: {done.stderr[-500:]}")
    return int(found[1])


def more_than(reference: dict[str, Any], counts: dict[str, float]) -> list[str]:
    """A sentence for each case that takes more than in the reference by over the margin."""
    if reference.get("python") != _python():
        return []
    before = reference["instructions"]
    return [
        f"{case}: {before[case]:.0f} instructions in the reference, {count:.0f} now"
        for case, count in counts.items()
        if case in before and count > before[case] * (1 + MARGIN)
    ]


def _python() -> str:
    return f"{platform.machine()} {platform.python_version()}"


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", choices=list(CASES), help=argparse.SUPPRESS)
    parser.add_argument("--calls", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--reference", type=Path, default=HERE / "instructions.json")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    if options.run:
        run(options.run, options.calls)
        return 0
    if shutil.which("valgrind") is None:
        print("instructions are not counted: there is no valgrind (Debian: apt install valgrind)", file=sys.stderr)
        return UNAVAILABLE
    counts = {}
    for case in CASES:
        counts[case] = (counted(case, MANY) - counted(case, FEW)) / (MANY - FEW)
        print(f"{case:<40} {counts[case]:>10.0f} instructions", flush=True)
    if options.reference.exists():
        for sentence in more_than(json.loads(options.reference.read_text()), counts):
            print(f"more than in the reference by over {MARGIN:.0%}: {sentence}")
    if options.write is not None:
        rounded = {case: round(count) for case, count in counts.items()}
        options.write.parent.mkdir(parents=True, exist_ok=True)
        options.write.write_text(json.dumps({"python": _python(), "instructions": rounded}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
