"""The device model: every variable of the station, read and written by CSMS, installer and program."""

import logging
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import msgspec

from ocpp._native.variables import VariableIndex
from ocpp.device_model.address import Component, Variable, parse, parse_component
from ocpp.device_model.definition import LISTS, Attribute, Definition, Mutability, members
from ocpp.device_model.entry import (
    Entry,
    Handle,
    from_boolean,
    from_members,
    require_entry,
    to_boolean,
    to_decimal,
    to_integer,
)
from ocpp.errors import DeviceModelError
from ocpp.storage.variables import VariableRepository

MAX_VARIABLES = 5000
"""A station of thirty EVSEs has about 1500; vendor variables come from the station file."""

_ATTRIBUTES = frozenset(attribute.value for attribute in Attribute)

log = logging.getLogger(__name__)
T = TypeVar("T")


class GetStatus(StrEnum):
    """GetVariableStatusEnumType."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    UNKNOWN_COMPONENT = "UnknownComponent"
    UNKNOWN_VARIABLE = "UnknownVariable"
    NOT_SUPPORTED_ATTRIBUTE_TYPE = "NotSupportedAttributeType"


class SetStatus(StrEnum):
    """SetVariableStatusEnumType."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    UNKNOWN_COMPONENT = "UnknownComponent"
    UNKNOWN_VARIABLE = "UnknownVariable"
    NOT_SUPPORTED_ATTRIBUTE_TYPE = "NotSupportedAttributeType"
    REBOOT_REQUIRED = "RebootRequired"


class SetOutcome(msgspec.Struct, frozen=True):
    """What became of a write; `reason_code` and `info` explain a refusal (reason codes of Part 2's appendices)."""

    status: SetStatus
    reason_code: str = ""
    info: str = ""


_ACCEPTED, _WRITE_ONLY = GetStatus.ACCEPTED, Mutability.WRITE_ONLY

Guard = Callable[[Entry, Attribute, str], SetOutcome | None]
"""A block's veto over a CSMS's write: an outcome decides, None leaves it to the rules."""


class DeviceModel:
    """Variables by component. Values that differ from their defaults are kept by the repository, where there is one."""

    def __init__(self, repository: VariableRepository | None = None) -> None:
        self._repository = repository
        self._index = VariableIndex(self._read, Attribute.ACTUAL, GetStatus.ACCEPTED)
        self.read = self._index.read
        """`get`, by the names alone: component, instance, EVSE id, connector id, variable, its instance, attribute, `with_21`."""
        self._entries: list[Entry] = []
        self.structure = 0
        """Another number after every variable that was added, or taken out."""
        self._stored: dict[tuple[str, str], dict[Attribute, str]] = {}
        self._components: set[tuple[str, str, int | None, int | None]] = set()
        """The components that there are for a CSMS, as of `_components_at`: `structure`, and whether it knows 2.1."""
        self._components_at: tuple[int, bool] | None = None
        self._guards: list[Guard] = []
        if repository is not None:
            for component, variable, attribute, value in repository.load():
                if attribute in _ATTRIBUTES:
                    self._stored.setdefault((component, variable), {})[Attribute(attribute)] = value
                else:
                    log.error("stored %s/%s has no attribute %r, which is passed over", component, variable, attribute)

    # -- building -------------------------------------------------------------------------------------------------

    def define(
        self,
        address: str,
        definition: Definition,
        *,
        getter: Callable[[], str] | None = None,
        vendor: bool = False,
    ) -> Entry:
        """Add a variable, with its stored value if there is one; DeviceModelError when it exists already."""
        component, variable = parse(address)
        if self._find(component, variable) is not None:
            raise DeviceModelError(f"{address} is defined twice")
        if len(self._entries) >= MAX_VARIABLES:
            raise DeviceModelError(f"more than {MAX_VARIABLES} variables")
        entry = Entry(component, variable, definition, getter, vendor=vendor)
        if definition.kept:
            for attribute, value in self._stored.get((str(component), str(variable)), {}).items():
                # Lists may hold what only their 1.6 key knows (measurands with phases); they were checked when set.
                if definition.data_type in LISTS or not definition.defect(value):
                    entry.values[attribute] = value
        self._entries.append(entry)
        self.structure += 1
        self._index.add(*component, *variable, entry)
        return entry

    def remove_component(self, address: str) -> None:
        """Take a component out, with everything of the same name below it: the block is not there."""
        name = parse_component(address).name
        self.structure += 1
        for entry in [entry for entry in self._entries if entry.component.name == name]:
            self._entries.remove(entry)
            self._index.remove(*entry.component, *entry.variable)

    def stored_variables(self, component: str) -> list[str]:
        """The names of a component's variables that have a stored value, defined or not."""
        return [variable for name, variable in self._stored if name == component]

    def guard(self, guard: Guard) -> None:
        """Let a block look at every write of the CSMS before it happens."""
        self._guards.append(guard)

    # -- finding --------------------------------------------------------------------------------------------------

    def _find(self, component: Component, variable: Variable) -> Entry | None:
        return self._index.find(*component, *variable)

    def entry(self, address: str) -> Entry:
        """The variable a text names; DeviceModelError when there is none."""
        component, variable = parse(address)
        return require_entry(self._find(component, variable), address)

    def entries(self, *, with_21: bool = True, hidden: bool = False) -> Iterator[Entry]:
        """Every variable, as a 2.0.1 or a 2.1 CSMS may see them."""
        for entry in self._entries:
            if (with_21 or not entry.definition.since_21) and (hidden or not entry.definition.hidden):
                yield entry

    # -- from inside ----------------------------------------------------------------------------------------------

    def value(self, address: str) -> str:
        """The actual value of a variable."""
        return self.entry(address).value()

    def integer(self, address: str) -> Handle[int]:
        """A live handle on an integer."""
        return self.entry(address).handle(to_integer, str, self.set_inside)

    def boolean(self, address: str) -> Handle[bool]:
        """A live handle on a boolean."""
        return self.entry(address).handle(to_boolean, from_boolean, self.set_inside)

    def decimal(self, address: str) -> Handle[Decimal]:
        """A live handle on a number."""
        return self.entry(address).handle(to_decimal, str, self.set_inside)

    def text(self, address: str) -> Handle[str]:
        """A live handle on a text."""
        return self.entry(address).handle(str, str, self.set_inside)

    def members(self, address: str) -> Handle[tuple[str, ...]]:
        """A live handle on a comma separated list."""
        return self.entry(address).handle(members, from_members, self.set_inside)

    def set_inside(self, entry: Entry, value: str, attribute: Attribute = Attribute.ACTUAL) -> None:
        """Set a value from inside the station, read-only or not.

        DeviceModelError when it does not fit the type, or is computed.
        """
        if entry.getter is not None and attribute is Attribute.ACTUAL:
            raise DeviceModelError(f"{entry} is computed and cannot be set")
        defect = entry.definition.defect(value)
        if defect:
            raise DeviceModelError(f"{entry}: {defect}; allowed is {entry.definition.allowed}")
        self._store(entry, attribute, value)

    def set_until_restart(self, address: str, value: str) -> None:
        """Set a value that the next start forgets; the one stored comes back with it. DeviceModelError as `set_inside`."""
        entry = self.entry(address)
        defect = entry.definition.defect(value)
        if defect:
            raise DeviceModelError(f"{entry}: {defect}; allowed is {entry.definition.allowed}")
        self._change(entry, {**entry.values, Attribute.ACTUAL: value})

    def set_list_inside(self, entry: Entry, value: str) -> None:
        """Set a list that was checked against another set of allowed members (1.6 measurands with phases)."""
        self._store(entry, Attribute.ACTUAL, value)

    def reset(self, entry: Entry) -> None:
        """Back to the default."""
        if self._repository is not None:
            for attribute in Attribute:
                self._repository.remove(str(entry.component), str(entry.variable), attribute)
        self._change(entry, {Attribute.ACTUAL: entry.definition.default})

    def _store(self, entry: Entry, attribute: Attribute, value: str) -> None:
        if entry.values.get(attribute) == value:
            return
        if entry.definition.kept and self._repository is not None:
            self._repository.put(str(entry.component), str(entry.variable), attribute, value)
        self._change(entry, {**entry.values, attribute: value})

    def _change(self, entry: Entry, values: dict[Attribute, str]) -> None:
        """Take the values over, until a transaction around it fails."""
        before = entry.values
        if self._repository is not None:
            self._repository.undo(lambda: entry.take(before))
        entry.take(values)

    # -- from outside ---------------------------------------------------------------------------------------------

    def get(
        self,
        component: Component,
        variable: Variable,
        attribute: Attribute = Attribute.ACTUAL,
        *,
        with_21: bool = True,
    ) -> tuple[GetStatus, str | None]:
        """What a CSMS reads (B06); the value is None unless Accepted."""
        return self.read(*component, *variable, attribute, with_21)

    def _read(
        self,
        component: str,
        instance: str | None,
        evse: int | None,
        connector: int | None,
        variable: str,
        variable_instance: str | None,
        attribute: Attribute,
        with_21: bool,
    ) -> tuple[GetStatus, str | None]:
        """`read`, by all the rules."""
        entry: Entry | None = self._index.find(
            component, instance or None, evse, connector, variable, variable_instance or None
        )
        if entry is None or entry.definition.hidden or (entry.definition.since_21 and not with_21):
            return GetStatus(self._unknown(Component(component, instance, evse, connector), with_21).value), None
        definition = entry.definition
        if definition.mutability is _WRITE_ONLY:
            return GetStatus.REJECTED, None
        if attribute not in definition.attributes:
            return GetStatus.NOT_SUPPORTED_ATTRIBUTE_TYPE, None
        return _ACCEPTED, entry.values.get(attribute, "") if entry.getter is None else entry.value(attribute)

    def set(
        self,
        component: Component,
        variable: Variable,
        value: str,
        attribute: Attribute = Attribute.ACTUAL,
        *,
        with_21: bool = True,
    ) -> SetOutcome:
        """What a CSMS writes (B05)."""
        entry = self._visible(component, variable, with_21)
        if entry is None:
            return SetOutcome(self._unknown(component, with_21))
        if attribute not in entry.definition.attributes:
            return SetOutcome(SetStatus.NOT_SUPPORTED_ATTRIBUTE_TYPE)
        return self.write(entry, value, attribute)

    def write(
        self, entry: Entry, value: str, attribute: Attribute = Attribute.ACTUAL, *, checked: bool = False
    ) -> SetOutcome:
        """Write as a CSMS may: by mutability, type, limits and the blocks' guards.

        `checked`: the value was looked at already, by the rules of its 1.6 key (measurands with phases).
        """
        definition = entry.definition
        if definition.mutability is Mutability.READ_ONLY or definition.constant:
            return SetOutcome(SetStatus.REJECTED, "ReadOnly", f"{entry} can only be read")
        if definition.data_type.value == "boolean":
            value = value.lower()
        defect = "" if checked else definition.defect(value) or self._set_limit_defect(entry, value, attribute)
        if defect:
            code = "ValueOutOfRange" if "below" in defect or "above" in defect else "InvalidValue"
            return SetOutcome(SetStatus.REJECTED, code, f"{defect}; allowed is {definition.allowed}")
        for guard in self._guards:
            outcome = guard(entry, attribute, value)
            if outcome is not None:
                if outcome.status in (SetStatus.ACCEPTED, SetStatus.REBOOT_REQUIRED):
                    entry.touched()
                return outcome
        self._store(entry, attribute, value)
        return SetOutcome(SetStatus.REBOOT_REQUIRED if definition.reboot_required else SetStatus.ACCEPTED)

    @staticmethod
    def _set_limit_defect(entry: Entry, value: str, attribute: Attribute) -> str:
        """MinSet and MaxSet narrow what Target may become."""
        if attribute is not Attribute.TARGET:
            return ""
        low, high = entry.value(Attribute.MIN_SET), entry.value(Attribute.MAX_SET)
        if low and Decimal(value) < Decimal(low):
            return f"below {low}"
        return f"above {high}" if high and Decimal(value) > Decimal(high) else ""

    def find(self, component: Component, variable: Variable, *, with_21: bool = True) -> Entry | None:
        """The variable that a CSMS means; None when it is not there for it."""
        return self._visible(component, variable, with_21)

    def _visible(self, component: Component, variable: Variable, with_21: bool) -> Entry | None:
        name, instance, evse, connector = component
        entry: Entry | None = self._index.find(
            name, instance or None, evse, connector, variable.name, variable.instance or None
        )
        if entry is None or entry.definition.hidden or (entry.definition.since_21 and not with_21):
            return None
        return entry

    def _unknown(self, component: Component, with_21: bool) -> SetStatus:
        if self._components_at != (self.structure, with_21):
            self._components = {entry.component.folded for entry in self.entries(with_21=with_21)}
            self._components_at = (self.structure, with_21)
        known = component.folded in self._components
        return SetStatus.UNKNOWN_VARIABLE if known else SetStatus.UNKNOWN_COMPONENT
