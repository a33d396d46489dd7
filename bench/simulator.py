"""Many stations in one process, each with a session every minute; prints what they cost as JSON.

Run in a process of its own, for it is that process's memory that is measured: `python simulator.py STATIONS`.
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from stations import folder, station  # noqa: E402
from support.memory import resident_kib  # noqa: E402

ROUNDS = 2
FILES_PER_STATION = 4


async def session(made) -> None:
    """Plug in, identify, charge, stop, unplug."""
    await made.charge()
    made.meter("2000")
    await made.present()
    await made.unplug()


async def costs(count: int) -> dict[str, float]:
    """Memory of each station in MiB, and the seconds that a session of each took (the faster of two rounds)."""
    with folder() as place:

        async def made(number: int):
            path = Path(place) / str(number)
            path.mkdir()
            return await station(path).start()

        first = await made(-1)
        before = resident_kib()
        stations = [await made(number) for number in range(count)]
        rounds = []
        for _ in range(ROUNDS):
            start = time.process_time()
            for each in stations:
                await session(each)
            rounds.append(time.process_time() - start)
            for each in stations:
                await each.clock.advance(60)
        memory = (resident_kib() - before) / 1024 / count
        events = sum(each.csms.total for each in stations)
        for each in (first, *stations):
            await each.stop()
    return {"seconds": min(rounds), "mib": memory, "messages": events / count}


def main() -> None:
    """See the module."""
    count = int(sys.argv[1])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count * FILES_PER_STATION + 100
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    print(json.dumps(asyncio.run(costs(count))))


if __name__ == "__main__":
    main()
