"""Modules that libraries import for something a station never does, put off until somebody does it.

`websockets` imports `importlib.metadata` for its own development and `urllib.request` for proxies; the two bring
`email`, `http`, `zipfile` and more with them, a tenth of what a start costs. Modules of our own need none of this: what
is rarely used is imported by the function that uses it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

LEFT_OUT = "typing_extensions"
"""Where it is installed, by tools, `msgspec` imports it for what `typing` has since Python 3.11."""

UNUSED = ("importlib.metadata", "urllib.request")


class _StandIn(ModuleType):
    """In the place of a module until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = import_module(self.__name__)
        self.__dict__.update(module.__dict__)
        return getattr(module, name)


def put_off(*names: str) -> None:
    """Let each of these modules, if it is not there yet, be loaded by its first use instead of its import."""
    for name in names:
        if name not in sys.modules:
            package, _, own = name.rpartition(".")
            sys.modules[name] = _StandIn(name)
            setattr(import_module(package), own, sys.modules[name])


@contextmanager
def without(name: str) -> Iterator[None]:
    """Let a module, unless it is there already, not be found by what is imported meanwhile."""
    hidden = name not in sys.modules
    if hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules[name]
