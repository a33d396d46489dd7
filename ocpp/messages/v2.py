"""Messages and data types of OCPP 2.1, which 2.x handlers are written against; made on first use, see the stub."""

from typing import Any

from ocpp.messages.shapes import Shapes

SHAPES = Shapes(__name__, "ocpp.messages._generated.v2")


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    found = globals()[name] = SHAPES.get(name)
    return found


def __dir__() -> list[str]:
    return SHAPES.__dir__()
