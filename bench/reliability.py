"""`python bench/reliability.py FIGURES FOLDER`: docs/common/reliability.md of what kills, fuzzing and sanitizers have found."""

import json
import sys
from pathlib import Path
from typing import Any

PAGE = """# Reliability

<!-- Written by `make reliability` of its own figures. -->

What is done to a station that should do it no harm, and what came of it in one run of `make reliability`. Short forms
of all three run with every change.

## Kills

`make kills MINUTES=10`: a real station process with two EVSEs, drivers who come and go, each with a card of their own.
It is killed (SIGKILL) at random instants, on the average after every third thing that happens; the link breaks at
random; the far end loses answers, leaves calls unanswered, and refuses some. It keeps a book of every transaction: lost
is what the local API ever showed and the book does not have whole, doubled what it has twice, reordered what came in
another order than it happened.

| OCPP | kills | mishaps | transactions | messages | repeated | lost | doubled | reordered | Wh counted | Wh billed |
| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |
{kills}

What is counted and not billed went between a kill and the next record, or before a transaction had begun; never is more
billed than was counted. Repeated messages are those whose answer was lost: same content, so that the far end knows
them.

## Fuzzing

`make fuzz SECONDS=60`: atheris (libFuzzer) looks for inputs that take new ways through the code, compiled modules
included, which run with the address sanitizer. Every target holds the code to its promise: nothing but its own errors,
bounded answers, every call settled, what was read can be written and read again. Inputs that once broke a promise,
and some that took ways of their own, are kept in tests/fuzz/corpus.

| target | inputs | seconds |
| --- | --: | --: |
{fuzz}

No input did harm.

## Sanitizers

`make sanitize`: the compiled modules under the address and undefined behaviour sanitizers of gcc, with the tests that
hand them everything there is, the fuzz targets among them: {passed} tests, no finding.
"""


def row(*cells: Any) -> str:
    """A line of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def page(folder: Path) -> str:
    """The text; FileNotFoundError where figures are missing."""
    kills, fuzz, sanitize = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("kills", "fuzz", "sanitize")
    )
    columns = ("version", "kills", "mishaps", "transactions", "messages", "repeated")
    columns += ("lost", "doubled", "reordered", "counted_wh", "billed_wh")
    return PAGE.format(
        kills="\n".join(row(*(each[name] for name in columns)) for each in kills),
        fuzz="\n".join(row(each["target"], f"{each['runs']:,}", each["seconds"]) for each in fuzz),
        passed=sanitize["passed"],
    )


if __name__ == "__main__":
    Path(sys.argv[2], "reliability.md").write_text(page(Path(sys.argv[1])))
