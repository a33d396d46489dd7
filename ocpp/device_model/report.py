"""Which variables a report holds (B07, B08)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ocpp.device_model.address import Component
from ocpp.device_model.definition import Mutability
from ocpp.device_model.entry import Entry, to_boolean
from ocpp.device_model.model import DeviceModel

SUMMARY_VARIABLES = frozenset(
    {"AvailabilityState", "Available", "Enabled", "Fallback", "Problem", "Tripped", "Overload"}
)
"""What tells about availability and condition (B07.FR.09)."""


class Wanted(NamedTuple):
    """A component, and perhaps a variable of it; what is None matches anything (B08.FR.20-25)."""

    name: str
    instance: str | None
    evse: int | None
    connector: int | None
    variable: str | None
    variable_instance: str | None

    def matches(self, entry: Entry) -> bool:
        """Whether the variable is meant."""
        component, variable = entry.component, entry.variable
        return (
            _same(self.name, component.name)
            and (not self.instance or _same(self.instance, component.instance))
            and (self.evse is None or self.evse == component.evse)
            and (self.connector is None or self.connector == component.connector)
            and (not self.variable or _same(self.variable, variable.name))
            and (not self.variable_instance or _same(self.variable_instance, variable.instance))
        )


def _same(wanted: str, found: str | None) -> bool:
    return found is not None and wanted.casefold() == found.casefold()


def base_report(model: DeviceModel, base: str, *, with_21: bool) -> Iterator[Entry] | None:
    """The variables of a base report; None for a base that is not supported."""
    entries = model.entries(with_21=with_21)
    if base == "FullInventory":
        return entries
    if base == "ConfigurationInventory":
        return (entry for entry in entries if entry.definition.mutability is not Mutability.READ_ONLY)
    if base == "SummaryInventory":
        return (entry for entry in entries if entry.variable.name in SUMMARY_VARIABLES)
    return None


def custom_report(
    model: DeviceModel, criteria: Iterable[str], wanted: Iterable[Wanted], *, with_21: bool
) -> Iterator[Entry]:
    """The variables of a custom report: those wanted, of components that meet one of the criteria."""
    wishes = tuple(wanted)
    chosen = tuple(criteria)
    fitting: dict[Component, bool] = {}
    for entry in model.entries(with_21=with_21):
        if wishes and not any(wish.matches(entry) for wish in wishes):
            continue
        if chosen:
            if entry.component not in fitting:
                fitting[entry.component] = any(_meets(model, entry.component, criterion) for criterion in chosen)
            if not fitting[entry.component]:
                continue
        yield entry


def _meets(model: DeviceModel, component: Component, criterion: str) -> bool:
    """A component without the variable is there and has no problem; one with instances of it needs one that is true."""
    found = [
        to_boolean(entry.value())
        for entry in model.entries()
        if entry.component == component and entry.variable.name == criterion
    ]
    return any(found) if found else criterion != "Problem"
