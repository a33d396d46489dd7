"""Every fuzz target on its seeds and corpus, and on small damage to both.

PILOTWIRE_FUZZ_EXAMPLES=100000 goes on for longer; `make fuzz` looks for new ways through the code.
"""

import os
import random
import zlib
from pathlib import Path

import pytest
from fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
EXAMPLES = int(os.environ.get("PILOTWIRE_FUZZ_EXAMPLES", "400"))
PIECES = (
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b'"',
        b"null",
        b"true",
        b"1e999",
        b"-0",
        b"NaN",
        b"\\u0000",
        b"\\ud800",
        b"1.0",
    ),
    *(
        b"\x00",
        b"\xff",
        b"\x1b\x1b\x1b\x1b",
        b"\r\n",
        b"\x02",
        b"\x03",
        b"9" * 400,
        b"[" * 200,
        b"\xf0\x9f",
        b" ",
        b"|",
    ),
)


def known(name: str) -> list[bytes]:
    files = sorted((CORPUS / name).glob("*")) if (CORPUS / name).is_dir() else []
    return [*TARGETS[name].seeds, *(file.read_bytes() for file in files)]


def damaged(rng: random.Random, data: bytes) -> bytes:
    made = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(made))
        match rng.randrange(6):
            case 0:
                del made[at : at + rng.randint(1, 20)]
            case 1:
                made[at:at] = rng.choice(PIECES)
            case 2:
                made[at:at] = made[at : at + rng.randint(1, 40)]
            case 3:
                made[at : at + 1] = rng.randbytes(rng.randint(0, 4))
            case 4:
                del made[at:]
            case 5 if at < len(made):
                made[at] ^= 1 << rng.randrange(8)
    return bytes(made)


@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_do_harm(name):
    run, everything = TARGETS[name].run, known(name)
    rng = random.Random(zlib.crc32(name.encode()))
    for data in everything:
        run(data)
    for _ in range(EXAMPLES):
        data = damaged(rng, rng.choice(everything))
        try:
            run(data)
        except Exception as error:
            raise AssertionError(f"{name} fails on {data!r}") from error


def test_the_corpus_belongs_to_targets():
    assert {folder.name for folder in CORPUS.iterdir() if folder.is_dir()} <= set(TARGETS)
