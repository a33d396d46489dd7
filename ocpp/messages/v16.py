"""Messages and data types of OCPP 1.6 and its security white paper; made on first use, see the stub beside this file."""

from typing import Any

from ocpp.messages.shapes import Shapes

SHAPES = Shapes(__name__, "ocpp.messages._generated.v16")


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    found = globals()[name] = SHAPES.get(name)
    return found


def __dir__() -> list[str]:
    return SHAPES.__dir__()
