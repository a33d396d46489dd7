"""Messages and data types that OCPP 2.0.1 has in another shape than 2.1; made on first use, see the stub."""

from typing import Any

from ocpp.messages.shapes import Shapes
from ocpp.messages.v2 import SHAPES as V2_SHAPES

SHAPES = Shapes(__name__, "ocpp.messages._generated.v201", base=V2_SHAPES)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    found = globals()[name] = SHAPES.get(name)
    return found


def __dir__() -> list[str]:
    return SHAPES.__dir__()
