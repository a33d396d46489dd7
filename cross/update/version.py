"""The order of versions, as Python's packages have it (PEP 440): 1.0.dev3 < 1.0a1 < 1.0rc1 < 1.0 < 1.0.post1 < 1.1."""

import re

_VERSION = re.compile(
    r"(?:(?P<epoch>\d+)!)?(?P<numbers>\d+(?:\.\d+)*)(?:(?P<stage>a|b|rc)(?P<candidate>\d+))?(?:\.post(?P<post>\d+))?"
    r"(?:\.dev(?P<dev>\d+))?(?:\+(?P<local>[a-z0-9]+(?:\.[a-z0-9]+)*))?"
)
_FINAL, _STAGES = 3, {"a": 0, "b": 1, "rc": 2}
_BEFORE_STAGES = -1
_NEVER = 1 << 62
"""Instead of a `.dev` number: what is no development version comes after all of those."""

Order = tuple[int, tuple[int, ...], int, int, int, int, tuple[tuple[int, str], ...]]


def order(version: str) -> Order:
    """What sorts versions; raises ValueError for what is none in its normal form."""
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ValueError(f"{version} is no version")
    numbers = [int(number) for number in found["numbers"].split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    dev, post = found["dev"], found["post"]
    stage = _STAGES[found["stage"]] if found["stage"] else _FINAL
    if dev is not None and not found["stage"] and post is None:
        stage = _BEFORE_STAGES  # 1.0.dev1 is earlier than 1.0a1, while 1.0.post1.dev1 is later than 1.0
    local = tuple(
        (int(part), "") if part.isdecimal() else (-1, part) for part in (found["local"] or "").split(".") if part
    )
    return (
        int(found["epoch"] or 0),
        tuple(numbers),
        stage,
        int(found["candidate"] or 0),
        int(post) if post is not None else -1,
        int(dev) if dev is not None else _NEVER,
        local,
    )


def version_of(release: str) -> str:
    """The version in the name of a release, which is VERSION-MARK."""
    return release.rpartition("-")[0]
