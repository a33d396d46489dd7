"""A simulated month of service, in each version; prints what is left at the end of every day and writes docs/common/soak.md.

`python bench/soak.py [DAYS] [--page FOLDER]`. Ends with 1 when a transaction was lost, doubled or re-numbered, or when memory or
files grow.
"""

import argparse
import asyncio
import logging
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from stations import folder  # noqa: E402
from support.file_server import file_server  # noqa: E402
from support.soak import MOST_MIB_MORE, Soak, refuse  # noqa: E402

from ocpp.versions import OcppVersion  # noqa: E402

DAYS = 30
VERSIONS = (OcppVersion.V16, OcppVersion.V201, OcppVersion.V21)

HEADING = """# A simulated month

<!-- Written by `make soak`. -->

A whole station with two EVSEs on a driven clock and with a real database: 16 sessions a day with meter values every five
minutes, two lost connections a day, every third day an outage of four hours, every fifth day a power cut in the middle of
sessions, every week a firmware update with its restart. The far end books every transaction: one that is lost, doubled or
re-numbered fails the run. Every hour it sends some dozens of frames that cannot be understood.

Memory is the resident memory of the whole process, with the CSMS of the test. The database has a log beside it, which
is folded into it at some 2 MB and after every restart. What it gains are ended transactions, of which the newest 200 stay.

| | days | sessions | messages | memory after a week, MiB | at the end | database after a week, KiB | at the end | took |
| --- | --: | --: | --: | --: | --: | --: | --: | --: |
"""


REFUSED = """
## A million refused frames

Frames of every kind that a station refuses, and answers of which nothing can be used, each in its own way.

| | frames | memory gained, MiB | took |
| --- | --: | --: | --: |
"""

REFUSED_ROUNDS = 55_000
"""About a million frames."""


def refused(version: OcppVersion) -> tuple[str, list[str]]:
    """A row of that table, and what is wrong."""
    start = time.monotonic()
    count, gained = refuse(version, REFUSED_ROUNDS)
    row = f"| OCPP {version} | {count} | {gained:.1f} | {time.monotonic() - start:.0f} s |"
    print(row)
    return row, [f"OCPP {version}: {gained:.1f} MiB are left of refused frames"] if gained > MOST_MIB_MORE else []


async def soak(version: OcppVersion, days: int) -> tuple[str, list[str]]:
    """A row of the table, and what is wrong."""
    start = time.monotonic()
    with file_server() as server, folder() as place:
        made = Soak(Path(place), version, server)
        found = await made.run(days)
    for day in found:
        print(
            f"OCPP {version} day {day.number:>3}: {day.sessions:>4} sessions {day.messages:>6} messages "
            f"{day.objects} objects {day.mib:.1f} MiB, database {day.database_kib:.0f} + log {day.log_kib:.0f} KiB"
        )
    early, last = found[min(6, days - 1)], found[-1]
    took = time.monotonic() - start
    row = (
        f"| OCPP {version} | {days} | {last.sessions} | {last.messages} | {early.mib:.1f} | {last.mib:.1f} "
        f"| {early.database_kib:.0f} | {last.database_kib:.0f} | {took:.0f} s |"
    )
    return row, [f"OCPP {version}: {each}" for each in made.faults(found)]


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("days", type=int, nargs="?", default=DAYS)
    parser.add_argument("--page", type=Path, help="the folder that soak.md is written to")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # lost connections by the hundred are what is wanted here
    rows, refusals, faults = [], [], []
    for version in VERSIONS:
        row, wrong = asyncio.run(soak(version, options.days))
        rows.append(row)
        faults += wrong
    for version in VERSIONS:
        row, wrong = refused(version)
        refusals.append(row)
        faults += wrong
    if options.page is not None:
        page = HEADING + "\n".join(rows) + "\n" + REFUSED + "\n".join(refusals) + "\n"
        (options.page / "soak.md").write_text(page)
    for each in faults:
        print(each, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
