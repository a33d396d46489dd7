"""Random kills, lost answers and flapping links in each version; prints what was lost, doubled or reordered: nothing.

`python bench/kills.py [MINUTES] [--seed N] [--json FILE]`. MINUTES are shared by the versions, each once with
transactions that end by a kill and once with such that are resumed. Ends with 1 when anything is
wrong; the seed that is printed repeats the drivers and mishaps, not the instants of the kills.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests")]

from support.kills import Kills  # noqa: E402

from ocpp.versions import OcppVersion  # noqa: E402

MINUTES = 10.0
VERSIONS = (OcppVersion.V16, OcppVersion.V201, OcppVersion.V21)


def kill(version: OcppVersion, seconds: float, seed: int, *, resumes: bool) -> dict[str, Any]:
    """What came of one version."""
    with tempfile.TemporaryDirectory() as place:
        kills = Kills(Path(place), version, seed, resumes=resumes)
        try:
            found = kills.run(seconds)
            book = kills.csms.book
            return {
                "version": f"{version}, {'resumed' if resumes else 'ended'}",
                "kills": kills.kills,
                "transactions": len(book.entries),
                "messages": book.messages,
                "repeated": book.repeated,
                "mishaps": sum(kills.csms.mishaps.values()),
                "counted_wh": round(kills.register_wh(), 1),
                "billed_wh": round(book.billed_wh(), 1),
                **{name: len(each) for name, each in found.items()},
                "what": [line for each in found.values() for line in each],
            }
        finally:
            kills.close()


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=MINUTES)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--json", type=Path, help="where the figures are written for docs/common/reliability.md")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    runs = [(version, resumes) for version in VERSIONS for resumes in (False, True)]
    rows = [kill(version, options.minutes * 60 / len(runs), options.seed, resumes=resumes) for version, resumes in runs]
    for row in rows:
        print(
            "OCPP {version}: {kills} kills, {mishaps} mishaps, {transactions} transactions, {messages} messages "
            "({repeated} repeated); lost {lost}, doubled {doubled}, reordered {reordered}, overbilled {overbilled}; "
            "{billed_wh} of {counted_wh} Wh billed".format_map(row)
        )
        for line in row["what"]:
            print(f"  {line}", file=sys.stderr)
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 1 if any(row["what"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
