"""Modules that libraries import for something a station never does, put off until somebody does it.

`websockets` imports `importlib.metadata` for its own development and `urllib.request` for proxies; the two bring
`email`, `http`, `zipfile` and more with them, a tenth of what a start costs. `msgspec` imports what describes types, and
formats other than JSON. Modules of our own need none of this: what is rarely used is imported by the function that uses it.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

LEFT_OUT = "typing_extensions"
"""Where it is installed, by tools, `msgspec` imports it for what `typing` has since Python 3.11."""

UNUSED: dict[str, tuple[str, ...]] = {
    "importlib.metadata": (),
    "urllib.request": (),
    "msgspec._json_schema": ("schema", "schema_components"),
    "msgspec.inspect": (),
    "msgspec.msgpack": (),
    "msgspec.toml": (),
    "msgspec.yaml": (),
}
"""The modules, with the functions that the library takes out of them by name: those have stand-ins of their own."""


class _StandIn(ModuleType):
    """In the place of a module until something of it is asked for, or one of `functions` is called."""

    def __init__(self, name: str, functions: Iterable[str]) -> None:
        super().__init__(name)
        self._functions = tuple(functions)
        for each in self._functions:
            setattr(self, each, self._caller(each))

    def _caller(self, function: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self._load()
            return getattr(self, function)(*given, **named)

        return call

    def __getattr__(self, name: str) -> Any:
        if name == "__path__" and self._functions:  # what `from module import function` asks first: no package
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(self._load(), name)

    def _load(self) -> ModuleType:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = import_module(self.__name__)
        self.__dict__.update(module.__dict__)
        return module


def put_off(modules: Mapping[str, Iterable[str]]) -> None:
    """Let each of these modules, if it is not there yet, be loaded by its first use instead of its import.

    One that is taken apart when it is imported (`from module import function`) names the functions, and is no package.
    """
    stand_ins = {name: _StandIn(name, functions) for name, functions in modules.items() if name not in sys.modules}
    sys.modules.update(stand_ins)  # all of them before a package is imported that imports the others
    for name, stand_in in stand_ins.items():
        package, _, own = name.rpartition(".")
        setattr(import_module(package), own, stand_in)


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
