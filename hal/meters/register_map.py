"""Modbus register maps: what stands where in a meter's registers. Data files, so that a map is enough to add a meter."""

import math
import struct
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from hal.errors import DriverError, MeterError
from hal.interfaces import Quantity
from hal.meters.quantities import ENERGY_IMPORT, KINDS, PHASES

FORMATS = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "int64": ">q",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
}
"""Data type -> how `struct` writes it, once the words stand with the highest first."""

MAX_REGISTERS = 125
"""Registers of one answer (Modbus application protocol 1.1b3, section 6.3)."""

MAX_ENTRIES = 200
"""Entries of a map; the largest meters have some forty that a station can use."""

MAX_OCMF_REGISTERS = 2048
"""Registers of a signed text: 4 kB; those of known meters are below 1 kB."""

MAX_EXPONENT = 10
"""Of SunSpec's scale factors."""

MIN_SCALE, MAX_SCALE = Decimal("0.000001"), Decimal(1_000_000)
"""Microwatts and megawatts."""

DIRECTIONS = {"Power.Active.Import": "Power.Active.Export", "Current.Import": "Current.Export"}
"""Measurands whose sign may tell the direction -> what a negative value is."""

Address = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
Word = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
Function = Annotated[Literal[3, 4], msgspec.Meta(description="3: holding registers, 4: input registers")]


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A quantity in the registers. `address` counts from 0, as on the wire (register 30001 is 0)."""

    measurand: str
    address: Address
    type: Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
    phase: str | None = None
    scale: Decimal = Decimal(1)
    """Times what stands in the register gives the measurand's unit: 1000 for a register in kWh."""
    function: Function | None = None
    """Where it differs from the map's."""
    signed_direction: bool = False
    """A negative value is export: told as such, and import is 0 then."""
    exponent_address: Address | None = None
    """Where a power of ten (int16) stands that the value is scaled with, too (SunSpec's scale factors)."""

    @property
    def length(self) -> int:
        """Registers it takes."""
        return struct.calcsize(FORMATS[self.type]) // 2

    @property
    def span(self) -> tuple[int, int]:
        """The first register that it needs, and the first one behind it; the exponent is read in the same request."""
        places = [self.address, self.address + self.length]
        if self.exponent_address is not None:
            places += [self.exponent_address, self.exponent_address + 1]
        return min(places), max(places)


class Signing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a meter is made to sign one kind of reading, and where the OCMF text is then.

    `command` is written to `command_address`. While `ready_address` holds `busy_value` the meter is at it; `ready_value`:
    the text is complete; anything else: it failed. Without `ready_address` the text is read at once. Its length in bytes
    stands in `length_address`; without one it ends at the first NUL.
    """

    command_address: Address
    command: Word
    address: Address
    registers: Annotated[int, msgspec.Meta(ge=1, le=MAX_OCMF_REGISTERS)]
    ready_address: Address | None = None
    ready_value: Word = 0
    busy_value: Word | None = None
    """None: whatever is not `ready_value`."""
    length_address: Address | None = None

    def __post_init__(self) -> None:
        if self.address + self.registers > 0x10000:
            raise ValueError("the OCMF text does not fit into the registers")


class Ocmf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a meter signs. `now`: any reading; the station does without where the meter cannot."""

    start: Signing
    end: Signing
    now: Signing | None = None
    function: Function = 3
    method: str = ""
    """How it signs, in OCPP's words: "ECDSA-secp256r1-SHA256"; "" where its texts say it themselves ("SA")."""
    epoch_address: Address | None = None
    """Where the meter takes the time, in one write: seconds since 1970 in UTC (uint32), then minutes of the time zone."""


class RegisterMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A meter's map. One entry must be the energy register, without a phase: it is what is billed."""

    title: str
    document: str
    """The vendor's document that it was made from."""
    entries: Annotated[list[Entry], msgspec.Meta(min_length=1, max_length=MAX_ENTRIES)]
    function: Function = 3
    word_order: Literal["high first", "low first"] = "high first"
    """Of values of several registers."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_REGISTERS)] = MAX_REGISTERS
    """Registers that the meter gives in one answer."""
    gap: Annotated[int, msgspec.Meta(ge=0, le=MAX_REGISTERS)] = 0
    """Registers without a meaning that one request may read over; 0 where the meter refuses them."""
    absent: Literal["none", "highest", "lowest"] = "none"
    """Which end of an integer's range means that the meter does not measure it: ABB takes the highest, SunSpec the lowest."""
    ocmf: Ocmf | None = None

    def __post_init__(self) -> None:
        for each in self.entries:
            if each.measurand not in KINDS:
                raise ValueError(f"there is no measurand {each.measurand!r}; known are {', '.join(sorted(KINDS))}")
            if each.phase is not None and each.phase not in PHASES:
                raise ValueError(f"there is no phase {each.phase!r}; known are {', '.join(sorted(PHASES))}")
            if not each.scale.is_finite() or not MIN_SCALE <= abs(each.scale) <= MAX_SCALE:
                raise ValueError(f"scale of {each.measurand} must be {MIN_SCALE} to {MAX_SCALE}, or negative")
            begin, end = each.span
            if end - begin > self.limit or end > 0x10000:
                raise ValueError(f"{each.measurand} at {each.address} does not fit into an answer")
            if each.signed_direction and each.measurand not in DIRECTIONS:
                raise ValueError(f"the sign of {each.measurand} gives no direction; it does of {', '.join(DIRECTIONS)}")
        told = [pair for each in self.entries for pair in _told_by(each)]
        doubled = {pair for pair in told if told.count(pair) > 1}
        if doubled:
            raise ValueError(f"told twice: {', '.join(sorted(str(pair) for pair in doubled))}")
        if (ENERGY_IMPORT, None) not in told:
            raise ValueError(f"an entry for {ENERGY_IMPORT} without a phase is missing")

    def blocks(self) -> list["Block"]:
        """The fewest requests that `limit` and `gap` allow, in the order of their addresses."""
        found: list[Block] = []
        for entry in sorted(self.entries, key=lambda each: (each.function or self.function, each.span)):
            function = entry.function or self.function
            begin, end = entry.span
            last = found[-1] if found else None
            if (
                last is not None
                and last.function == function
                and begin <= last.address + last.count + self.gap
                and end - last.address <= self.limit
            ):
                found[-1] = Block(function, last.address, max(last.count, end - last.address), (*last.entries, entry))
            else:
                found.append(Block(function, begin, end - begin, (entry,)))
        return found

    def quantities(self, block: "Block", registers: Sequence[int]) -> Iterator[Quantity]:
        """What stands in the answer to a block's request; MeterError when a float is no number."""
        for entry in block.entries:
            start = entry.address - block.address
            value = self._value(entry, registers[start : start + entry.length])
            if value is not None:
                yield from _told(entry, (value * entry.scale).scaleb(_exponent(entry, block, registers)))

    def _value(self, entry: Entry, words: Sequence[int]) -> Decimal | None:
        ordered = words if self.word_order == "high first" else words[::-1]
        raw = struct.pack(f">{len(words)}H", *ordered)
        value = struct.unpack(FORMATS[entry.type], raw)[0]
        if isinstance(value, float):
            if not math.isfinite(value):
                raise MeterError(f"{entry.measurand} at {entry.address} is {value}")
            return decimal_of(value) if entry.type == "float32" else Decimal(repr(value))
        return None if self.absent in _ends(entry.type, raw) else Decimal(value)


class Block(msgspec.Struct, frozen=True):
    """One request: `count` registers from `address` on."""

    function: int
    address: int
    count: int
    entries: tuple[Entry, ...]


def _ends(kind: str, raw: bytes) -> tuple[str, ...]:
    """Which end of its range an integer stands at; unsigned ones have no lowest that means anything."""
    if raw == (b"\xff" * len(raw) if kind.startswith("u") else b"\x7f".ljust(len(raw), b"\xff")):
        return ("highest",)
    return ("lowest",) if raw == b"\x80".ljust(len(raw), b"\0") and kind.startswith("i") else ()


def _exponent(entry: Entry, block: Block, registers: Sequence[int]) -> int:
    if entry.exponent_address is None:
        return 0
    word = registers[entry.exponent_address - block.address]
    exponent = word - 0x10000 if word & 0x8000 else word
    if abs(exponent) > MAX_EXPONENT:
        raise MeterError(f"the exponent of {entry.measurand} at {entry.exponent_address} is {exponent}")
    return exponent


def _told_by(entry: Entry) -> Iterator[tuple[str, str | None]]:
    yield entry.measurand, entry.phase
    if entry.signed_direction:
        yield DIRECTIONS[entry.measurand], entry.phase


def _told(entry: Entry, value: Decimal) -> Iterator[Quantity]:
    unit = KINDS[entry.measurand].unit
    if entry.signed_direction:
        yield Quantity(DIRECTIONS[entry.measurand], max(-value, Decimal(0)), unit, entry.phase)
        value = max(value, Decimal(0))
    yield Quantity(entry.measurand, value, unit, entry.phase)


def decimal_of(value: float) -> Decimal:
    """A float of 32 bits with no more digits than it takes to tell it from its neighbours: 0.1, not 0.100000001."""
    for digits in range(6, 9):
        text = f"{value:.{digits}g}"
        try:
            if struct.pack(">f", float(text)) == struct.pack(">f", value):
                return Decimal(text)
        except OverflowError:  # rounded beyond the largest one
            continue
    return Decimal(f"{value:.9g}")


def names() -> list[str]:
    """Every map that comes along."""
    return sorted(_stems(each.name for each in resources.files(__package__).iterdir()))


def _stems(files: Iterable[str]) -> Iterator[str]:
    return (each.removesuffix(".toml") for each in files if each.endswith(".toml"))


@cache
def by_name(name: str) -> RegisterMap:
    """A map that comes along; DriverError naming those there are."""
    if name not in names():
        raise DriverError(f"there is no map of a meter {name!r}; known are {', '.join(names())}")
    return parse((resources.files(__package__) / f"{name}.toml").read_text("utf-8"), name)


def from_file(path: str) -> RegisterMap:
    """A map of the user's own; DriverError says what is wrong with it."""
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DriverError(f"the map {path} cannot be read: {error}") from error
    return parse(text, path)


def parse(text: str, name: str) -> RegisterMap:
    """A map from its text; DriverError says what is wrong with it."""
    try:
        return msgspec.convert(tomllib.loads(text, parse_float=Decimal), RegisterMap)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DriverError(f"the map {name} is wrong: {error}") from error
