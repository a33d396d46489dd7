"""Many stations in one process, each with a session every minute; prints what they cost as JSON.

Run in a process of its own, for it is that process's memory that is measured: `python simulator.py STATIONS`.
"""

import asyncio
import json
import logging
import math
import resource
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from stations import folder, station  # noqa: E402
from support.memory import resident_kib  # noqa: E402
from support.soak import MISTAKES  # noqa: E402

ROUNDS = 4
BLOCK = 100
"""Stations whose sessions are timed together: one slow moment of the machine spoils no more than one block's round."""

FILES_PER_STATION = 4


async def session(made) -> None:
    """Plug in, identify, charge, stop, unplug."""
    await made.charge()
    made.meter("2000")
    await made.present()
    await made.unplug()


def make_mistakes(made) -> None:
    """Frames that are refused, outside of what is timed: what they leave behind counts as memory of the station."""
    for frame in MISTAKES:
        made.csms.link.feed(frame)


async def costs(count: int) -> dict[str, float]:
    """Memory of each station in MiB, and the seconds that a session of each took (the fastest round of each block)."""
    with folder() as place:

        async def made(number: int):
            path = Path(place) / str(number)
            path.mkdir()
            return await station(path).start()

        warm = await made(-1)
        before = resident_kib()
        stations = [await made(number) for number in range(count)]
        blocks = [stations[first : first + BLOCK] for first in range(0, count, BLOCK)]
        fastest = [math.inf] * len(blocks)
        for _ in range(ROUNDS):
            for number, block in enumerate(blocks):
                start = time.process_time()
                for each in block:
                    await session(each)
                fastest[number] = min(fastest[number], time.process_time() - start)
            for each in stations:
                make_mistakes(each)
                await each.clock.advance(60)
        memory = (resident_kib() - before) / 1024 / count
        events = sum(each.csms.total for each in stations)
        for each in (warm, *stations):
            await each.stop()
    return {"seconds": sum(fastest), "mib": memory, "messages": events / count}


def main() -> None:
    """See the module."""
    logging.disable(logging.CRITICAL)  # of refused frames and all else
    count = int(sys.argv[1])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count * FILES_PER_STATION + 100
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    print(json.dumps(asyncio.run(costs(count))))


if __name__ == "__main__":
    main()
