"""What is configured about the supply of the station."""

import math

import msgspec


class Grid(msgspec.Struct, frozen=True):
    """What is configured about the supply (the station file's [smart_charging])."""

    default_phases: int = 3
    voltage_v: float = 230.0
    limit_a: float = math.inf
    """What the connection to the grid carries per phase, for all EVSEs together (K04.FR.02)."""
