"""What every driver is: a part with a role, options that are checked, and a bench that gives it pins and buses."""

from enum import StrEnum
from typing import ClassVar

import msgspec

from hal.bench import PartBench


class Role(StrEnum):
    """What a part is for; each role has an interface in `hal.interfaces`."""

    CONTACTOR = "contactor"
    PILOT = "pilot"
    PROXIMITY = "proximity"
    METER = "meter"
    LOCK = "lock"
    RESIDUAL_CURRENT = "residual current"
    TEMPERATURE = "temperature"
    EMERGENCY_STOP = "emergency stop"
    TAMPER = "tamper"
    BAY = "parking bay"
    INDICATOR = "indicator"
    DISPLAY = "display"
    READER = "token reader"
    FRONT_END = "front end"
    CONVERTER = "converter"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of a driver, as the station file gives them; sub-classes add fields, defaults and `msgspec.Meta` limits."""


class Part:
    """A driver. Its constructor opens what it needs and leaves everything safe; nothing happens before `start`.

    Drivers implement the interface of their role; beside it,

    - what can find something wrong (pilot, contactor, residual current, emergency stop, temperature, reader, lock) has
      `wrong(now)`, which gives what it is, or "", at once,
    - a pilot has `seen_at` (monotonic time of the newest sample, -inf before the first) and `ventilated` (whether state D is
      served), and calls `changed` when the state is another,
    - a contactor has `unpowered(now)`, which is like `wrong`, and `switches_phases`, with which it is a `PhaseSwitch` too,
    - a meter has `read_at`, the monotonic time of its newest reading, -inf before the first,
    - a proximity contact calls `changed` when the rating is another, a thermometer when `most_a` is: what may flow, in A,
    - a residual current monitor has `testing(now)`, which closing waits for, is told `plugged()`, and is given `idle` and
      `gone`: whether no current flows, and whether no EV is there.

    `changed` is called in the part's thread. Whatever takes time on a bus happens in the bench's thread for that bus;
    `bench.to_loop` hands results to the event loop.
    """

    role: ClassVar[Role]
    options_type: ClassVar[type[Options]] = Options

    def __init__(self, bench: PartBench, options: Options) -> None:
        self.bench = bench
        self.name = bench.owner
        self.also: dict[Role, list[object]] = {}
        """Other roles that this part plays, a front end for example, with what plays them."""

    def start(self) -> None:
        """Begin to work."""

    def stop(self) -> None:
        """Put outputs into their safe state, whatever happened before; the bench closes the handles."""

    def values(self) -> dict[str, str]:
        """What the part sees now, for people: name -> value with its unit. Touches no bus."""
        return {}
