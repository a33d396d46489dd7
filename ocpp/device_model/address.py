"""Addresses of variables, and their text form `Component[instance]@evse.connector/Variable[instance]`."""

import re
from typing import NamedTuple

from ocpp.errors import DeviceModelError

_TEXT = re.compile(
    r"(?P<component>[^\[\]@/]+)(?:\[(?P<component_instance>[^\]]*)\])?(?:@(?P<evse>\d+)(?:\.(?P<connector>\d+))?)?"
    r"(?:/(?P<variable>[^\[\]/]+)(?:\[(?P<variable_instance>[^\]]*)\])?)?"
)


class Component(NamedTuple):
    """A component: its name, and where there are several, which one."""

    name: str
    instance: str | None = None
    evse: int | None = None
    connector: int | None = None

    @property
    def folded(self) -> tuple[str, str, int | None, int | None]:
        """For comparisons: names and instances do not regard case, and "" is no instance."""
        return self.name.casefold(), (self.instance or "").casefold(), self.evse, self.connector

    def __str__(self) -> str:
        text = self.name
        if self.instance is not None:
            text += f"[{self.instance}]"
        if self.evse is not None:
            text += f"@{self.evse}"
            if self.connector is not None:
                text += f".{self.connector}"
        return text


class Variable(NamedTuple):
    """A variable of a component."""

    name: str
    instance: str | None = None

    def __str__(self) -> str:
        return self.name if self.instance is None else f"{self.name}[{self.instance}]"


def parse_component(text: str) -> Component:
    """The component a text names; DeviceModelError for a text of another form."""
    match = _TEXT.fullmatch(text)
    if match is None or match["variable"] is not None:
        raise DeviceModelError(f"{text!r} is no component; the form is Component[instance]@evse.connector")
    return _component(match)


def parse(text: str) -> tuple[Component, Variable]:
    """Component and variable a text names; DeviceModelError for a text of another form."""
    match = _TEXT.fullmatch(text)
    if match is None or match["variable"] is None:
        raise DeviceModelError(
            f"{text!r} is no variable; the form is Component[instance]@evse.connector/Variable[instance]"
        )
    return _component(match), Variable(match["variable"], match["variable_instance"])


def _component(match: re.Match[str]) -> Component:
    evse, connector = match["evse"], match["connector"]
    return Component(
        match["component"],
        match["component_instance"],
        int(evse) if evse is not None else None,
        int(connector) if connector is not None else None,
    )
